// The DSP forms of kernels as a compiler of Arm makes them, assembler included, against portable C on the same
// processor (qemu in user mode): random layers. tests/support/arm_forms.
#include "condenser/core/process.hpp"
#include "condenser/core/temporary_folder.hpp"
#include "support/absent.hpp"
#include "support/catch.hpp"

namespace condenser {
namespace {

constexpr const char* kCompiler = "arm-linux-gnueabihf-gcc";

core::ProcessResult run(const std::vector<std::string>& arguments) {
  return core::run_process(arguments, {.time_limit = std::chrono::minutes(2)});
}

}  // namespace

TEST_CASE("assembler of Arm's DSP forms equals portable C", "[runtime][slow]") {
  const std::string root = CONDENSER_SOURCE_DIR;
  const core::TemporaryFolder temporary;
  const std::string program = (temporary.path() / "compare").string();
  const std::vector<std::vector<std::string>> forms = {
      {"-O3", "-mthumb"}, {"-Os", "-mthumb"}, {"-O3", "-mthumb", "-DCND_KEEP_R9"}, {"-O2", "-marm"}};
  for (const std::vector<std::string>& options : forms) {
    INFO(options[0] << " " << options.back());
    std::vector<std::string> words = {kCompiler,          "-std=c99", "-static", "-mcpu=cortex-a7", "-mfpu=neon",
                                      "-mfloat-abi=hard", "-Wall",    "-Wextra", "-Werror"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {"-I" + root + "/src", "-I" + root + "/tests", "-o", program});
    for (const char* source : {"compare.c", "dsp.c", "dsp_w4.c", "portable.c", "portable_w4.c"})
      words.push_back(root + "/tests/support/arm_forms/" + source);
    const core::ProcessResult made = run(words);
    if (made.status() == 127) return tests::skip_without("compiler: arm-linux-gnueabihf-gcc", made.err);
    INFO(made.out);
    REQUIRE(made.ok());
    const core::ProcessResult result = run({"qemu-arm", program, "600", "7"});
    if (result.status() == 127) return tests::skip_without("emulator: qemu-arm", result.err);
    CHECK(result.out == "600 layers of each kernel are equal\n");
  }
}

}  // namespace condenser
