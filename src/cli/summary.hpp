#pragma once
// What a run came to: the winner's files, summary.json, and the last lines that a person reads.

#include "cli/stages.hpp"

namespace condenser::cli {

// winner.arch.json and winner.json; `trial` is null for a network of the user's own.
void write_winner(const RunContext&, const arch::Spec&, const search::Trial* trial,
                  const std::vector<search::Verdict>&);

// Reads what the stages left; absent stages leave null. Throws when there is no winner yet.
std::string summary_json(const RunContext&);  // schema-versioned, stable keys

// Winner, accuracy, size, files, and the command to try next.
std::string closing_lines(const RunContext&, const std::string& summary_json, const std::string& subject);

}  // namespace condenser::cli
