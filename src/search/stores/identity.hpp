#pragma once
// Refusals that every store shares: another study's identity, a trial that is not there.

#include <sstream>

#include "condenser/search/store.hpp"

namespace condenser::search {

// Names the first line that differs: an identity is a configuration, one setting a line.
inline void check_identity(const std::string& where, const std::string& stored, const std::string& given) {
  if (stored == given) return;
  std::istringstream old_lines(stored), new_lines(given);
  std::string old_line, new_line;
  while (true) {
    const bool old_ok = static_cast<bool>(std::getline(old_lines, old_line));
    const bool new_ok = static_cast<bool>(std::getline(new_lines, new_line));
    if (!old_ok) old_line = "(nothing)";
    if (!new_ok) new_line = "(nothing)";
    if (old_line != new_line || (!old_ok && !new_ok)) break;
  }
  throw core::ConfigError(where + ": holds a study of another configuration: there \"" + old_line + "\", now \"" +
                          new_line + "\"; go back to that configuration or start afresh");
}

inline core::Error no_such_trial(const std::string& where, int64_t index) {
  return core::Error(where + ": holds no trial " + std::to_string(index) + "; was another study put in its place?");
}

inline void check_appendable(const std::string& where, const Trial& trial) {
  if (trial.index < 0) throw core::Error(where + ": trial index " + std::to_string(trial.index) + "; expected >= 0");
}

}  // namespace condenser::search
