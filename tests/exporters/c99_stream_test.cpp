// Exports on a stream: what they hold, what is refused, and that every compiler gives the integers of the executor.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "condenser/arch/blocks.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/process.hpp"
#include "condenser/exporters/stream.hpp"
#include "condenser/verify/machine.hpp"
#include "support/absent.hpp"
#include "support/c99_package.hpp"
#include "support/catch.hpp"
#include "support/exemplars.hpp"

namespace condenser::exporters {
namespace {

namespace fs = std::filesystem;
using testing::C99Case;
using testing::C99Export;

const data::FeatureOptions kFullScale{.level = "full_scale"};

std::string text_of(const C99Export& e, const char* file) { return core::read_file(e.folder / file); }

void replace(const C99Export& e, const char* file, const std::string& from, const std::string& to) {
  std::string text = text_of(e, file);
  const size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  core::write_atomic(e.folder / file, text.replace(at, from.size(), to));
}

const verify::Check& gcc(const std::vector<verify::Check>& checks) {
  return *std::ranges::find(checks, "gcc -O2", &verify::Check::name);
}

// Depthwise blocks along time, with a shortcut and two strides: every kind of buffer.
arch::Spec temporal_network() {
  arch::Builder b("temporal", {1, 20, 6});
  int x = b.add("stem", arch::Conv2d{.out = 8, .kernel = {5, 6}, .stride = {2, 1}, .pad = {2, 2, 0, 0}}, {b.input()});
  x = b.add("stem_act", arch::Activation{arch::ActivationKind::Relu}, {x});
  const int dw = b.add("dw", arch::Conv2d{.out = 8, .kernel = {5, 1}, .pad = {2, 2, 0, 0}, .groups = 8}, {x});
  x = b.add("add", arch::Add{}, {x, b.add("pw", arch::Conv2d{.out = 8, .kernel = {1, 1}}, {dw})});
  x = b.add("down", arch::Conv2d{.out = 12, .kernel = {3, 1}, .stride = {2, 1}, .pad = {1, 1, 0, 0}}, {x});
  x = b.add("swish", arch::Activation{arch::ActivationKind::Silu}, {x});
  b.add("fc", arch::Linear{3}, {b.add("pool", arch::GlobalAvgPool{}, {x})});
  return arch::lower(b.finish(), nullptr);
}

}  // namespace

TEST_CASE("an export on a stream says what is pushed and when answers come", "[exporters]") {
  const C99Export e(testing::sound_case(3, 12, kFullScale), {.stream = "frames"});
  const auto stream = nlohmann::json::parse(text_of(e, "manifest.json")).at("stream");
  CHECK(stream.at("form") == "frames");
  CHECK(stream.at("of") == "samples");
  CHECK(stream.at("piece") == 160);
  // Windows of 240 samples take two pieces. Of windows of 3 frames each second one counts, of which a mean takes 3.
  CHECK(stream.at("first") == 1 + 4 + 4);
  CHECK(stream.at("period") == 2);
  CHECK_THAT(text_of(e, "model_stream.h"), Catch::Contains("#define MODEL_STREAM_RATE 8000") &&
                                               Catch::Contains("int model_push(const int16_t *samples);"));
  CHECK_THAT(text_of(e, "README.md"), Catch::Contains("model_push(samples)"));
  CHECK_THAT(text_of(e, "Makefile"), Catch::Contains("model_stream.o") && Catch::Contains("model_front_end.o"));

  const C99Export rows(testing::c99_case(temporal_network(), 3, 8), {.stream = "window", .stream_hop = 7});
  const auto window = nlohmann::json::parse(text_of(rows, "manifest.json")).at("stream");
  CHECK(window.at("of") == "input bytes");
  CHECK(window.at("piece") == 6);
  CHECK(window.at("first") == 20);
  CHECK(window.at("period") == 7);
  CHECK(text_of(rows, "model_stream.h").find("int16_t") == std::string::npos);
}

TEST_CASE("an export on a stream brings a detector of keywords, which strict C takes", "[exporters]") {
  const C99Export e(testing::sound_case(3, 12, kFullScale), {.stream = "frames"});
  CHECK(text_of(e, "stream_detector.h") == core::read_file(CONDENSER_SOURCE_DIR "/src/data/stream_detector.h"));
  const std::string readme = text_of(e, "README.md");
  // An answer each 40 ms: 0.3 s are 8 of them, a second 25.
  CHECK_THAT(readme,
             Catch::Contains("static float history[8 * MODEL_OUTPUT_BYTES]") && Catch::Contains(", 8, 25, 0.7f"));
  core::write_atomic(e.folder / "use.c", "#include \"stream_detector.h\"\nint main(void) { return 0; }\n");
  const core::ProcessResult result =
      core::run_process({"gcc", "-std=c99", "-Wall", "-Wextra", "-pedantic", "-Wconversion", "-Wshadow", "-Werror",
                         "-Wno-unused-function", "-fsyntax-only", "use.c"},
                        {.folder = e.folder});
  INFO(result.out);
  CHECK(result.ok());
  const C99Export rows(testing::c99_case(temporal_network(), 3, 8), {.stream = "frames"});
  CHECK_FALSE(fs::exists(rows.folder / "stream_detector.h"));  // without classes
}

TEST_CASE("a stream leaves an export without one as it is, and takes no second copy of constants", "[exporters]") {
  const C99Export plain(testing::sound_case(3, 12, kFullScale));
  const C99Export streamed(testing::sound_case(3, 12, kFullScale), {.stream = "frames"});
  CHECK_FALSE(fs::exists(plain.folder / "model_front_end.c"));
  CHECK(text_of(plain, "model.c") == text_of(streamed, "model.c"));
  CHECK(text_of(plain, "model_weights.c") == text_of(streamed, "model_weights.c"));
  CHECK(text_of(streamed, "model_sound.c").find("model_hann[") == std::string::npos);
  CHECK(text_of(streamed, "model_stream.c").find("model_hann[") == std::string::npos);
}

TEST_CASE("streams give the integers of the executor with every compiler", "[exporters][slow]") {
  for (const char* weights : {"const", "binary"})
    for (const ExportOptions& options : {ExportOptions{.weights = weights, .stream = "frames"},
                                         ExportOptions{.weights = weights, .stream = "window", .stream_hop = 3}}) {
      for (const bool sound : {true, false}) {
        const C99Export e(sound ? testing::sound_case(3, 12, kFullScale) : testing::c99_case(temporal_network(), 3, 12),
                          options);
        INFO(options.stream << ", " << weights << (sound ? ", of sound" : ""));
        const std::vector<verify::Check> checks = verify::verify_c99(e.folder, e.test.answers);
        INFO(gcc(checks).detail);
        CHECK(verify::passed(checks));
        CHECK_THAT(gcc(checks).detail,
                   Catch::Contains("as a stream of " + std::to_string(e.test.answers.stream.size()) + " answers"));
      }
    }
}

TEST_CASE("damage of a stream is found: a layer too late, a frame forgotten, features of another level",
          "[exporters][slow]") {
  const struct {
    bool sound;
    const char *from, *to;
  } damages[] = {{false, "(now - 4u) % 2u", "(now - 5u) % 2u"},
                 {false, "model_forget(arena + 0", "model_forget(arena + 6"},
                 {true, "1.0f / 32768.0f", "1.0f / 16384.0f"}};
  for (const auto& damage : damages) {
    const C99Export e(
        damage.sound ? testing::sound_case(3, 12, kFullScale) : testing::c99_case(temporal_network(), 3, 12),
        {.stream = "frames"});
    INFO(damage.from << "\n" << text_of(e, "model_stream.c"));
    replace(e, "model_stream.c", damage.from, damage.to);
    const std::vector<verify::Check> checks = verify::verify_c99(e.folder, e.test.answers);
    CHECK_FALSE(gcc(checks).passed);
    CHECK_THAT(gcc(checks).detail, Catch::Contains("stream"));
  }
}

TEST_CASE("a stream runs on a Cortex-M4 with the integers of the executor, and its pushes are counted",
          "[exporters][slow]") {
  const C99Export e(testing::sound_case(3, 12, kFullScale), {.stream = "frames"});
  const verify::MachineResult r = verify::run_on(verify::find_machine("cortex-m4"), e.folder, e.test.answers, 12);
  if (!r.check.ran) return tests::skip_without("machine: cortex-m4", r.check.detail);
  INFO(r.check.detail);
  CHECK(r.check.passed);
  CHECK_THAT(r.check.detail, Catch::Contains("as a stream of") && Catch::Contains("instructions in the mean"));
  REQUIRE(r.stream);
  CHECK(r.stream->mean_instructions > 1000);
  CHECK(r.stream->most_instructions > r.stream->mean_instructions);
  CHECK(r.stream->most_cycles > r.stream->mean_cycles);
  CHECK(r.stream->piece_ms == 20);
  CHECK_THAT(verify::stream_line(r, 64), Catch::Contains("a piece has 20 ms: at 64 MHz"));
}

TEST_CASE("a stream is refused where it cannot be what training was", "[exporters]") {
  const auto refusal = [](C99Case test, const ExportOptions& options) -> std::string {
    try {
      C99Export e(std::move(test), options);
      return "";
    } catch (const core::Error& error) {
      return error.what();
    }
  };
  CHECK_THAT(refusal(testing::sound_case(3, 12), {.stream = "frames"}), Catch::Contains("largest sample"));
  CHECK_THAT(refusal(testing::sound_case(3, 12, {.time = "columns", .level = "full_scale"}), {.stream = "frames"}),
             Catch::Contains("time runs along the columns"));
  CHECK_THAT(refusal(testing::sound_case(3, 1, kFullScale), {.stream = "frames"}),
             Catch::Contains("expected verify.known_answers: 2"));
  const C99Case rows = testing::c99_case(temporal_network(), 3, 8);
  CHECK_THAT(refusal(rows, {.kernels = "cmsis_nn", .stream = "frames"}), Catch::Contains("own kernels"));
  CHECK_THAT(refusal(rows, {.stream = "window", .stream_hop = 0}), Catch::Contains("stream_hop"));
  CHECK_THAT(refusal(rows, {.stream = "columns"}), Catch::Contains("none, frames or window"));
  C99Case gate = testing::c99_case(arch::lower(testing::exemplar("output_two_heads"), nullptr), 3, 8);
  CHECK_THAT(refusal(gate, {.stream = "frames"}), Catch::Contains("a stream takes a network of one"));
  C99Export missing(rows, {});
  CHECK_THROWS_WITH(
      find_target("c99").write(missing.test.package, missing.test.answers, {.stream = "frames"}, missing.folder),
      Catch::Contains("known answers of the stream: 0; expected "));
}

}  // namespace condenser::exporters
