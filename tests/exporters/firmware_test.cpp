// Exports as firmware builds them: several in one program, of equal and of different versions, under strict compilers.
#include <filesystem>

#include "condenser/arch/passes.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/process.hpp"
#include "condenser/core/temporary_folder.hpp"
#include "exporters/kernel_sources.hpp"
#include "support/c99_package.hpp"
#include "support/catch.hpp"
#include "support/exemplars.hpp"

namespace condenser::exporters {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

// Two exports, net_a/ and net_b/, in a temporary folder, and the means to build programs of them.
class Firmware {
 public:
  explicit Firmware(bool private_kernels) {
    write("net_a", 3, private_kernels);
    write("net_b", 4, private_kernels);
    core::write_atomic(
        at("app.c"),
        "#include \"net_a/net_a.h\"\n#include \"net_b/net_b.h\"\n"
        "int net_a_main(int, char **);\nint net_b_main(int, char **);\n"
        "int main(void) { char *none[] = {0, 0}; return net_a_main(1, none) + 2 * net_b_main(1, none); }\n");
  }

  fs::path at(const std::string& name) const { return folder_.path() / name; }

  // Makes net_b an export of another version: another ending, and kernels that add to every bias.
  void age_net_b() {
    const fs::directory_iterator entries(at("net_b"));
    for (const fs::directory_entry& entry : std::vector<fs::directory_entry>(begin(entries), end(entries))) {
      if (!entry.is_regular_file()) continue;
      std::string text = core::read_file(entry.path());
      replace(text, kernel_version(), "00000000");
      if (entry.path().filename() == "cnd_conv2d_layer.h") replace(text, "l->bias[", "100000 + l->bias[");
      core::write_atomic(entry.path(), text);
    }
  }

  // Objects of every C file of a folder, the self-test's main renamed.
  Words compile_folder(const std::string& prefix) const {
    Words objects;
    for (const auto& entry : fs::directory_iterator(at(prefix))) {
      if (entry.path().extension() != ".c") continue;
      objects.push_back(entry.path().string() + ".o");
      Words command = {"gcc", "-std=c99", "-O1", "-Werror", "-c", entry.path().string(), "-o", objects.back()};
      const bool test = entry.path().filename() == prefix + "_test.c";
      if (test)
        command.insert(command.end(),
                       {prefix == "net_a" ? "-DNET_A_SELF_TEST" : "-DNET_B_SELF_TEST", "-Dmain=" + prefix + "_main"});
      const core::ProcessResult result = run(command);
      INFO(result.out);
      REQUIRE(result.ok());
    }
    return objects;
  }

  std::string library(const std::string& prefix) const {
    Words command = {"ar", "rcs", at("lib" + prefix + ".a").string()};
    for (const std::string& object : compile_folder(prefix)) command.push_back(object);
    REQUIRE(run(command).ok());
    return command[2];
  }

  core::ProcessResult link(const Words& objects) const {
    Words command = {"gcc", "-std=c99", at("app.c").string()};
    command.insert(command.end(), objects.begin(), objects.end());
    command.insert(command.end(), {"-o", at("app").string()});
    return run(command);
  }

  // 0: both give their known answers; 1: net_a does not; 2: net_b does not.
  int answers(const Words& objects) const {
    const core::ProcessResult linked = link(objects);
    INFO(linked.out);
    REQUIRE(linked.ok());
    return run({at("app").string()}).status();
  }

  core::ProcessResult run(const Words& command) const {
    return core::run_process(command, {.environment = {"LC_ALL=C"}, .time_limit = std::chrono::minutes(2)});
  }

 private:
  void write(const std::string& prefix, uint64_t seed, bool private_kernels) const {
    auto test = testing::c99_case(arch::lower(testing::exemplar("conv_groups"), nullptr), seed, 2);
    find_target("c99").write(test.package, test.answers, {prefix, private_kernels}, at(prefix));
  }

  static void replace(std::string& text, const std::string& from, const std::string& to) {
    for (size_t i = text.find(from); i != std::string::npos; i = text.find(from, i + to.size()))
      text.replace(i, from.size(), to);
  }

  core::TemporaryFolder folder_;
};

Words joined(Words a, const Words& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

bool is_kernel_object(const std::string& object) { return fs::path(object).filename().string().starts_with("cnd_"); }

}  // namespace

TEST_CASE("kernels are tagged where they are functions, and the tag follows their text", "[exporters]") {
  CHECK(tag_kernels("cnd_add(cnd_add_params p); my_cnd_add(1); cnd_requantize(2); \"cnd_add.h\"; cnd_mul(", "x") ==
        "cnd_add_x(cnd_add_params p); my_cnd_add(1); cnd_requantize(2); \"cnd_add.h\"; cnd_mul_x(");
  const SourceText one[] = {{"a.c", "1"}}, other[] = {{"a.c", "2"}}, renamed[] = {{"a.", "c1"}};
  CHECK(kernel_set(one) != kernel_set(other));
  CHECK(kernel_set(one) != kernel_set(renamed));
  CHECK(kernel_set(one).size() == 8);
}

TEST_CASE("two exports of one version share kernels or bring their own", "[exporters][slow]") {
  const Firmware shared(false);
  const Words a = shared.compile_folder("net_a");
  Words b = shared.compile_folder("net_b");
  CHECK_THAT(shared.link(joined(a, b)).out, Catch::Contains("multiple definition"));  // never silent
  std::erase_if(b, is_kernel_object);
  CHECK(shared.answers(joined(a, b)) == 0);
  CHECK(shared.answers({shared.library("net_a"), shared.library("net_b")}) == 0);
  const Firmware whole(true);
  CHECK(whole.answers(joined(whole.compile_folder("net_a"), whole.compile_folder("net_b"))) == 0);
}

TEST_CASE("exports of different versions never use each other's kernels", "[exporters][slow]") {
  Firmware firmware(false);
  firmware.age_net_b();
  const Words a = firmware.compile_folder("net_a");
  Words b = firmware.compile_folder("net_b");
  CHECK(firmware.answers(joined(a, b)) == 2);  // net_b's own kernels are the changed ones
  for (const bool first : {true, false}) {
    Words libraries = {firmware.library("net_a"), firmware.library("net_b")};
    if (!first) std::swap(libraries[0], libraries[1]);
    CHECK(firmware.answers(libraries) == 2);
  }
  std::erase_if(b, is_kernel_object);
  CHECK_THAT(firmware.link(joined(a, b)).out, Catch::Contains("undefined reference"));
}

TEST_CASE("an export compiles under the strict options of others", "[exporters][slow]") {
  const Firmware firmware(false);
  const Words strict = {"-Werror",
                        "-Wall",
                        "-Wextra",
                        "-pedantic",
                        "-Wconversion",
                        "-Wsign-conversion",
                        "-Wshadow",
                        "-Wundef",
                        "-Wcast-qual",
                        "-Wstrict-prototypes",
                        "-Wmissing-prototypes",
                        "-Wdouble-promotion",
                        "-Wc++-compat",
                        "-fsyntax-only"};
  for (const char* compiler : {"gcc", "clang"}) {
    if (firmware.run({compiler, "--version"}).status() != 0) continue;
    for (const char* standard : {"-std=c99", "-std=c11", "-std=c17"}) {
      for (const auto& entry : fs::directory_iterator(firmware.at("net_a"))) {
        if (entry.path().extension() != ".c") continue;
        for (const char* define : {"-DNOTHING", "-DNET_A_SELF_TEST"}) {
          const auto result = firmware.run(joined({compiler, standard, define, entry.path().string()}, strict));
          INFO(compiler << " " << standard << " " << define << ": " << result.out);
          CHECK(result.ok());
        }
      }
    }
  }
  core::write_atomic(firmware.at("app.cpp"),
                     "#include \"net_a/net_a.h\"\n#include \"net_b/net_b.h\"\n"
                     "int main() { net_a_input()[0] = 1; return net_a_run() + net_b_run(); }\n");
  const auto program = firmware.run(joined({"g++", "-Wall", "-Wextra", "-pedantic", "-Werror", "-std=c++11",
                                            firmware.at("app.cpp").string(), "-o", firmware.at("cpp").string()},
                                           {firmware.library("net_a"), firmware.library("net_b")}));
  INFO(program.out);
  REQUIRE(program.ok());
  CHECK(firmware.run({firmware.at("cpp").string()}).ok());
}

}  // namespace condenser::exporters
