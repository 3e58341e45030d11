#include "verify/javascript.hpp"

#include <algorithm>

#include "condenser/core/files.hpp"
#include "condenser/core/temporary_folder.hpp"

namespace condenser::verify {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBrowsers[] = {"chromium", "chromium-headless-shell", "chromium-browser", "google-chrome"};
constexpr char kBegin[] = "answer:", kEnd[] = ":end";
constexpr std::chrono::minutes kAsk{1}, kRun{10};

std::optional<JavaScript> at(const std::string& program, bool browser) {
  const auto result = core::run_process({program, "--version"}, {.time_limit = kAsk});
  if (!result.ok()) return std::nullopt;
  const std::string line = result.out.substr(0, result.out.find('\n'));
  return JavaScript{program, browser ? line.substr(0, line.find_last_not_of(' ') + 1) : "Node.js " + line, browser};
}

}  // namespace

std::optional<JavaScript> find_browser() {
  for (const char* program : kBrowsers)
    if (auto found = at(program, true)) return found;
  return std::nullopt;
}

std::optional<JavaScript> find_javascript() {
  auto browser = find_browser();
  return browser ? browser : at("node", false);
}

// The browser opens nothing but pages of our own; containers and root have no sandbox. Time stands still while nothing
// happens, so that the budget is no wait.
core::ProcessResult open_page(const JavaScript& browser, const fs::path& page) {
  const core::TemporaryFolder profile;
  return core::run_process(
      {browser.program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
       "--allow-file-access-from-files", "--enable-logging=stderr", "--user-data-dir=" + profile.path().string(),
       "--virtual-time-budget=600000", "--dump-dom", "file://" + fs::absolute(page).string()},
      {.err = core::Stream::Captured, .time_limit = kRun});
}

ScriptAnswer run_javascript(const JavaScript& engine, const std::string& script) {
  const core::TemporaryFolder temporary;
  // In two parts: a script that could not even be read is no answer, though its text stays in the document.
  const std::string marked = script + "\nmain().catch(String).then(text => 'answer' + ':' + text + ':' + 'end')";
  ScriptAnswer answer;
  if (engine.browser) {
    const fs::path page = temporary.path() / "run.html";
    core::write_atomic(page, "<!DOCTYPE html><meta charset=\"utf-8\"><pre id=\"said\"></pre><script>" + marked +
                                 ".then(text => { document.scripts[0].remove(); "  // a copy of all samples
                                 "document.getElementById('said').textContent = text; });</script>\n");
    answer.result = open_page(engine, page);
  } else {
    const fs::path file = temporary.path() / "run.js";
    core::write_atomic(file, marked + ".then(text => console.log(text));\n");
    answer.result = core::run_process({engine.program, file.string()}, {.time_limit = kRun});
  }
  const std::string& out = answer.result.out;
  const size_t begin = out.find(kBegin), end = out.find(kEnd, std::min(begin, out.size()));
  if (answer.result.ok() && end != std::string::npos)
    answer.text = out.substr(begin + sizeof kBegin - 1, end - begin - sizeof kBegin + 1);
  return answer;
}

}  // namespace condenser::verify
