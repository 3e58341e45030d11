// The module of the torch target, run by PyTorch; and arrays that NumPy loads.
#include "verify/torch.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/core/files.hpp"
#include "exporters/npz.hpp"
#include "support/absent.hpp"
#include "support/c99_package.hpp"
#include "support/exemplars.hpp"
#include "support/lively.hpp"
#include "verify/python.hpp"

using namespace condenser;
using namespace condenser::testing;

TEST_CASE("the module of a torch export computes what the float executor does", "[exporters][slow]") {
  if (!verify::python_with("torch")) return tests::skip_without("python: torch", "scripts/setup.sh");
  for (const char* name : {"network_tiny", "avg_pool_asymmetric_exclude_pad", "softmax_mul_space_rescaled",
                           "blur_pool_3_s1", "upsample_odd", "output_two_heads", "peer_shufflenet", "prelu"}) {
    INFO(name);
    C99Case test = c99_case(arch::lower(exemplar(name), nullptr), 3, 4);
    arch::Weights floats = lively_weights(exemplar(name), 3);
    arch::lower(exemplar(name), &floats);
    test.package.floats = floats;
    const core::TemporaryFolder temporary;
    exporters::find_target("torch").write(test.package, test.answers, {}, temporary.path() / "out");
    const auto checks = verify::verify_torch(temporary.path() / "out", test.package, test.answers);
    REQUIRE(checks.size() == 2);
    for (const verify::Check& check : checks) {
      INFO(check.name << ": " << check.detail);
      CHECK(check.passed);
    }
    if (std::string(name) != "prelu") continue;
    test.package.floats->tensors.at("op.weight").f32()[0] += 1;  // another network than the one that was written
    CHECK(!verify::verify_torch(temporary.path() / "out", test.package, test.answers)[0].passed);
  }
}

TEST_CASE("a torch export needs both forms of the network", "[exporters]") {
  const C99Case test = c99_case(arch::lower(exemplar("conv_3x3"), nullptr), 3, 1);
  const core::TemporaryFolder temporary;
  CHECK_THROWS_WITH(exporters::find_target("torch").write(test.package, test.answers, {}, temporary.path() / "out"),
                    Catch::Contains("lacks its floats"));
}

TEST_CASE("NumPy loads known answers", "[exporters]") {
  arch::Tensor floats = arch::make_f32({2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6.5F});
  arch::Tensor bytes = arch::make_tensor(arch::DType::I8, {2});
  bytes.i8()[0] = -128;
  bytes.i8()[1] = 127;
  const std::string npz = exporters::to_npz({{"a", floats}, {"b", bytes}});
  CHECK(npz == exporters::to_npz({{"a", floats}, {"b", bytes}}));
  CHECK(npz.starts_with("PK\x03\x04"));
  const auto python = verify::python_with("numpy");
  if (!python) return tests::skip_without("python: numpy", "scripts/setup.sh");
  const core::TemporaryFolder temporary;
  core::write_atomic(temporary.path() / "x.npz", npz);
  const auto result =
      verify::run_script(*python,
                         "import sys, zipfile\nimport numpy as np\n"
                         "assert zipfile.ZipFile(sys.argv[1]).testzip() is None\n"
                         "x = np.load(sys.argv[1])\nprint(x['a'].tolist(), x['b'].tolist(), x['b'].dtype)",
                         {(temporary.path() / "x.npz").string()});
  CHECK(result.out == "[[1.0, 2.0, 3.0], [4.0, 5.0, 6.5]] [-128, 127] int8\n");
}
