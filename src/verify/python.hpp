#pragma once
// Runtimes that come as Python packages: a small script of ours feeds them.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "condenser/core/process.hpp"

namespace condenser::verify {

// A Python interpreter that imports `module`. The first of: $CONDENSER_PYTHON, the active virtual environment, the
// folder .venv of the working directory or of a folder above it or above this program, python3. None: not installed.
std::optional<std::string> python_with(const std::string& module);

// Runs the text of a script; `arguments` are its sys.argv[1:].
core::ProcessResult run_script(const std::string& python, std::string_view script,
                               const std::vector<std::string>& arguments);

}  // namespace condenser::verify
