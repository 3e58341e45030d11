#pragma once
// Progress on stderr: one line that is rewritten on a terminal, a plain line every few seconds elsewhere.

#include <chrono>
#include <string>

namespace condenser::cli {

class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();
  void update(const std::string& text);  // dropped when the last one is too fresh
  void finish();                         // clears a terminal's line

 private:
  bool terminal_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point next_;
};

std::string bar(double fraction, int width = 24);  // "#####....", for terminals
std::string duration_text(double seconds);         // "1 min 12 s", "3.4 s"

}  // namespace condenser::cli
