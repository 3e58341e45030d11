// Exports that call CMSIS-NN: what calls it, what stays, and that the integers are those of the executor, with plain
// loops in place of the library.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "condenser/arch/blocks.hpp"
#include "condenser/arch/memory_apart.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/process.hpp"
#include "condenser/core/temporary_folder.hpp"
#include "condenser/runtime/int8_program.hpp"
#include "condenser/verify/machine.hpp"
#include "condenser/verify/verify.hpp"
#include "support/absent.hpp"
#include "support/c99_package.hpp"
#include "support/catch.hpp"
#include "support/exemplars.hpp"
#include "verify/board_sources.hpp"

namespace condenser::exporters {
namespace {

namespace fs = std::filesystem;
const ExportOptions kCmsisNn = {.kernels = "cmsis_nn"};

testing::C99Case small_case(const arch::Conv2d& conv, arch::Shape in) {
  arch::Builder b("one", in);
  b.add("conv", conv, {b.input()});
  return testing::c99_case(arch::lower(b.finish(), nullptr), 3, 3);
}

std::string exported_source(const testing::C99Case& test, const ExportOptions& options = kCmsisNn) {
  const core::TemporaryFolder temporary;
  find_target("c99").write(test.package, test.answers, options, temporary.path() / "out");
  return core::read_file(temporary.path() / "out/model.c");
}

bool calls_library(const arch::Conv2d& conv, arch::Shape in) {
  return exported_source(small_case(conv, in)).find("status = ") != std::string::npos;
}

}  // namespace

TEST_CASE("exemplars give equal integers with CMSIS-NN's functions as plain loops", "[exporters][slow]") {
  std::set<std::string> called;
  int known = 0;
  for (const testing::Exemplar& exemplar : testing::exemplars()) {
    INFO(exemplar.spec.name);
    const arch::Design design = arch::design_of(exemplar.spec);
    if (!find_target("c99").unsupported(design).empty()) continue;
    const core::TemporaryFolder temporary;
    const testing::C99Case test = testing::c99_case(design.lowered, 7, 4);
    find_target("c99").write(test.package, test.answers, kCmsisNn, temporary.path() / "out");
    const auto manifest = nlohmann::json::parse(core::read_file(temporary.path() / "out/manifest.json"));
    std::set<std::string> calls;
    for (const auto& [kernel, forms] : manifest["kernels"].items())
      if (forms == "CMSIS-NN") calls.insert(kernel);
    if (calls.empty()) continue;                                             // kernels of our own, which others test
    if (std::ranges::includes(called, calls) && ++known % 4 != 0) continue;  // a compiler for each takes minutes
    called.merge(calls);
    const auto checks = verify::verify_c99(temporary.path() / "out", test.answers);
    for (const verify::Check& check : checks) {
      INFO(check.name << ": " << check.detail);
      CHECK((check.passed || !check.ran));
    }
    REQUIRE(verify::passed(checks));
  }
  CHECK(called == std::set<std::string>{"arm_avgpool_s8", "arm_convolve_wrapper_s8", "arm_depthwise_conv_wrapper_s8",
                                        "arm_elementwise_add_s8", "arm_max_pool_s8"});
}

TEST_CASE("what CMSIS-NN lacks, or computes otherwise, stays with kernels of our own", "[exporters]") {
  CHECK(calls_library({8, {3, 3}, {1, 1}, {1, 1, 1, 1}}, {4, 6, 6}));
  CHECK_FALSE(calls_library({8, {3, 3}, {1, 1}, {1, 1, 1, 1}, 2}, {4, 6, 6}));
  CHECK(calls_library({8, {1, 1}, {2, 2}}, {4, 6, 6}));
  CHECK_FALSE(calls_library({8, {1, 3}, {1, 1}, {0, 0, 1, 1}}, {4, 1, 8}));
  CHECK(calls_library({4, {3, 3}, {1, 1}, {1, 1, 1, 1}, 4}, {4, 6, 6}));
}

TEST_CASE("constants are counted as they are written, and a depthwise output lies apart", "[exporters]") {
  const testing::C99Case test = small_case({4, {3, 3}, {1, 1}, {1, 1, 1, 1}, 4, true}, {4, 6, 6});
  const auto plan = [&](const ExportOptions& options) {
    return export_plan(test.package.spec, arch::analyze(test.package.spec), options);
  };
  CHECK(plan({}).alias_of.back() >= 0);
  CHECK(plan(kCmsisNn).alias_of.back() < 0);
  CHECK(plan(kCmsisNn).scratch.back() < 0);
  CHECK(plan(kCmsisNn).peak_bytes == 2 * 6 * 6 * 4);
  CHECK_THROWS_WITH(arch::plan_memory_apart(test.package.spec, arch::analyze(test.package.spec), {true}),
                    Catch::Contains("1 marks") && Catch::Contains("one for each of 2"));
  const core::TemporaryFolder temporary;
  find_target("c99").write(test.package, test.answers, kCmsisNn, temporary.path() / "out");
  const auto manifest = nlohmann::json::parse(core::read_file(temporary.path() / "out/manifest.json"));
  CHECK(manifest["constant_bytes"]["total"] == 36 + 3 * 16);
  CHECK_THAT(core::read_file(temporary.path() / "out/model.h"), Catch::Contains("#define MODEL_CONSTANT_BYTES 84"));
  CHECK(manifest["nodes"].back()["constant_bytes"] == 84);
}

TEST_CASE("a buffer that is too small, and a refused layer, have codes of their own", "[exporters][slow]") {
  const core::TemporaryFolder temporary;
  const fs::path out = temporary.path() / "out";
  const testing::C99Case test = small_case({8, {3, 3}, {1, 1}, {1, 1, 1, 1}}, {4, 6, 6});
  find_target("c99").write(test.package, test.answers, kCmsisNn, out);
  CHECK_THAT(core::read_file(out / "model.h"), Catch::Contains("3 where CMSIS-NN asks for a larger buffer") &&
                                                   Catch::Contains("BUFFER_BYTES 144\n") &&
                                                   Catch::Contains("BUFFER_BYTES 192\n"));
  const auto source = [](const char* name) { return core::source_text(verify::board_sources(), name); };
  core::write_atomic(out / "arm_nnfunctions.h", source("cmsis_nn.h.in"));
  core::write_atomic(temporary.path() / "library.c", source("cmsis_nn.c.in"));
  core::write_atomic(
      temporary.path() / "refuses.c",
      "#include <arm_nnfunctions.h>\n#define arm_convolve_wrapper_s8 refused\n#include \"library.c\"\n"
      "#undef arm_convolve_wrapper_s8\n"
      "arm_cmsis_nn_status arm_convolve_wrapper_s8(const cmsis_nn_context *a, const cmsis_nn_conv_params "
      "*b, const cmsis_nn_per_channel_quant_params *c, const cmsis_nn_dims *d, const int8_t *e, const "
      "cmsis_nn_dims *f, const int8_t *g, const cmsis_nn_dims *h, const int32_t *i, const cmsis_nn_dims "
      "*j, int8_t *k) {\n  (void)a, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h, "
      "(void)i, (void)j, (void)k;\n  return ARM_CMSIS_NN_FAILURE;\n}\n");
  core::write_atomic(temporary.path() / "app.c", "#include \"model.h\"\nint main(void) { return model_run(); }\n");
  const auto status = [&](const std::string& library, const std::string& option) {
    const core::ProcessResult built =
        core::run_process({"gcc", "-std=c99", option, "-I" + out.string(), (temporary.path() / "app.c").string(),
                           (temporary.path() / library).string(), (out / "model.c").string(),
                           (out / "model_weights.c").string(), "-o", (temporary.path() / "app").string()});
    INFO(built.out);
    REQUIRE(built.ok());
    return core::run_process({(temporary.path() / "app").string()}).status();
  };
  CHECK(status("library.c", "-O1") == 0);
  CHECK(status("library.c", "-DMODEL_BUFFER_BYTES=140") == 3);
  CHECK(status("refuses.c", "-O1") == 4);
}

TEST_CASE("options of CMSIS-NN that make no sense are refused, and machines say that it is not here", "[exporters]") {
  const testing::C99Case test = small_case({8, {3, 3}, {1, 1}}, {4, 6, 6});
  CHECK_THROWS_WITH(exported_source(test, {.kernels = "nn"}), Catch::Contains("'nn'; expected own or cmsis_nn"));
  CHECK_THROWS_WITH(exported_source(test, {.strips = true, .kernels = "cmsis_nn"}), Catch::Contains("with strips"));
  CHECK(unused_option(kCmsisNn, {}).key == "kernels");
  const core::TemporaryFolder temporary;
  find_target("c99").write(test.package, test.answers, kCmsisNn, temporary.path() / "out");
  const verify::MachineResult result =
      verify::run_on(verify::machines().front(), temporary.path() / "out", test.answers, 1, {});
  CHECK_FALSE(result.check.ran);
  CHECK_THAT(result.check.detail, Catch::Contains("CMSIS-NN, which is not here"));
  CHECK_THAT(core::read_file(temporary.path() / "out/README.md"),
             Catch::Contains("1 of 1 layers") && Catch::Contains("4.1.0 to 7.0.0"));
}

TEST_CASE("machines run an export with the library's own sources, where its folder is named", "[exporters][slow]") {
  const testing::C99Case test = small_case({8, {3, 3}, {1, 1}}, {4, 6, 6});
  const core::TemporaryFolder temporary;
  const fs::path library = temporary.path() / "a library";
  find_target("c99").write(test.package, test.answers, kCmsisNn, temporary.path() / "out");
  const auto run = [&] {
    return verify::run_on(verify::find_machine("cortex-m4"), temporary.path() / "out", test.answers, 2,
                          {.cmsis_nn = library});
  };
  CHECK_THAT(run().check.detail, Catch::Contains("holds no Include/arm_nnfunctions.h"));
  const auto source = [](const char* name) { return core::source_text(verify::board_sources(), name); };
  fs::create_directories(library / "Include");
  fs::create_directories(library / "Source" / "Functions");
  core::write_atomic(library / "Include" / "arm_nnfunctions.h", source("cmsis_nn.h.in"));
  core::write_atomic(library / "Source" / "Functions" / "arm_all_s8.c", source("cmsis_nn.c.in"));
  core::write_atomic(library / "Source" / "Functions" / "arm_all_f32.c", "#error \"floats\"\n");
  const verify::MachineResult result = run();
  if (!result.check.ran) return tests::skip_without("machine: cortex-m4", result.check.detail);
  INFO(result.check.detail);
  CHECK(result.check.passed);
  REQUIRE(result.cost.layers.size() == 1);
  CHECK(result.cost.layers[0].instructions > 6 * 6 * 8 * 9 * 4);
  const auto text = std::string(source("cmsis_nn.c.in"));
  core::write_atomic(library / "Source" / "Functions" / "arm_all_s8.c", text + "int broken(void) { return }\n");
  CHECK_THAT(run().check.detail, Catch::Contains("compiling CMSIS-NN"));
}

}  // namespace condenser::exporters
