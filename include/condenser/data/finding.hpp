#pragma once
// What is noteworthy about the data of a run, for people and for programs.

#include <cstdint>
#include <string>
#include <vector>

namespace condenser::data {

// One thing that a person should know. A problem makes the data unfit as they are; others may be meant so.
struct Finding {
  bool problem = false;
  std::string kind;                // "unreadable", "duplicate_between" ...: stable names for programs
  std::string split;               // "" when it concerns several
  int64_t count = 0;               // of items, files or classes
  std::string text;                // one line
  std::vector<std::string> items;  // all of them, where the kind has items
};

}  // namespace condenser::data
