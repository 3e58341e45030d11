#pragma once
// A folder that `condenser import` wrote and no run has taken over: exported and proven without data. Known answers
// come from random inputs, and nothing is said of accuracy.

#include <filesystem>
#include <string>
#include <vector>

#include "cli/stages/stages.hpp"

namespace condenser::cli {

// Whether `subject` is such a folder.
bool is_imported(const std::filesystem::path& subject);

// To <folder>/export/<target>. Empty: c99; kAllTargets: all that hold the network. Throws core::Error of a float
// network, which has to be quantized on data first.
StageOutput export_imported(const std::filesystem::path& folder, std::vector<std::string> targets);
// Everything that lies in <folder>/export; throws core::Error with ExitCode::VerifyMismatch.
StageOutput verify_imported(const std::filesystem::path& folder, const std::vector<std::string>& machines);

}  // namespace condenser::cli
