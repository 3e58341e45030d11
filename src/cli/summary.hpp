#pragma once
// What a run came to: the winner's files, and the last lines that a person reads.

#include "cli/records/records.hpp"
#include "cli/stages/stages.hpp"
#include "condenser/report/material.hpp"

namespace condenser::cli {

// winner.arch.json and winner.json; hash and settings are filled in.
void write_winner(RunContext&, const arch::Spec&, WinnerRecord);

// Exit code of a run that is finished, though a limit does not hold: a comparator's accuracy was missed. No error is
// thrown for it: every file is there.
inline constexpr int kLimitMissed = 6;

// Winner, accuracy, size, warnings, files, and the command to try next.
std::string closing_lines(const RunContext&, const report::Material&);

}  // namespace condenser::cli
