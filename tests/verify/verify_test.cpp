// The proof of an export: it passes good ones and finds every kind of damage. Also the programs it starts.
#include "condenser/verify/verify.hpp"
#include "condenser/core/hash.hpp"
#include "condenser/core/stop.hpp"

#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <regex>

#include "condenser/core/files.hpp"
#include "condenser/core/process.hpp"
#include "condenser/core/temporary_folder.hpp"
#include "support/c99_package.hpp"
#include "support/catch.hpp"
#include "verify/float_trial.hpp"

namespace condenser::verify {
namespace {

namespace fs = std::filesystem;
struct Export : testing::C99Export {
  using C99Export::C99Export;

  void replace(const char* file, const std::string& pattern, const std::string& by) {
    const std::string text = core::read_file(folder / file);
    const std::string changed =
        std::regex_replace(text, std::regex(pattern), by, std::regex_constants::format_first_only);
    REQUIRE(changed != text);
    core::write_atomic(folder / file, changed);
  }
};

const Check& find(const std::vector<Check>& checks, const std::string& name) {
  const auto found = std::ranges::find(checks, name, &Check::name);
  REQUIRE(found != checks.end());
  return *found;
}

}  // namespace

TEST_CASE("a runtime may be right about other samples, not about fewer than chance explains", "[verify]") {
  const core::TemporaryFolder temporary;
  core::write_atomic(temporary.path() / "model", "x");
  exporters::KnownAnswers answers;
  answers.inputs.assign(20, {0});
  answers.outputs.assign(20, {1});
  answers.right = [](size_t, std::span<const int8_t> output) { return output[0] == 1; };
  const auto check_with_wrong = [&](size_t wrong) {
    const std::string bytes = std::string(wrong, 2) + std::string(20 - wrong, 1);
    return integer_check("int8", temporary.path() / "model", {bytes, "Runtime 1.0", ""}, answers);
  };
  CHECK(check_with_wrong(0).detail == "Runtime 1.0");
  const Check two = check_with_wrong(2);
  CHECK(two.passed);
  CHECK_THAT(two.detail, Catch::Contains("right about samples: 0, the executor alone: 2 (McNemar's p 0.5)"));
  CHECK(check_with_wrong(5).passed);        // 2 / 2^5 = 0.0625
  CHECK_FALSE(check_with_wrong(6).passed);  // 2 / 2^6 = 0.031
}

TEST_CASE("every output of an export is compared", "[verify][slow]") {
  Export e("output_two_heads", 6);
  CHECK(passed(verify_c99(e.folder, e.test.answers)));
  e.test.answers.outputs[2].back() = static_cast<int8_t>(e.test.answers.outputs[2].back() ^ 1);  // of the second one
  const Check wrong = find(verify_c99(e.folder, e.test.answers), "gcc -O2");
  CHECK_FALSE(wrong.passed);
  CHECK(wrong.differing_values == 1);
  CHECK_THAT(wrong.detail, Catch::Contains("output 196"));
}

TEST_CASE("an export in strips is proven as any other", "[verify][slow]") {
  int in_strips = 0;
  for (const char* name : {"network_tiny", "conv_groups"}) {
    const Export e(name, 3, {.strips = true});
    INFO(name);
    CHECK(passed(verify_c99(e.folder, e.test.answers)));
    in_strips += core::read_file(e.folder / "model.c").find(", strip 2 of ") != std::string::npos;
  }
  CHECK(in_strips > 0);
}

TEST_CASE("an export in two memories is proven as any other, with several outputs and sounds too", "[verify][slow]") {
  for (const char* name : {"network_tiny", "output_two_heads"}) {
    for (const bool strips : {false, true}) {
      const Export e(name, 3, {.strips = strips, .fast_ram_bytes = 600});
      INFO(name << (strips ? " in strips" : ""));
      CHECK(passed(verify_c99(e.folder, e.test.answers)));
      CHECK(core::read_file(e.folder / "model.h").find("FAST_ARENA_BYTES") != std::string::npos);
    }
  }
  const core::TemporaryFolder temporary;
  const fs::path folder = temporary.path() / "out";
  const testing::C99Case sounds = testing::sound_case(7, 3, {}, 200);
  exporters::find_target("c99").write(sounds.package, sounds.answers, {.fast_ram_bytes = 2000}, folder);
  CHECK(core::read_file(folder / "model.h").find("FAST_ARENA_BYTES") != std::string::npos);
  CHECK(passed(verify_c99(folder, sounds.answers)));
}

TEST_CASE("an export of sounds is proven from the samples on", "[verify][slow]") {
  Export e(testing::sound_case(7, 6));
  std::vector<Check> checks = verify_c99(e.folder, e.test.answers);
  CHECK(passed(checks));
  CHECK(find(checks, "gcc -O2").detail == "every integer equal, from the sounds on");
  exporters::KnownAnswers deaf = e.test.answers;
  deaf.clips.pop_back();
  CHECK_THROWS_WITH(verify_c99(e.folder, deaf), Catch::Contains("5 sounds for 6 samples"));
  e.test.answers.clips[4] = e.test.answers.clips[3];
  CHECK_FALSE(find(verify_c99(e.folder, e.test.answers), "gcc -O2").passed);

  const Export roomy(testing::sound_case(7, 3, {}, 200));
  CHECK(core::read_file(e.folder / "model_sound.c").find("static float scratch[") != std::string::npos);
  CHECK(core::read_file(roomy.folder / "model_sound.c").find("scratch = (float *)") != std::string::npos);
  CHECK(passed(verify_c99(roomy.folder, roomy.test.answers)));

  Export twisted(testing::sound_case(7, 6, {.kind = "log_mel", .bands = 12, .time = "columns", .level = "full_scale"}));
  CHECK(passed(verify_c99(twisted.folder, twisted.test.answers)));
  twisted.replace("model_sound.c", "1.0f / 32768.0f", "1.0f / 16384.0f");
  const Check check = find(verify_c99(twisted.folder, twisted.test.answers), "gcc -O2");
  CHECK_FALSE(check.passed);
  CHECK(check.samples == 6);
}

TEST_CASE("a good export passes with every compiler present", "[verify][slow]") {
  Export e("network_tiny", 40);
  e.test.answers.right = [&](size_t s, std::span<const int8_t> output) {  // but for every fourth sample
    return s % 4 != 0 && std::ranges::equal(output, e.test.answers.outputs[s]);
  };
  const std::vector<Check> checks = verify_c99(e.folder, e.test.answers);
  CHECK(passed(checks));
  CHECK(checks.size() == 4);
  for (const char* name : {"gcc -O2", "gcc sanitizers"}) {
    const Check& check = find(checks, name);
    INFO(check.detail);
    CHECK(check.ran);
    CHECK(check.passed);
    CHECK(check.samples == 40);
    CHECK(check.differing_values == 0);
    CHECK(check.accuracy_percent == 75.0);
  }
  const std::string text = core::to_text(to_table(checks));
  CHECK_THAT(text, Catch::Contains("gcc -O2") && Catch::Contains("pass") && Catch::Contains("75.00"));
}

TEST_CASE("a changed constant is caught, counted and placed", "[verify][slow]") {
  Export e("network_tiny", 10);
  e.replace("model_weights.c", R"((_fc_bias\[10\] = \{\s+)-?\d+)", "$011000000");
  const std::vector<Check> checks = verify_c99(e.folder, e.test.answers);
  CHECK_FALSE(passed(checks));
  CHECK_THAT(find(checks, "files").detail, Catch::Contains("model_weights.c differs"));
  for (const char* name : {"gcc -O2", "gcc sanitizers"}) {
    const Check& check = find(checks, name);
    CHECK(check.ran);
    CHECK_FALSE(check.passed);
    CHECK(check.differing_values >= 5);
    CHECK(check.differing_values <= 10);  // output 0 of each sample
    CHECK_THAT(check.detail, Catch::Matches("sample \\d+, output 0: expected -?\\d+, found 127"));
  }
}

TEST_CASE("a wrong embedded answer, a warning and an overflow are failures", "[verify][slow]") {
  Export answer("conv_groups", 3);
  answer.replace("model_test.c", R"((outputs\[SAMPLES\].*\n\s+\{\s+)-?\d+)", "$1-77");
  std::vector<Check> checks = verify_c99(answer.folder, answer.test.answers);
  CHECK_FALSE(passed(checks));
  CHECK(find(checks, "gcc -O2").differing_values == 0);
  CHECK_THAT(find(checks, "gcc -O2").detail, Catch::Contains("self-test"));

  Export warning("conv_groups", 3);
  warning.replace("model.c", "return 0;", "int unused; return 0;");
  checks = verify_c99(warning.folder, warning.test.answers);
  CHECK_FALSE(passed(checks));
  CHECK_THAT(find(checks, "gcc -O2").detail, Catch::Contains("unused"));

  Export overflow("conv_groups", 3);
  overflow.replace("model.c", R"(/ 4\];)", "/ 4 - 20];");
  checks = verify_c99(overflow.folder, overflow.test.answers);
  CHECK_FALSE(passed(checks));
  CHECK_FALSE(find(checks, "gcc sanitizers").passed);
}

TEST_CASE("answers and manifests that do not fit are refused", "[verify]") {
  Export e("conv_groups", 2);
  const exporters::KnownAnswers good = e.test.answers;
  exporters::KnownAnswers bad = good;
  bad.inputs[1].push_back(0);
  CHECK_THROWS_WITH(verify_c99(e.folder, bad), Catch::Contains("sample 1"));
  bad = good;
  bad.outputs.pop_back();
  CHECK_THROWS_WITH(verify_c99(e.folder, bad), Catch::Contains("1 outputs"));
  CHECK_THROWS_WITH(verify_c99(e.folder, {}), Catch::Contains("at least one sample"));
  CHECK_THROWS_WITH(verify_c99(e.temporary.path() / "none", good), Catch::Contains("manifest.json"));
  const std::string manifest = core::read_file(e.folder / "manifest.json");
  for (const auto& [pattern, by] : {std::pair{"\"c99\"", "\"onnx\""}, std::pair{"model_test\\.c", "../evil.c"},
                                    std::pair{"model_test\\.c", "-wrapper"}, std::pair{"\\{", "["},
                                    std::pair{"\"bytes\": \\d+", "\"bytes\": \"x\""}}) {
    core::write_atomic(e.folder / "manifest.json", manifest);
    e.replace("manifest.json", pattern, by);
    INFO(pattern);
    CHECK_THROWS_WITH(verify_c99(e.folder, good), Catch::Contains("manifest.json"));
  }
}

TEST_CASE("files that are not what the package says are never compiled or run", "[verify]") {
  Export e("conv_groups", 3);
  const fs::path proof = e.temporary.path() / "executed";
  const auto verified = [&] {
    return verify_export(exporters::find_target("c99"), e.test.package, e.test.answers, {}, e.folder, e.test.answers);
  };
  const auto refused = [&](const std::string& names) {
    const std::vector<Check> checks = verified();
    REQUIRE(checks.size() == 1);
    CHECK(failed(checks));
    CHECK_THAT(checks[0].detail, Catch::Contains(names));
    CHECK_FALSE(fs::exists(proof));
  };
  const std::string evil = "#include <stdio.h>\n__attribute__((constructor)) static void f(void) { fclose(fopen(\"" +
                           proof.string() + "\", \"w\")); }\n";
  const std::string model = core::read_file(e.folder / "model.c");
  core::write_atomic(e.folder / "model.c", model + evil);
  refused("model.c differs");
  core::write_atomic(e.folder / "model.c", model);
  core::write_atomic(e.folder / "cnd_more.c", evil);
  refused("cnd_more.c is no file of the export");
  fs::remove(e.folder / "cnd_more.c");
  core::write_atomic(e.folder / "examples" / "cnd_more.h", evil);
  refused("examples/cnd_more.h is no file of the export");
  fs::remove(e.folder / "examples" / "cnd_more.h");
  fs::remove(e.folder / "model.c");
  refused("model.c is missing");
  core::write_atomic(e.temporary.path() / "elsewhere.c", model);
  fs::create_symlink(e.temporary.path() / "elsewhere.c", e.folder / "model.c");
  refused("model.c is no plain file");
  fs::remove(e.folder / "model.c");
  core::write_atomic(e.folder / "model.c", model);
  // A manifest that agrees with changed files does not help.
  const std::string manifest = core::read_file(e.folder / "manifest.json");
  core::write_atomic(e.folder / "model.c", model + evil);
  std::string forged = manifest;
  const std::string before = core::sha256_hex(model);
  REQUIRE(forged.find(before) != std::string::npos);
  forged.replace(forged.find(before), before.size(), core::sha256_hex(model + evil));
  core::write_atomic(e.folder / "manifest.json", forged);
  refused("differs");
  core::write_atomic(e.folder / "manifest.json", manifest);
  core::write_atomic(e.folder / "model.c", model);
  // What a build left there is nobody's business.
  const core::ProcessResult made = core::run_process({"make"}, {.folder = e.folder});
  INFO(made.out);
  REQUIRE(made.ok());
  REQUIRE(fs::exists(e.folder / "model.o"));
  REQUIRE(fs::exists(e.folder / "model_test"));
  const std::vector<Check> good = verified();
  CHECK(passed(good));
  CHECK(good.size() == 5);
}

TEST_CASE("a machine on which nothing runs proves nothing, and is no mismatch", "[verify]") {
  Export e("conv_groups", 3);
  const char* path = std::getenv("PATH");
  const std::string before = path ? path : "";
  const fs::path tools = e.temporary.path() / "tools";
  fs::create_directory(tools);
  core::write_atomic(tools / "gcc",
                     "#!/bin/sh\necho 'gcc: fatal error: Killed signal terminated program cc1'; exit 1\n");
  fs::permissions(tools / "gcc", fs::perms::owner_all);
  ::setenv("PATH", tools.c_str(), 1);
  const std::vector<Check> checks = verify_c99(e.folder, e.test.answers);
  ::setenv("PATH", before.c_str(), 1);
  CHECK_FALSE(failed(checks));
  CHECK_FALSE(passed(checks));
  CHECK_THAT(find(checks, "gcc -O2").detail, Catch::Contains("Killed signal"));
  CHECK_FALSE(find(checks, "clang -O2").ran);
}

TEST_CASE("proof needs one check that ran samples, and no failure among those that ran", "[verify]") {
  const Check ran{"a", true, true, 3, 0, 0, ""};
  const Check skipped{"b", false, false, 0, 0, 0, "not installed"};
  const Check files{"files", true, true, 0, 0, 0, ""};
  const Check wrong{"c", true, false, 3, 1, 0, ""};
  CHECK(passed({ran}));
  CHECK(passed({files, ran, skipped}));
  CHECK_FALSE(passed({}));
  CHECK_FALSE(passed({skipped}));
  CHECK_FALSE(passed({files, skipped}));
  CHECK_FALSE(passed({ran, wrong}));
  CHECK(failed({ran, wrong}));
  CHECK_FALSE(failed({ran, skipped}));
  CHECK_THAT(core::to_text(to_table({skipped})), Catch::Contains("skipped") && Catch::Contains("not installed"));
}

}  // namespace condenser::verify
