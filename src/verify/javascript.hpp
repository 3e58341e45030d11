#pragma once
// Scripts and pages, run by what is installed: Chromium, or Node.js for what needs no document.

#include <filesystem>
#include <optional>
#include <string>

#include "condenser/core/process.hpp"

namespace condenser::verify {

struct JavaScript {
  std::string program;
  std::string version;   // "Chromium 156.0.8078.108"
  bool browser = false;  // opens pages
};
std::optional<JavaScript> find_browser();
std::optional<JavaScript> find_javascript();  // a browser, else Node.js

// The document as it stands when everything has come to rest in `out`, what it complained of in `err`.
core::ProcessResult open_page(const JavaScript& browser, const std::filesystem::path& page);

// Runs a script that defines a function `main`, which gives a promise of plain ASCII text without markup. `text`:
// absent where it gave none, and `result` says why.
struct ScriptAnswer {
  std::optional<std::string> text;
  core::ProcessResult result;
};
ScriptAnswer run_javascript(const JavaScript&, const std::string& script);

}  // namespace condenser::verify
