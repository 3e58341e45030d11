// The same training with the kernels of other processors, through the real binary.
#include <algorithm>

#include "condenser/arch/weights.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using condenser::tests::Finished;
using condenser::tests::run;
using condenser::tests::TempFolder;
namespace fs = std::filesystem;

namespace {

std::string run_file(const TempFolder& folder) {
  const std::string source = CONDENSER_SOURCE_DIR;
  return folder.write("run.yaml", "name: same\nseed: 3\ndataset: {card: " + source +
                                      "/datasets/digits, samples: 200}\nspec: " + source +
                                      "/experiments/own_network/my_net.yaml\n"
                                      "train: {epochs: 1, batch_size: 50, threads: 1}\n");
}

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
  run_file(folder);
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
  run_file(folder);
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
