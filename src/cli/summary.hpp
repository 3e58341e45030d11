#pragma once
// What a run came to: the winner's files, summary.json, and the last lines that a person reads.

#include "cli/records/records.hpp"
#include "cli/stages.hpp"

namespace condenser::cli {

// winner.arch.json and winner.json; hash and settings are filled in.
void write_winner(RunContext&, const arch::Spec&, WinnerRecord);

// Reads what the stages left; absent stages, and what they made with other options, leave nothing. Throws when there is
// no winner yet.
SummaryRecord summary_of(RunContext&);

// Winner, accuracy, size, files, and the command to try next.
std::string closing_lines(const RunContext&, const SummaryRecord&, const std::string& subject);

}  // namespace condenser::cli
