// What surrounds the C text of an export, as those who ship it use it: make, CMake, Zephyr, Arduino, a board without a
// system, the serial line of a benchmark.
#include <cmath>
#include <filesystem>
#include <regex>

#include "condenser/arch/passes.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/process.hpp"
#include "condenser/core/temporary_folder.hpp"
#include "condenser/runtime/int8_program.hpp"
#include "support/absent.hpp"
#include "support/c99_package.hpp"
#include "support/catch.hpp"
#include "support/exemplars.hpp"

namespace condenser::exporters {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

core::ProcessResult run(const Words& command, const fs::path& folder = {}) {
  return core::run_process(command,
                           {.folder = folder, .environment = {"LC_ALL=C"}, .time_limit = std::chrono::minutes(2)});
}

void expect(const core::ProcessResult& result) {
  INFO(result.out);
  REQUIRE(result.ok());
}

// An export in a folder whose path has spaces.
struct Bundle {
  core::TemporaryFolder temporary;
  fs::path folder = temporary.path() / "my firmware" / "the net";
  testing::C99Case test;
  explicit Bundle(testing::C99Case made, const ExportOptions& options = {}) : test(std::move(made)) {
    find_target("c99").write(test.package, test.answers, options, folder);
  }
};

testing::C99Case pictures() {
  testing::C99Case test = testing::c99_case(arch::lower(testing::exemplar("network_tiny"), nullptr), 3, 2);
  const runtime::Int8Program program =
      runtime::build_program(test.package.spec, test.package.weights, *test.package.quant);
  for (int64_t i = 0; i < program.output_values(); ++i) test.package.classes.push_back("class " + std::to_string(i));
  test.package.pixels.resize(3);
  for (auto& table : test.package.pixels)
    for (int v = 0; v < 256; ++v) table[static_cast<size_t>(v)] = static_cast<int8_t>(v - 128);
  return test;
}

bool installed(const char* program) { return run({program, "--version"}).status() == 0; }

}  // namespace

TEST_CASE("make builds in a folder with spaces, for a board too, and says what it leaves out", "[exporters][slow]") {
  const Bundle b(testing::sound_case(5, 2));
  expect(run({"make", "-j2", "test", "CFLAGS=-Werror"}, b.folder));
  expect(run({"make", "clean"}, b.folder));
  if (!installed("arm-none-eabi-gcc")) return tests::skip_without("machine: cortex-m4", "arm-none-eabi-gcc");
  const core::ProcessResult made = run({"make", "CC=arm-none-eabi-gcc", "CFLAGS=-mcpu=cortex-m4 -Werror"}, b.folder);
  expect(made);
  CHECK_THAT(made.out, Catch::Contains("left out: model_test"));
  CHECK_THAT(made.out, Catch::Contains("arm-none-eabi-ar rcs libmodel.a"));
  CHECK(fs::exists(b.folder / "libmodel.a"));
  CHECK_FALSE(fs::exists(b.folder / "model_test"));
}

TEST_CASE("CMake builds the export alone and inside a project, in C++ too", "[exporters][slow]") {
  const Bundle b(testing::sound_case(5, 2));
  const fs::path build = b.temporary.path() / "build it";
  expect(run({"cmake", "-S", b.folder.string(), "-B", build.string()}));
  expect(run({"cmake", "--build", build.string()}));
  expect(run({"ctest", "--output-on-failure"}, build));
  core::write_atomic(b.folder.parent_path() / "CMakeLists.txt",
                     "cmake_minimum_required(VERSION 3.13)\nproject(firmware C CXX)\nadd_subdirectory(\"the net\")\n"
                     "add_executable(app app.cpp)\ntarget_link_libraries(app PRIVATE model_net)\n");
  core::write_atomic(b.folder.parent_path() / "app.cpp",
                     "#include \"model.h\"\n#include \"model_classes.h\"\n#include \"model_sound.h\"\n"
                     "static int16_t clip[MODEL_SOUND_SAMPLES];\nint main() {\n  model_sound_input(clip);\n"
                     "  return model_run() != 0 || model_class(model_output()) >= MODEL_CLASSES;\n}\n");
  const fs::path whole = b.temporary.path() / "whole";
  expect(run({"cmake", "-S", b.folder.parent_path().string(), "-B", whole.string()}));
  expect(run({"cmake", "--build", whole.string()}));
  expect(run({(whole / "app").string()}));
  CHECK_FALSE(fs::exists(whole / "the net/model_test"));
}

TEST_CASE("two networks of sounds in one program, whole folders, each with a front-end of its own",
          "[exporters][slow]") {
  const core::TemporaryFolder temporary;
  Words sources;
  for (const char* prefix : {"left", "right"}) {
    const data::FeatureOptions features = {.kind = prefix[0] == 'l' ? "mfcc" : "log_mel", .bands = 16};
    testing::C99Case test = testing::sound_case(5, 2, features);
    find_target("c99").write(test.package, test.answers, {.prefix = prefix, .private_kernels = true},
                             temporary.path() / prefix);
    for (const auto& entry : fs::directory_iterator(temporary.path() / prefix))
      if (entry.path().extension() == ".c") sources.push_back(entry.path().string());
  }
  core::write_atomic(
      temporary.path() / "app.c",
      "int left_main(void);\nint right_main(void);\nint main(void) { return left_main() + 2 * right_main(); }\n");
  Words command = {"gcc", "-std=c99", "-w", "-o", "app", "app.c"};
  for (const std::string& source : sources) {
    const std::string object = source + ".o", prefix = fs::path(source).parent_path().filename().string();
    Words compile = {"gcc", "-std=c99", "-c", source, "-o", object};
    if (source.ends_with("_test.c"))
      compile.insert(compile.end(), {"-D" + macro_prefix(prefix) + "_SELF_TEST", "-Dmain=" + prefix + "_test_main"});
    expect(run(compile));
    command.push_back(object);
  }
  for (const char* prefix : {"left", "right"})
    core::write_atomic(temporary.path() / (std::string(prefix) + "_main.c"),
                       "int " + std::string(prefix) + "_test_main(int, char **);\nint " + prefix +
                           "_main(void) { char *none[] = {0, 0}; return " + prefix + "_test_main(1, none); }\n");
  command.insert(command.end(), {"left_main.c", "right_main.c", "-lm"});
  expect(run(command, temporary.path()));
  expect(run({"./app"}, temporary.path()));
}

TEST_CASE("the arena can be placed, or given", "[exporters][slow]") {
  const Bundle b(pictures());
  const std::string place = "-DMODEL_ARENA_PLACE=__attribute__((section(\".fast\")))";
  expect(run({"make", "test", "CFLAGS=-Werror '" + place + "'"}, b.folder));
  CHECK_THAT(run({"objdump", "-t", "model.o"}, b.folder).out, Catch::Contains(".fast"));
  expect(run({"make", "clean"}, b.folder));
  expect(run({"make", "test", "CFLAGS=-Werror -DMODEL_ARENA_GIVEN"}, b.folder));
  CHECK_THAT(run({"nm", "model.o"}, b.folder).out, !Catch::Contains("model_arena"));
  core::write_atomic(b.folder / "app.c",
                     "#include \"model.h\"\nstatic int32_t memory[MODEL_ARENA_BYTES / 4 + 2];\nint main(void) {\n"
                     "  if (model_run() != 1) return 1;\n  if (model_give_arena((char *)memory + 1) != 1) return 2;\n"
                     "  if (model_run() != 1) return 3;\n  if (model_give_arena(memory) != 0) return 4;\n"
                     "  return model_run();\n}\n");
  expect(run({"gcc", "-DMODEL_ARENA_GIVEN", "app.c", "libmodel.a", "-o", "app"}, b.folder));
  expect(run({"./app"}, b.folder));
}

TEST_CASE("two arenas lie in memories of their own, or are given", "[exporters][slow]") {
  testing::C99Case test = pictures();
  const int64_t whole =
      runtime::build_program(test.package.spec, test.package.weights, *test.package.quant).plan.peak_bytes;
  const Bundle b(std::move(test), {.fast_ram_bytes = whole / 2});
  const std::string header = core::read_file(b.folder / "model.h");
  REQUIRE_THAT(header, Catch::Contains("#define MODEL_FAST_ARENA_BYTES ") && Catch::Contains("In the slow arena: "));
  CHECK_THAT(core::read_file(b.folder / "README.md"), Catch::Contains("MODEL_FAST_ARENA_PLACE"));
  const auto place = [](const char* memory, const char* section) {
    return std::string(" '-DMODEL_") + memory + "_ARENA_PLACE=__attribute__((section(\"" + section + "\")))'";
  };
  const std::string strict = "CFLAGS=-Werror -Wconversion -Wcast-qual -Wshadow";
  expect(run({"make", "test", strict + place("FAST", ".dtcm") + place("SLOW", ".sdram")}, b.folder));
  const std::string symbols = run({"objdump", "-t", "model.o"}, b.folder).out;
  CHECK(std::regex_search(symbols, std::regex("\\.dtcm\\s.*model_fast_arena")));
  CHECK(std::regex_search(symbols, std::regex("\\.sdram\\s.*model_slow_arena")));
  expect(run({"make", "clean"}, b.folder));
  expect(run({"make", "test", strict + " -DMODEL_ARENA_GIVEN"}, b.folder));
  core::write_atomic(b.folder / "app.c",
                     "#include \"model.h\"\n#include <stddef.h>\n"
                     "static int32_t fast[MODEL_FAST_ARENA_BYTES / 4 + 2], slow[MODEL_SLOW_ARENA_BYTES / 4 + 2];\n"
                     "int main(void) {\n  if (model_run() != 1) return 1;\n"
                     "  if (model_give_arenas(fast, (char *)slow + 1) != 1) return 2;\n"
                     "  if (model_give_arenas(NULL, slow) != 1) return 3;\n  if (model_run() != 1) return 4;\n"
                     "  if (model_give_arenas(fast, slow) != 0) return 5;\n  return model_run();\n}\n");
  expect(run({"gcc", "-DMODEL_ARENA_GIVEN", "app.c", "libmodel.a", "-o", "app"}, b.folder));
  expect(run({"./app"}, b.folder));
}

TEST_CASE("a fast memory that holds the whole arena changes nothing", "[exporters]") {
  const Bundle one(pictures()), two(pictures(), {.fast_ram_bytes = 1 << 20});
  for (const auto& entry : fs::directory_iterator(one.folder)) {
    if (!entry.is_regular_file()) continue;
    INFO(entry.path().filename());
    CHECK(core::read_file(entry.path()) == core::read_file(two.folder / entry.path().filename()));
  }
}

TEST_CASE("constants in a file of their own give the same, and damage is found", "[exporters][slow]") {
  const Bundle b(pictures(), {.weights = "binary"});
  const auto plain = runtime::build_program(b.test.package.spec, b.test.package.weights, *b.test.package.quant);
  CHECK(static_cast<int64_t>(fs::file_size(b.folder / "model_weights.bin")) >= plain.analysis.constant_bytes + 28);
  expect(run({"make", "test", "CFLAGS=-Werror -Wconversion -Wcast-qual -Wshadow"}, b.folder));
  const fs::path build = b.temporary.path() / "build";
  expect(run({"cmake", "-S", b.folder.string(), "-B", build.string()}));
  expect(run({"cmake", "--build", build.string()}));
  expect(run({"ctest", "--output-on-failure"}, build));
  core::write_atomic(
      b.folder / "app.c",
      "#include \"model.h\"\n#include <stdio.h>\nstatic int32_t image[MODEL_WEIGHTS_BYTES / 4 + 1];\n"
      "int main(void) {\n  char *bytes = (char *)image;\n  FILE *f = fopen(\"model_weights.bin\", \"rb\");\n"
      "  if (model_run() != 2 || model_check_weights() != 1) return 1;\n"
      "  if (fread(image, 1, MODEL_WEIGHTS_BYTES, f) != MODEL_WEIGHTS_BYTES) return 2;\n"
      "  if (model_use_weights(0) != 1 || model_use_weights(bytes + 1) != 1) return 3;\n"
      "  if (model_use_weights(image) != 0 || model_check_weights() != 0 || model_run() != 0) return 4;\n"
      "  bytes[MODEL_WEIGHTS_BYTES - 1] ^= 1;\n  if (model_check_weights() != 1) return 5;\n"
      "  bytes[4] ^= 1;\n  if (model_use_weights(image) != 2 || model_run() != 2) return 6;\n  return 0;\n}\n");
  expect(run({"gcc", "app.c", "libmodel.a", "-o", "app"}, b.folder));
  expect(run({"./app"}, b.folder));
  if (!installed("arm-none-eabi-gcc") || !installed("qemu-system-arm"))
    return tests::skip_without("machine: cortex-m4", "arm-none-eabi-gcc or qemu-system-arm");
  expect(run({"make"}, b.folder / "examples/cortex_m"));
  CHECK_THAT(run({"make", "-s", "run"}, b.folder / "examples/cortex_m").out, Catch::Contains("outputs: "));
  testing::C99Case test = pictures();
  CHECK_THROWS_WITH(
      find_target("c99").write(test.package, test.answers, {.weights = "flash"}, b.temporary.path() / "x"),
      Catch::Contains("expected const or binary"));
}

TEST_CASE("a prefix may be a word of C or of C++", "[exporters][slow]") {
  for (const char* prefix : {"int", "while", "new", "main", "printf", "inline", "linux"}) {
    INFO(prefix);
    const Bundle b(pictures(), {.prefix = prefix});
    expect(run({"make", "test", "CFLAGS=-Werror -std=gnu99"}, b.folder));
    core::write_atomic(b.folder / "app.cpp",
                       "#include \"" + std::string(prefix) + ".h\"\nint main() { return " + prefix + "_run(); }\n");
    expect(run({"g++", "app.cpp", "lib" + std::string(prefix) + ".a", "-o", "app"}, b.folder));
    expect(run({"./app"}, b.folder));
  }
}

TEST_CASE("a compiler whose int has 16 bits is told so", "[exporters]") {
  const Bundle b(pictures());
  const core::ProcessResult made =
      run({"gcc", "-fsyntax-only", "-w", "-U__INT_MAX__", "-D__INT_MAX__=32767", "model.c"}, b.folder);
  CHECK_FALSE(made.ok());
  CHECK_THAT(made.out, Catch::Contains("whose int has 32 bits"));
}

// Zephyr is not here: a stand-in has the four functions of its build system that the module calls.
TEST_CASE("the folder is a module of Zephyr", "[exporters][slow]") {
  const Bundle b(testing::sound_case(5, 2));
  const std::string module = core::read_file(b.folder / "zephyr/module.yml");
  CHECK_THAT(module, Catch::Contains("cmake: zephyr") && Catch::Contains("kconfig: zephyr/Kconfig"));
  CHECK_THAT(core::read_file(b.folder / "zephyr/Kconfig"), Catch::Contains("config MODEL_NET\n\tbool "));
  const fs::path app = b.temporary.path() / "app";
  fs::create_directory(app);
  core::write_atomic(
      app / "CMakeLists.txt",
      "cmake_minimum_required(VERSION 3.13)\nproject(app C)\nset(CONFIG_MODEL_NET y)\n"
      "function(zephyr_library_named name)\n  set(lib ${name} PARENT_SCOPE)\nendfunction()\n"
      "macro(zephyr_library_sources)\n  add_library(${lib} STATIC ${ARGN})\nendmacro()\n"
      "macro(zephyr_include_directories)\n  target_include_directories(${lib} PUBLIC ${ARGN})\nendmacro()\n"
      "add_subdirectory(\"" +
          (b.folder / "zephyr").string() +
          "\" net)\n"
          "add_executable(app \"" +
          (b.folder / "model_test.c").string() +
          "\")\n"
          "target_compile_definitions(app PRIVATE MODEL_SELF_TEST)\n"
          "target_link_libraries(app PRIVATE model_net m)\n");
  expect(run({"cmake", "-S", app.string(), "-B", (app / "build").string()}));
  expect(run({"cmake", "--build", (app / "build").string()}));
  expect(run({(app / "build/app").string()}));
}

// The Arduino environment is not here: a stand-in has what the sketch calls.
TEST_CASE("the folder is a library of Arduino, and its sketch compiles", "[exporters][slow]") {
  const Bundle b(pictures());
  const std::string properties = core::read_file(b.folder / "library.properties");
  for (const char* key : {"name=model", "version=1.0.0", "architectures=*", "includes=model.h"})
    CHECK_THAT(properties, Catch::Contains(key));
  core::write_atomic(
      b.folder / "sketch.cpp",
      "#include <cstdio>\n#include <cstdlib>\nstruct { void begin(long) {}\n"
      "  void print(int x) { std::printf(\"%d\", x); }\n  void print(unsigned long x) { std::printf(\"%lu\", x); }\n"
      "  void print(char x) { std::printf(\"%c\", x); }\n  void println(const char *x) { std::puts(x); } } Serial;\n"
      "unsigned long micros() { return 7; }\nvoid delay(int) { std::exit(0); }\n"
      "#include \"examples/hello/hello.ino\"\nint main() { setup(); for (;;) loop(); }\n");
  expect(run({"make", "libmodel.a"}, b.folder));
  expect(run({"g++", "-I.", "sketch.cpp", "libmodel.a", "-o", "sketch"}, b.folder));
  const core::ProcessResult said = run({"./sketch"}, b.folder);
  expect(said);
  CHECK_THAT(said.out, Catch::EndsWith(" 0 us\n"));
}

TEST_CASE("firmware without a system runs, and answers the runner of a benchmark", "[exporters][slow]") {
  const Bundle b(pictures());
  const fs::path folder = b.folder / "examples/cortex_m";
  if (!installed("arm-none-eabi-gcc") || !installed("qemu-system-arm"))
    return tests::skip_without("machine: cortex-m4", "arm-none-eabi-gcc or qemu-system-arm");
  expect(run({"make"}, folder));
  const core::ProcessResult hello = run({"make", "-s", "run"}, folder);
  expect(hello);
  CHECK_THAT(hello.out, Catch::Contains("outputs: ") && Catch::Contains("microseconds: "));

  // The runner's part: 31 bytes a command, as pixels.
  std::string load = "db load " + std::to_string(b.test.answers.inputs[0].size()) + "%";
  for (size_t i = 0; i < b.test.answers.inputs[0].size(); ++i) {
    constexpr const char* kDigits = "0123456789abcdef";
    const int pixel = b.test.answers.inputs[0][i] + 128;
    if (i % 31 == 0) load += i == 0 ? "db " : "%db ";
    load += {kDigits[pixel / 16], kDigits[pixel % 16]};
  }
  core::write_atomic(folder / "commands", "name%profile%timestamp%sing%db load 99999%db 0%infer 0%" + load +
                                              "%db 00%infer 3 1%results%\x04");
  // As a runner does, nothing is said before the board is ready: its serial line keeps no byte that it does not expect.
  const core::ProcessResult said =
      run({"sh", "-c",
           "{ until grep -q m-ready heard 2>/dev/null; do sleep 0.05; done; cat commands; } | "
           "make -s runner > heard; cat heard"},
          folder);
  expect(said);
  for (const char* line : {"m-init-done\r\nm-ready\r\n", "m-name-dut-[condenser]", "m-model-[model]",
                           "e-[Unknown command: sing]", "e-[Command 'db load' takes 1 to 432 bytes]",
                           "e-[Bytes are two", "e-[Command 'infer' takes", "m-[Expecting 432 bytes]", "m-load-done",
                           "e-[More bytes than", "m-warmup-start-1\r\nm-warmup-done\r\nm-infer-start-3\r\nm-lap-us-"})
    CHECK_THAT(said.out, Catch::Contains(line));
  const runtime::Int8Program program =
      runtime::build_program(b.test.package.spec, b.test.package.weights, *b.test.package.quant);
  const double scale = program.output_quant().scale;
  double sum = 0;
  for (const int8_t q : b.test.answers.outputs[0]) sum += std::exp(q * scale);
  const std::regex results("m-results-\\[([0-9.,]*)\\]");
  size_t answers = 0;
  for (std::sregex_iterator at(said.out.begin(), said.out.end(), results), end; at != end; ++at, ++answers) {
    std::istringstream numbers((*at)[1].str());
    std::string number;
    for (const int8_t q : b.test.answers.outputs[0]) {
      REQUIRE(std::getline(numbers, number, ','));
      CHECK(std::stod(number) == Approx(std::exp(q * scale) / sum).margin(0.00051));
    }
    CHECK_FALSE(std::getline(numbers, number, ','));
  }
  CHECK(answers == 2);
}

}  // namespace condenser::exporters
