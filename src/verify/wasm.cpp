#include "verify/wasm.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "condenser/core/files.hpp"
#include "condenser/core/html.hpp"
#include "condenser/core/text.hpp"
#include "exporters/wasm.hpp"
#include "verify/javascript.hpp"
#include "verify/trial.hpp"

namespace condenser::verify {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostBytes = 32 << 20;  // of samples in one page

// Answers to all inputs, then to all clips; in base64.
constexpr char kRun[] = R"js(
const sayOf = bytes => { let text = ''; for (const byte of bytes) text += String.fromCharCode(byte & 255); return btoa(text); };
const main = async () => {
  const network = await makeNetwork(bytesOf(given.module)), found = [];
  const keep = output => { for (const value of output) found.push(value); };
  const each = (all, size, act) => { for (let at = 0; at < all.length; at += size) act(all.subarray(at, at + size)); };
  each(integersOf(given.inputs), given.input_bytes, input => keep(network.run(input)));
  each(samplesOf(given.clips), given.clip_samples || 1, clip => { network.hear(clip); keep(network.answer()); });
  return sayOf(found);
};
)js";

std::string script_of(const std::string& module, const exporters::KnownAnswers& answers) {
  const nlohmann::json given{{"module", core::base64(module)},
                             {"inputs", core::base64(bytes_of(answers.inputs))},
                             {"input_bytes", answers.inputs.front().size()},
                             {"clips", core::base64(bytes_of(answers.clips))},
                             {"clip_samples", answers.clips.empty() ? 0 : answers.clips.front().size()}};
  return "'use strict';\nconst given = " + given.dump() + ";\n" + std::string(exporters::wasm_text("network.js")) +
         kRun;
}

std::string from_base64(std::string_view text) {
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const char* const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char* const at = c == '\0' ? nullptr : std::char_traits<char>::find(digits, 64, c);
    if (at == nullptr) break;
    bits = bits << 6 | static_cast<uint32_t>(at - digits);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xff);
  }
  return bytes;
}

// As many as one page holds.
exporters::KnownAnswers first_of(const exporters::KnownAnswers& answers) {
  const size_t each = answers.inputs.front().size() + (answers.clips.empty() ? 0 : 2 * answers.clips.front().size());
  exporters::KnownAnswers some = answers;
  const size_t count = std::clamp<size_t>(kMostBytes / each, 1, answers.inputs.size());
  some.inputs.resize(count);
  some.outputs.resize(count);
  if (!some.clips.empty()) some.clips.resize(count);
  return some;
}

Check module_check(const JavaScript& engine, const fs::path& file, const std::string& name,
                   const exporters::KnownAnswers& answers) {
  Check check{.name = name, .ran = true, .samples = std::ssize(answers.inputs)};
  const std::string module = core::read_file(file);
  check.bytes = std::ssize(module);
  const ScriptAnswer answer = run_javascript(engine, script_of(module, answers));
  if (!answer.text) {
    check.ran = !machine_trouble(answer.result);
    check.detail = engine.version + ": " + (answer.result.ok() ? "no answer" : describe(answer.result));
    return check;
  }
  const std::string found = from_base64(*answer.text);
  const size_t half = answers.outputs.size() * answers.outputs.front().size();
  const size_t expected = answers.clips.empty() ? half : 2 * half;
  if (found.size() != expected) {
    check.detail = engine.version + ": " + std::to_string(found.size()) + " values; expected " +
                   std::to_string(expected) + " (" + core::printable(answer.text->substr(0, 200)) + ")";
    return check;
  }
  compare(answers, found.substr(0, half), check);
  if (check.passed && expected > half) {
    compare(answers, found.substr(half), check);
    if (check.passed) check.detail += ", from the sounds on";
  }
  check.detail += ", in " + engine.version;
  return check;
}

int64_t attribute(const std::string& document, const std::string& name) {
  const std::string mark = name + "=\"";
  const size_t at = document.find(mark);
  return at == std::string::npos ? -1 : std::atoll(document.c_str() + at + mark.size());
}

// The page counts for itself. What it says is believed only beside the checks of the modules, which it embeds.
Check page_check(const std::optional<JavaScript>& browser, const fs::path& page, int64_t expected) {
  Check check{.name = "page", .accuracy_percent = std::numeric_limits<double>::quiet_NaN()};
  if (!browser) {
    check.detail = "no Chromium is installed that opens it; install the Debian package chromium-headless-shell";
    return check;
  }
  check.ran = true;
  check.bytes = static_cast<int64_t>(fs::file_size(page));
  const core::ProcessResult result = open_page(*browser, page);
  if (!result.ok()) {
    check.ran = !machine_trouble(result);
    check.detail = browser->version + ": " + describe(result);
    return check;
  }
  const int64_t known = attribute(result.out, "data-known"), equal = attribute(result.out, "data-equal");
  const size_t complaint = result.err.find("CONSOLE");
  check.samples = expected;
  check.passed = known == expected && equal == expected && complaint == std::string::npos &&
                 result.out.find("data-state=\"ready\"") != std::string::npos;
  check.detail = equal < 0 ? "the page did not come to its known answers"
                           : std::to_string(equal) + " of " + std::to_string(known) +
                                 " known answers equal, counted by the page, in " + browser->version;
  if (complaint != std::string::npos)
    check.detail += "; it complains: " +
                    core::printable(result.err.substr(complaint, result.err.find('\n', complaint) - complaint));
  return check;
}

}  // namespace

std::vector<Check> verify_wasm(const fs::path& folder, const exporters::Package&,
                               const exporters::KnownAnswers& answers) {
  const std::optional<JavaScript> browser = find_browser(), engine = browser ? browser : find_javascript();
  if (!engine)
    return {{.name = "module",
             .detail =
                 "neither Chromium nor Node.js is installed; install the Debian package nodejs (`scripts/setup.sh "
                 "--dev`), or chromium-headless-shell, which also opens the page"}};
  const auto manifest = nlohmann::json::parse(core::read_file(folder / "manifest.json"));
  const exporters::KnownAnswers some = first_of(answers);
  std::vector<Check> checks;
  for (const exporters::WasmModule& module : exporters::wasm_modules())
    checks.push_back(module_check(*engine, folder / manifest.at("modules").at(module.what).get<std::string>(),
                                  std::string("module, ") + module.what, some));
  checks.push_back(
      page_check(browser, folder / manifest.at("page").get<std::string>(), manifest.at("page_answers").get<int64_t>()));
  return checks;
}

}  // namespace condenser::verify
