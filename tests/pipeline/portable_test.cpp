// The same training with the kernels of other processors, through the real binary.
#include <algorithm>

#include "condenser/arch/weights.hpp"
#include "pipeline/pipeline.hpp"

using namespace condenser::tests;

namespace {

Finished train(const TempFolder& folder, const std::string& kernels, const std::vector<std::string>& more) {
  std::vector<std::string> command{"env", "CONDENSER_KERNELS=" + kernels, CONDENSER_BINARY, "train", "run.yaml"};
  command.insert(command.end(), more.begin(), more.end());
  return run(command, folder.path());
}

auto weights_of(const TempFolder& folder, const std::string& name) {
  return condenser::arch::load_weights(folder.path() / "runs" / name / "weights.safetensors").tensors;
}

}  // namespace

TEST_CASE("portable training gives the same bits with the kernels of every processor", "[pipeline][slow]") {
  const TempFolder folder;
  own_network_run(folder, "same", 200, "epochs: 1, batch_size: 50, threads: 1");
  for (const char* kernels : {"baseline", "avx2", "avx512"}) {
    const Finished f = train(folder, kernels, {std::string("name=") + kernels, "train.portable=true"});
    INFO(f.err);
    REQUIRE(f.code == 0);
    CHECK(weights_of(folder, kernels) == weights_of(folder, "baseline"));
  }
  const Finished other = train(folder, "avx2", {"name=own"});
  INFO(other.err);
  REQUIRE(other.code == 0);
  if (__builtin_cpu_supports("avx2")) CHECK(weights_of(folder, "own") != weights_of(folder, "baseline"));
}

TEST_CASE("a run is not resumed with the kernels of another processor", "[pipeline][slow]") {
  const TempFolder folder;
  own_network_run(folder, "same", 200, "epochs: 1, batch_size: 50, threads: 1");
  REQUIRE(train(folder, "baseline", {}).code == 0);
  const fs::path left = folder.path() / "runs/same";
  fs::remove(left / "weights.safetensors");
  fs::remove(left / "train.json");
  REQUIRE(train(folder, "baseline", {}).code == 0);
  fs::remove(left / "weights.safetensors");
  fs::remove(left / "train.json");
  const Finished f = train(folder, "avx2", {});
  if (!__builtin_cpu_supports("avx2")) return;
  CHECK(f.code == 2);
  CHECK_THAT(f.err, Catch::Contains("kernels = baseline") && Catch::Contains("kernels = avx2"));
  CHECK(train(folder, "sse", {}).code == 2);
}
