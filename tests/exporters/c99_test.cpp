// The C99 target: what lies in an export, what its objects contain, how it replaces an older one, what it refuses.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "condenser/arch/passes.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/hash.hpp"
#include "condenser/core/process.hpp"
#include "condenser/core/temporary_folder.hpp"
#include "condenser/runtime/int8_executor.hpp"
#include "exporters/kernel_sources.hpp"
#include "support/c99_package.hpp"
#include "support/catch.hpp"
#include "support/exemplars.hpp"

namespace condenser::exporters {
namespace {

namespace fs = std::filesystem;
using testing::C99Case;
using testing::exemplar;

const Target& c99() { return find_target("c99"); }

std::string real_text(float x) {
  std::ostringstream text;
  text << std::scientific << std::setprecision(9) << x << "f";
  return text.str();
}

C99Case tiny() { return testing::c99_case(arch::lower(exemplar("network_tiny"), nullptr), 3, 10); }

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    names.insert(entry.path().filename().string());
  return names;
}

struct Symbol {
  std::string name, type;
  int64_t bytes = 0;
};

// Symbols of an object file, from nm -S: "value size type name", undefined ones without numbers.
std::vector<Symbol> symbols(const fs::path& object) {
  const core::ProcessResult result = core::run_process({"nm", "-S", object.string()});
  REQUIRE(result.ok());
  std::vector<Symbol> list;
  std::istringstream lines(result.out);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::vector<std::string> parts;
    for (std::string word; words >> word;) parts.push_back(word);
    if (parts.size() == 4) list.push_back({parts[3], parts[2], std::stoll(parts[1], nullptr, 16)});
    if (parts.size() < 4) list.push_back({parts.back(), parts[parts.size() - 2], 0});
  }
  return list;
}

}  // namespace

TEST_CASE("several outputs are read by number, each with its shape and scale", "[exporters]") {
  const core::TemporaryFolder temporary;
  const fs::path folder = temporary.path() / "out";
  const C99Case test = testing::c99_case(arch::lower(exemplar("output_two_heads"), nullptr), 3, 4);
  c99().write(test.package, test.answers, {}, folder);
  const std::string header = core::read_file(folder / "model.h");
  for (const char* line :
       {"#define MODEL_OUTPUTS 2", "#define MODEL_OUTPUT_BYTES 197", "#define MODEL_OUTPUT_0_BYTES 5",
        "#define MODEL_OUTPUT_1_HEIGHT 8", "#define MODEL_OUTPUT_1_CHANNELS 3", "#define MODEL_OUTPUT_1_SCALE",
        "const int8_t *model_output(int i);", "read model_output(0), 5 bytes", "8x8x3: map"})
    CHECK_THAT(header, Catch::Contains(line));
  const auto manifest = nlohmann::json::parse(core::read_file(folder / "manifest.json"));
  CHECK_FALSE(manifest.contains("output"));
  CHECK(manifest["outputs"][0]["name"] == "fc");
  CHECK(manifest["outputs"][1]["bytes"] == 192);
  CHECK_THAT(core::read_file(folder / "README.md"), Catch::Contains("model_output(i)"));
}

TEST_CASE("the table of targets is searched by name", "[exporters]") {
  CHECK(c99().name == "c99");
  CHECK(&find_target(targets().back().name) == &targets().back());
  CHECK_THROWS_WITH(find_target("elf"), Catch::Contains("elf") && Catch::Contains("c99"));
}

TEST_CASE("an option that no chosen target reads is found", "[exporters]") {
  ExportOptions options;
  CHECK(unused_option(options, {}).key.empty());
  options.strips = true;
  CHECK(unused_option(options, {"c99"}).key.empty());
  const UnusedOption unused = unused_option(options, {});
  CHECK(unused.key == "strips");
  CHECK(unused.readers == "c99");
}

TEST_CASE("the embedded kernels are the sources that the executor links", "[exporters]") {
  const fs::path folder = fs::path(CONDENSER_SOURCE_DIR) / "src/runtime/kernels";
  size_t count = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    ++count;
    CHECK(kernel_text(entry.path().filename().string()) == core::read_file(entry.path()));
  }
  CHECK(kernel_sources().size() == count);
  const std::set<std::string> expected = {"cnd_avx.h",    "cnd_dsp.h",   "cnd_fixed_point.h", "cnd_linear.c",
                                          "cnd_linear.h", "cnd_mve.h",   "cnd_neon.h",        "cnd_rows.h",
                                          "cnd_scale.c",  "cnd_scale.h", "cnd_wide.h"};
  CHECK(kernel_files({"linear"}) == expected);
  CHECK_THROWS_AS(kernel_files({"missing"}), core::Error);
}

TEST_CASE("an export holds its files, the kernels it uses and only those", "[exporters]") {
  const core::TemporaryFolder temporary;
  const fs::path folder = temporary.path() / "out";
  const C99Case test = testing::c99_case(arch::lower(exemplar("conv_groups"), nullptr), 3, 2);
  c99().write(test.package, test.answers, {"tiny"}, folder);
  const std::set<std::string> expected = {
      "CMakeLists.txt",      "Makefile",       "README.md", "cnd_conv2d.c", "cnd_conv2d.h", "cnd_conv2d_layer.h",
      "cnd_conv2d_params.h", "cnd_dsp.h",      "cnd_mve.h", "cnd_scale.c",  "cnd_scale.h",  "cnd_tile.h",
      "cnd_fixed_point.h",   "examples",       "cnd_avx.h", "cnd_neon.h",   "cnd_panel.h",  "cnd_wide.h",
      "library.properties",  "manifest.json",  "tiny.c",    "tiny.h",       "tiny_float.h", "tiny_test.c",
      "tiny_weights.c",      "tiny_weights.h", "zephyr"};
  CHECK(names_in(folder) == expected);
  CHECK(names_in(temporary.path()) == std::set<std::string>{"out"});
}

TEST_CASE("an export of sounds brings its front-end, and known answers from the samples on", "[exporters]") {
  const core::TemporaryFolder temporary;
  const fs::path folder = temporary.path() / "out";
  C99Case test = testing::sound_case(3, 4);
  c99().write(test.package, test.answers, {}, folder);
  const std::set<std::string> names = names_in(folder);
  for (const char* name : {"cnd_frontend.c", "cnd_frontend.h", "model_sound.c", "model_sound.h", "model_float.h"})
    CHECK(names.contains(name));
  CHECK_THAT(core::read_file(folder / "model_sound.h"),
             Catch::Contains("#define MODEL_SOUND_RATE 8000\n#define MODEL_SOUND_SAMPLES 1000\n"));
  CHECK_THAT(core::read_file(folder / "model_test.c"), Catch::Contains("clips[CLIPS][MODEL_SOUND_SAMPLES]"));
  const std::string front_end = core::read_file(folder / "cnd_frontend.c");
  CHECK_THAT(front_end, Catch::Contains("cnd_frontend_frame_" + kernel_version()));
  const auto manifest = nlohmann::json::parse(core::read_file(folder / "manifest.json"));
  CHECK(manifest["sound"] == nlohmann::json({{"sample_rate", 8000}, {"samples", 1000}, {"frames", 5}}));
  C99Case bad = test;
  bad.answers.clips[2].pop_back();
  CHECK_THROWS_WITH(c99().write(bad.package, bad.answers, {}, folder), Catch::Contains("a clip of 999 samples"));
  bad = test;
  bad.answers.clips.clear();
  CHECK_THROWS_WITH(c99().write(bad.package, bad.answers, {}, folder), Catch::Contains("0 clips of sound"));
  bad = test;
  bad.package.sound->tables.frames = 6;
  CHECK_THROWS_WITH(c99().write(bad.package, bad.answers, {}, folder), Catch::Contains("60 features"));
}

TEST_CASE("helpers in floating point, of classes and of pictures do what training does", "[exporters][slow]") {
  const core::TemporaryFolder temporary;
  C99Case test = testing::c99_case(arch::lower(exemplar("network_tiny"), nullptr), 3, 2);
  const runtime::Int8Program program =
      runtime::build_program(test.package.spec, test.package.weights, *test.package.quant);
  for (int64_t i = 0; i < program.output_values(); ++i) test.package.classes.push_back("class \"" + std::to_string(i));
  test.package.classes[1] = "gr\u00fc\xdf?\?/\n";
  test.package.pixels.resize(3);
  for (size_t c = 0; c < 3; ++c)
    for (size_t v = 0; v < 256; ++v) test.package.pixels[c][v] = static_cast<int8_t>((v * (c + 1)) / 4);
  const runtime::Int8Executor executor(program);
  std::string values, quantized;
  const float x[] = {0, 0.01f, -0.01f, 0.02f, 0.03f, 1, -1, 2.55f, -2.57f, 99, -99, 1e30f, -1e30f};
  std::vector<float> input(static_cast<size_t>(program.spec.input.elements()));
  std::vector<int8_t> bytes(input.size());
  std::ranges::copy(x, input.begin());
  executor.quantize_input(input, bytes);  // the first channel: every third byte
  for (size_t i = 0; i < std::size(x); ++i) {
    values += real_text(x[i]) + ",";
    quantized += std::to_string(bytes[3 * i]) + ",";
  }
  for (const bool independent : {false, true}) {
    const fs::path folder = temporary.path() / (independent ? "several" : "one");
    test.package.independent = independent;
    c99().write(test.package, test.answers, {}, folder);
    const std::string source =
        "#include <stdio.h>\n#include <string.h>\n#include \"model_classes.h\"\n#include \"model_float.h\"\n"
        "#include \"model_picture.h\"\nstatic const float x[] = {" +
        values + "};\nstatic const int q[] = {" + quantized +
        "};\nint main(void) {\n  unsigned i, wrong = 0;\n  float p[MODEL_CLASSES], sum = 0;\n"
        "  static uint8_t pixels[MODEL_INPUT_BYTES];\n  int8_t out[MODEL_CLASSES] = {0};\n"
        "  for (i = 0; i < sizeof x / sizeof *x; ++i) wrong += model_quantize(x[i]) != q[i];\n"
        "  for (i = 0; i < MODEL_INPUT_BYTES; ++i) pixels[i] = (uint8_t)(i * 7);\n  model_picture_input(pixels);\n"
        "  for (i = 0; i < MODEL_INPUT_BYTES; ++i) wrong += model_input()[i] != (int8_t)(pixels[i] * (i % 3 + 1) / "
        "4);\n"
        "  wrong += strcmp(model_class_names[1], \"gr\\303\\274\\337\\077\\077/\\n\") != 0;\n"
        "  out[2] = 9;\n  wrong += model_class(out) != 2;\n  model_probabilities(out, p);\n"
        "  for (i = 0; i < MODEL_CLASSES; ++i) sum += p[i];\n  wrong += !(p[2] > p[0] && p[1] == p[0]);\n"
        "  printf(\"%u %.5f %.5f %.5f\\n\", wrong, (double)p[2], (double)sum, (double)model_value(9));\n  return "
        "0;\n}\n";
    core::write_atomic(folder / "try.c", source);
    core::write_atomic(folder / "try.cpp", source);
    const double scale = program.output_quant().scale, v0 = -program.output_quant().zero_point * scale,
                 v2 = v0 + 9 * scale;
    const double others = static_cast<double>(program.output_values() - 1);
    const double sure = independent ? 1 / (1 + std::exp(-v2)) : 1 / (1 + others * std::exp(v0 - v2));
    const double sum = independent ? sure + others / (1 + std::exp(-v0)) : 1.0;
    for (const char* compiler : {"gcc", "g++"}) {
      const core::ProcessResult made = core::run_process(
          {compiler, compiler == std::string("gcc") ? "-std=c99" : "-std=c++11", "-Wall", "-Wextra", "-Werror",
           "-pedantic", "-Wconversion", "-Wshadow", "-Wno-sign-compare", "-I" + folder.string(),
           (folder / (compiler == std::string("gcc") ? "try.c" : "try.cpp")).string(), "-c", "-o",
           (folder / "try.o").string()});
      INFO(made.out);
      REQUIRE(made.ok());
      REQUIRE(core::run_process({"make", "-C", folder.string(), "libmodel.a"}).ok());
      REQUIRE(core::run_process({compiler, (folder / "try.o").string(), (folder / "libmodel.a").string(), "-lm", "-o",
                                 (folder / "try").string()})
                  .ok());
      std::istringstream words(core::run_process({(folder / "try").string()}).out);
      double wrong = -1, p2 = 0, all = 0, value = 0;
      words >> wrong >> p2 >> all >> value;
      CHECK(wrong == 0);
      CHECK(p2 == Approx(sure).margin(2e-5));
      CHECK(all == Approx(sum).margin(1e-4));
      CHECK(value == Approx(v2).margin(1e-4));
    }
  }
}

TEST_CASE("the manifest states sizes, scales and hashes", "[exporters]") {
  const core::TemporaryFolder temporary;
  C99Case test = tiny();
  test.package.classes = {"zero", "one"};
  c99().write(test.package, test.answers, {}, temporary.path());
  const auto manifest = nlohmann::json::parse(core::read_file(temporary.path() / "manifest.json"));
  const runtime::Int8Program program =
      runtime::build_program(test.package.spec, test.package.weights, *test.package.quant);
  CHECK(manifest["condenser_export"] == 1);
  CHECK(manifest["arena_bytes"] == program.plan.peak_bytes);
  CHECK(manifest["constant_bytes"]["total"] == program.analysis.constant_bytes);
  CHECK(manifest["macs"] == program.analysis.macs);
  CHECK(manifest["spec_hash"] == test.package.spec_hash);
  CHECK(manifest["lowered_hash"] == arch::hash(test.package.spec).hex());
  CHECK(manifest["input"]["shape"] == nlohmann::json({12, 12, 3}));
  CHECK(manifest["input"]["scale"] == program.input_quant().scale);
  CHECK(manifest["output"]["zero_point"] == program.output_quant().zero_point);
  CHECK(manifest["classes"] == nlohmann::json({"zero", "one"}));
  CHECK(manifest["known_answers"] == 8);
  CHECK(manifest["nodes"].size() == program.spec.nodes.size());
  CHECK(manifest["nodes"][2]["arena_offset"] == program.plan.offset[2]);
  size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(temporary.path())) files += entry.is_regular_file();
  CHECK(manifest["files"].size() + 1 == files);
  for (const auto& [name, hash] : manifest["files"].items()) CHECK(hash == core::sha256_file(temporary.path() / name));
}

TEST_CASE("objects hold the planned arena, the counted constants and no library call", "[exporters][slow]") {
  const core::TemporaryFolder temporary;
  const fs::path folder = temporary.path() / "out";
  const C99Case test = tiny();
  c99().write(test.package, test.answers, {}, folder);
  const runtime::Int8Program program =
      runtime::build_program(test.package.spec, test.package.weights, *test.package.quant);
  int64_t constants = 0, arenas = 0;
  for (const std::string& name : names_in(folder)) {
    if (!name.ends_with(".c") || name == "model_test.c") continue;
    const fs::path object = temporary.path() / (name + ".o");
    const core::ProcessResult compiled =
        core::run_process({"gcc", "-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-pedantic", "-Wconversion",
                           "-Wsign-conversion", "-c", (folder / name).string(), "-o", object.string()});
    INFO(compiled.out);
    REQUIRE(compiled.ok());
    for (const Symbol& s : symbols(object)) {
      INFO(name << ": " << s.type << " " << s.name);
      if (s.type == "R") constants += s.bytes;
      if (s.type == "b") {
        CHECK(s.name == "model_arena");
        CHECK(s.bytes == (program.plan.peak_bytes + 3) / 4 * 4);
        ++arenas;
        continue;
      }
      const bool own = s.name.starts_with("cnd_") || s.name.starts_with("model_");
      // A compiler may turn a plain loop into these two; every C environment has them.
      const bool freestanding = s.type == "U" && (s.name == "memset" || s.name == "memcpy");
      const bool literal = s.type == "r" && s.name.starts_with(".LC");  // parameters that the compiler pooled
      CHECK((own || freestanding || literal || s.name == "_GLOBAL_OFFSET_TABLE_"));
      CHECK(std::string("TtRrU").find(s.type) != std::string::npos);  // nothing else that can be written
    }
  }
  CHECK(arenas == 1);
  CHECK(constants == program.analysis.constant_bytes);
}

TEST_CASE("the Makefile builds and runs the self-test, whatever people call their classes", "[exporters][slow]") {
  const core::TemporaryFolder temporary;
  C99Case test = testing::c99_case(arch::lower(exemplar("conv_groups"), nullptr), 3, 2);
  test.package.spec.name = "a */ b \\ ?\?/ /* c";  // must not break out of comments
  test.package.classes = {"x\n*/ int broken(", "\\",   "\u202e abc",  "\u200f\u061c\u2066",
                          "\xff\xc3",          "?\?/", "\u2028\u0085"};
  c99().write(test.package, test.answers, {"net_a"}, temporary.path() / "a");
  const core::ProcessResult made =
      core::run_process({"make", "-C", (temporary.path() / "a").string(), "test", "CFLAGS=-O1 -Werror -Wall -Wextra"});
  INFO(made.out);
  CHECK(made.ok());
  CHECK_THAT(made.out, Catch::Contains("PASS: 2 samples"));
}

// CONDENSER_APPROVE=1 writes the files instead; the version of the kernels stands as KERNELS.
TEST_CASE("emitted C of a toy network is as in tests/golden", "[exporters]") {
  const core::TemporaryFolder temporary;
  C99Case test = testing::c99_case(arch::lower(exemplar("conv_groups"), nullptr), 3, 1);
  test.package.classes = {"plain", "\u202e turned", "*/ \\"};
  c99().write(test.package, test.answers, {"toy"}, temporary.path() / "out");
  const std::string& set = kernel_version();
  for (const char* name :
       {"toy.h", "toy.c", "toy_weights.c", "toy_test.c", "Makefile", "CMakeLists.txt", "README.md"}) {
    std::string text = core::read_file(temporary.path() / "out" / name);
    for (size_t at = text.find(set); at != std::string::npos; at = text.find(set, at)) text.replace(at, 8, "KERNELS");
    const fs::path golden = fs::path(CONDENSER_SOURCE_DIR) / "tests/golden/c99" / (std::string(name) + ".txt");
    if (const char* flag = std::getenv("CONDENSER_APPROVE"); flag != nullptr && std::string(flag) == "1") {
      fs::create_directories(golden.parent_path());
      core::write_atomic(golden, text);
    }
    INFO(name);
    CHECK(text == core::read_file(golden));
  }
}

TEST_CASE("an export is replaced as a whole; other folders and old exports are safe", "[exporters]") {
  const core::TemporaryFolder temporary;
  const fs::path folder = temporary.path() / "deep/out/";
  const C99Case test = testing::c99_case(arch::lower(exemplar("conv_groups"), nullptr), 3, 2);
  c99().write(test.package, test.answers, {"first"}, folder);
  c99().write(test.package, test.answers, {"second"}, folder);
  CHECK(fs::exists(folder / "second.c"));
  CHECK_FALSE(fs::exists(folder / "first.c"));
  C99Case bad = test;
  bad.answers.outputs.pop_back();
  CHECK_THROWS_AS(c99().write(bad.package, bad.answers, {"third"}, folder), core::Error);
  CHECK(fs::exists(folder / "second.c"));
  CHECK(names_in(temporary.path() / "deep") == std::set<std::string>{"out"});

  const fs::path home = temporary.path() / "home";
  fs::create_directory(home);
  core::write_atomic(home / "thesis.txt", "three years");
  CHECK_THROWS_WITH(c99().write(test.package, test.answers, {}, home), Catch::Contains("other files"));
  CHECK_THROWS_WITH(c99().write(test.package, test.answers, {}, home / "thesis.txt"), Catch::Contains("file"));
  CHECK(core::read_file(home / "thesis.txt") == "three years");
}

TEST_CASE("packages that cannot be exported are refused", "[exporters]") {
  const core::TemporaryFolder temporary;
  const fs::path folder = temporary.path() / "out";
  const C99Case good = testing::c99_case(arch::lower(exemplar("conv_groups"), nullptr), 3, 2);
  const auto refuse = [&](const char* what, auto change) {
    C99Case bad = good;
    ExportOptions options;
    change(bad, options);
    INFO(what);
    CHECK_THROWS_WITH(c99().write(bad.package, bad.answers, options, folder), Catch::Contains(what));
    CHECK_FALSE(fs::exists(folder));
  };
  refuse("quantize first", [](C99Case& c, ExportOptions&) { c.package.quant.reset(); });
  refuse("node op", [](C99Case& c, ExportOptions&) { c.package.spec = exemplar("softmax"); });
  refuse("without known answers", [](C99Case& c, ExportOptions&) { c.answers = {}; });
  refuse("known answer 1", [](C99Case& c, ExportOptions&) { c.answers.inputs[1].pop_back(); });
  refuse("known answer 0", [](C99Case& c, ExportOptions&) { c.answers.outputs[0].push_back(1); });
  for (const char* prefix : {"", "Model", "1a", "a-b", "a b", "../x", "cnd", "cnd_x", "string", "stdint", "aux"})
    refuse("prefix", [&](C99Case&, ExportOptions& o) { o.prefix = prefix; });
}

}  // namespace condenser::exporters
