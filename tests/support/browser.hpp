#pragma once
// A real browser looks at a page.

#include <string>

#include "support/process.hpp"

namespace condenser::tests {

inline constexpr char kBrowsers[] = "no chromium, chromium-headless-shell, chromium-browser or google-chrome";

inline std::string browser() {  // "": none is there
  for (const char* name : {"chromium", "chromium-headless-shell", "chromium-browser", "google-chrome"})
    if (run({"sh", "-c", std::string("command -v ") + name}, "/").code == 0) return name;
  return "";
}

// What is there of the page when so many milliseconds have passed for it, in `out`; what it complained of, in `err`.
inline Finished look_at(const TempFolder& folder, const std::string& page, int milliseconds) {
  return run(
      {browser(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
       "--allow-file-access-from-files", "--enable-logging=stderr", "--user-data-dir=" + (folder / "profile").string(),
       "--virtual-time-budget=" + std::to_string(milliseconds), "--dump-dom", "file://" + (folder / page).string()},
      folder.path());
}

}  // namespace condenser::tests
