#pragma once
// What the two sides of an examiner say to each other: one JSON object a line.

#include <string>

#include "condenser/search/probe.hpp"

namespace condenser::cli {

std::string question_text(const search::ProbeContext&);
search::ProbeContext read_question(const std::string&);

// Of the examining side. Numbers keep their bits, NaN and infinity too.
struct Answer {
  enum class Kind { Progress, Findings, Failed, Trouble, Stopped };
  Kind kind = Kind::Progress;
  double fraction = 0;  // Progress
  std::string text;     // what is done; why it failed
  int code = 1;         // Trouble: the exit code
  search::Findings findings;
};
std::string answer_text(const Answer&);
Answer read_answer(const std::string&);  // throws core::Error

}  // namespace condenser::cli
