// The WebAssembly target: modules and page, run by Chromium or Node.js.
#include "exporters/wasm.hpp"

#include <cstdlib>

#include "condenser/arch/passes.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/html.hpp"
#include "condenser/core/rng.hpp"
#include "data/formats/image.hpp"
#include "data/formats/wav.hpp"
#include "support/absent.hpp"
#include "support/c99_package.hpp"
#include "support/exemplars.hpp"
#include "verify/javascript.hpp"
#include "verify/wasm.hpp"

using namespace condenser;
using namespace condenser::testing;

namespace {

namespace fs = std::filesystem;

const exporters::Target& wasm() { return exporters::find_target("wasm"); }

// Whether everything that compiles and runs a module is here; says what is not.
bool can_run() {
  if (!core::run_process({"wasm-ld", "--version"}).ok()) {
    tests::skip_without("program: wasm-ld", "scripts/setup.sh --dev");
    return false;
  }
  if (verify::find_javascript()) return true;
  tests::skip_without("program: node", "scripts/setup.sh --dev");
  return false;
}

C99Case picture_case(const char* name, size_t samples) {
  C99Case test = c99_case(arch::lower(exemplar(name), nullptr), 7, samples);
  test.package.pixels.resize(static_cast<size_t>(test.package.spec.input.c));
  for (auto& table : test.package.pixels)
    for (int pixel = 0; pixel < 256; ++pixel) table[static_cast<size_t>(pixel)] = static_cast<int8_t>(pixel - 128);
  return test;
}

std::vector<verify::Check> checks_of(const C99Case& test, const fs::path& folder) {
  wasm().write(test.package, test.answers, {}, folder);
  return verify::verify_wasm(folder, test.package, test.answers);
}

// The text that a script's `main` gives, with the scripts of the page before it.
std::string run_js(const std::string& script) {
  std::string text;
  for (const char* part : {"network.js", "prepare.js"}) text += exporters::wasm_text(part);
  const auto answer = verify::run_javascript(*verify::find_javascript(), "'use strict';\n" + text + script);
  INFO(answer.result.out.substr(0, 2000) << answer.result.err.substr(0, 2000));
  REQUIRE(answer.text);
  return *answer.text;
}

std::string list_of(const auto& values) {
  std::string text;
  for (const auto value : values) text += (text.empty() ? "" : ",") + std::to_string(value);
  return text;
}

// Interleaved, as training reads a picture of these pixels [h, w, rgb].
std::vector<uint8_t> prepared(const std::vector<uint8_t>& rgb, int h, int w, int channels, int cell, int to_h,
                              int to_w) {
  data::RowSink sink(channels, h, w, cell);
  for (int y = 0; y < h; ++y) sink.add(rgb.data() + ptrdiff_t{y} * w * 3, 3);
  const data::Picture picture = sink.take();
  std::vector<uint8_t> planes(static_cast<size_t>(channels * to_h * to_w)), mixed(planes.size());
  data::resize_to_planes(data::view_of(picture), to_h, to_w, planes);
  for (size_t c = 0, plane = static_cast<size_t>(to_h * to_w); c < static_cast<size_t>(channels); ++c)
    for (size_t p = 0; p < plane; ++p) mixed[p * static_cast<size_t>(channels) + c] = planes[c * plane + p];
  return mixed;
}

}  // namespace

TEST_CASE("a WebAssembly module computes what the int8 executor does", "[exporters][slow]") {
  if (!can_run()) return;
  std::vector<C99Case> cases;
  for (const char* name : {"network_tiny", "softmax_mul_space_rescaled", "output_two_heads", "prelu"})
    cases.push_back(c99_case(arch::lower(exemplar(name), nullptr), 3, 4));
  cases.push_back(picture_case("network_tiny", 3));
  cases.push_back(sound_case(5, 3));
  for (C99Case& test : cases) {
    INFO(test.package.spec.name);
    const core::TemporaryFolder temporary;
    for (const verify::Check& check : checks_of(test, temporary.path() / "out")) {
      INFO(check.name << ": " << check.detail);
      CHECK(check.passed == check.ran);
      if (check.name == "page") continue;
      CHECK(check.passed);
      if (test.package.sound) CHECK_THAT(check.detail, Catch::Contains("from the sounds on"));
    }
    if (&test != &cases.front()) continue;
    test.answers.outputs[2].back() ^= 1;  // another answer than that of the module
    const verify::Check wrong = verify::verify_wasm(temporary.path() / "out", test.package, test.answers)[0];
    CHECK(!wrong.passed);
    CHECK(wrong.differing_values == 1);
  }
}

TEST_CASE("a WebAssembly export is the same every time, and is found out when it was changed", "[exporters]") {
  if (!can_run()) return;
  const C99Case test = picture_case("conv_3x3", 2);
  const core::TemporaryFolder temporary;
  const fs::path folder = temporary.path() / "out";
  wasm().write(test.package, test.answers, {.prefix = "mine"}, folder);
  for (const char* name : {"mine.wasm", "mine_vectors.wasm", "demo.html", "known_answers.npz", "README.md"})
    CHECK(fs::exists(folder / name));
  const auto verify = [&] {
    return verify::verify_export(wasm(), test.package, test.answers, {.prefix = "mine"}, folder, test.answers);
  };
  const auto before = verify();
  INFO(core::to_text(verify::to_table(before)));
  CHECK(verify::passed(before));
  std::string page = core::read_file(folder / "demo.html");
  core::write_atomic(folder / "demo.html", page.append(" "));
  const auto checks = verify();
  REQUIRE(checks.size() == 1);
  CHECK_THAT(checks[0].detail, Catch::Contains("demo.html differs"));
  CHECK_THROWS_WITH(wasm().write(test.package, test.answers, {.prefix = "../x"}, folder),
                    Catch::Contains("expected a name of a-z, 0-9 and _"));
}

TEST_CASE("without a compiler for WebAssembly the packages are named, and verify goes on", "[exporters]") {
  const C99Case test = picture_case("conv_3x3", 1);
  const core::TemporaryFolder temporary;
  const std::string path = std::getenv("PATH");
  setenv("PATH", temporary.path().c_str(), 1);
  std::string said;
  try {
    wasm().write(test.package, test.answers, {}, temporary.path() / "out");
  } catch (const exporters::MissingCompiler& error) {
    said = error.what();
  }
  const auto checks =
      verify::verify_export(wasm(), test.package, test.answers, {}, temporary.path() / "out", test.answers);
  setenv("PATH", path.c_str(), 1);
  CHECK_THAT(said, Catch::Contains("install clang and lld"));
  REQUIRE(checks.size() == 1);
  CHECK(!checks[0].ran);
  CHECK(!fs::exists(temporary.path() / "out"));
}

TEST_CASE("names of people stay text on the page", "[exporters]") {
  C99Case test = picture_case("linear", 1);
  test.package.spec.name = "</script><b>%DATA%%SCRIPT%";
  test.package.input_note = "\xff\xe2\x80\xa8";
  const std::string page = exporters::wasm_page(test.package, test.answers, {{"plain", ""}, {"vectors", ""}});
  CHECK_THAT(page, !Catch::Contains("</script><b>"));
  CHECK_THAT(page, Catch::Contains("\\u003c/script>\\u003cb>") || Catch::Contains("\\u003c/script>"));
  CHECK(page.find("%DATA%%SCRIPT%") != std::string::npos);  // as it is, not filled in
}

TEST_CASE("the page prepares pictures with the integers of the training", "[exporters]") {
  if (!verify::find_javascript()) return tests::skip_without("program: node", "scripts/setup.sh --dev");
  struct Case {
    int h, w, channels, cell, to_h, to_w;
  };
  const std::vector<Case> cases = {{28, 28, 1, 1, 28, 28},   {97, 61, 1, 1, 28, 28}, {5, 7, 3, 1, 16, 12},
                                   {200, 333, 3, 1, 24, 32}, {131, 67, 1, 2, 8, 8},  {259, 130, 3, 4, 7, 5},
                                   {1, 1, 3, 1, 4, 4}};
  std::string script = "const main = async () => {\n  const found = [];\n", expected;
  core::Rng rng(3, 0x70);
  for (const Case& c : cases) {
    std::vector<uint8_t> rgb;
    std::string rgba;
    for (int p = 0; p < c.h * c.w; ++p) {
      for (int k = 0; k < 3; ++k) rgb.push_back(static_cast<uint8_t>(rng.below(256)));
      rgba.append(rgb.end() - 3, rgb.end());
      rgba += '\xff';
    }
    const auto n = [](int value) { return std::to_string(value); };
    script += "  { const rows = makeRows(" + n(c.channels) + ", " + n(c.h) + ", " + n(c.w) + ", " + n(c.cell) +
              "); rows.add(bytesOf('" + core::base64(rgba) + "')); found.push(resized(rows.take(), " + n(c.to_h) +
              ", " + n(c.to_w) + ").join(',')); }\n";
    expected += (expected.empty() ? "" : ";") + list_of(prepared(rgb, c.h, c.w, c.channels, c.cell, c.to_h, c.to_w));
  }
  CHECK(run_js(script + "  return found.join(';');\n};\n") == expected);
}

TEST_CASE("the page reads WAV files of 16 bits as training does", "[exporters]") {
  if (!verify::find_javascript()) return tests::skip_without("program: node", "scripts/setup.sh --dev");
  for (const int channels : {1, 2}) {
    INFO(channels);
    core::Rng rng(static_cast<uint64_t>(channels), 0x71);
    std::string samples;
    for (int i = 0; i < 400 * channels; ++i) samples += static_cast<char>(rng.below(256));
    const auto little = [](size_t value, int bytes) {
      std::string text;
      for (int k = 0; k < bytes; ++k) text += static_cast<char>(value >> (8 * k) & 255);
      return text;
    };
    const auto n = static_cast<size_t>(channels);
    const std::string wav = "RIFF" + little(36 + 12 + samples.size(), 4) + "WAVEfmt " + little(16, 4) + little(1, 2) +
                            little(n, 2) + little(8000, 4) + little(16000 * n, 4) + little(2 * n, 2) + little(16, 2) +
                            "LIST" + little(3, 4) + std::string("abc\0", 4) + "data" + little(samples.size(), 4) +
                            samples;
    std::string expected;
    for (const float x : data::parse_wav(wav, "test.wav").samples)
      expected += (expected.empty() ? "" : ",") + std::to_string(static_cast<int>(std::round(x)));
    CHECK(run_js("const wav = bytesOf('" + core::base64(wav) +
                 "').buffer;\nconst main = async () => clipOf(samplesOfWav(wav, 8000), 200).join(',') + "
                 "(samplesOfWav(wav, 16000) === null ? '' : 'another rate');\n") == expected);
  }
}

TEST_CASE("a browser shows the page of a network on phone and desk without complaint", "[exporters][slow]") {
  const auto browser = verify::find_browser();
  if (!browser) return tests::skip_without("program: chromium", "chromium-headless-shell");
  if (!can_run()) return;
  C99Case pictures = picture_case("network_tiny", 3);
  pictures.package.spec.name = std::string(90, 'n');
  pictures.package.classes.clear();
  for (int64_t k = 0; k < std::ssize(pictures.answers.outputs[0]); ++k)
    pictures.package.classes.push_back(k == 0 ? "<b>x</b>" : std::string(60, 'w'));
  C99Case values = c99_case(arch::lower(exemplar("network_tiny"), nullptr), 3, 2);
  for (const C99Case& test : {pictures, sound_case(5, 2), values}) {
    const core::TemporaryFolder temporary;
    wasm().write(test.package, test.answers, {}, temporary.path() / "out");
    core::write_atomic(temporary.path() / "out/look.html", R"(<!DOCTYPE html><body><pre id="said"></pre><script>
const widths = [320, 390, 768, 1280];
for (const width of widths) {
  const frame = document.createElement('iframe');
  frame.style.cssText = 'border:0;height:900px;width:' + width + 'px';
  frame.src = 'demo.html';
  frame.onload = () => setTimeout(() => {
    const page = frame.contentDocument, root = page.documentElement;
    const tile = page.querySelector('.known button');
    if (tile) tile.click();
    document.getElementById('said').textContent += width + ': wide=' + (root.scrollWidth > width) + ' state=' +
        root.dataset.state + ' said=' + (page.getElementById('said').textContent !== '') + ' bold=' +
        page.querySelectorAll('b').length + '\n';
  }, 5000);
  document.body.append(frame);
}
</script></body>)");
    const auto seen = verify::open_page(*browser, temporary.path() / "out/look.html");
    INFO(seen.out.substr(0, 1500) << seen.err.substr(0, 1500));
    for (const char* width : {"320", "390", "768", "1280"})
      CHECK_THAT(seen.out, Catch::Contains(std::string(width) + ": wide=false state=ready said=true bold=0"));
    CHECK_THAT(seen.err, !Catch::Contains("CONSOLE"));
  }
}
