#pragma once
// What a run came to: summary.json, and the last lines that a person reads.

#include "cli/stages.hpp"

namespace condenser::cli {

// Reads what the stages left; absent stages leave null. Throws when there is no winner yet.
std::string summary_json(const RunContext&);  // schema-versioned, stable keys

// Winner, accuracy, size, files, and the command to try next.
std::string closing_lines(const RunContext&, const std::string& summary_json, const std::string& subject);

}  // namespace condenser::cli
