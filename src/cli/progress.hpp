#pragma once
// Progress on stderr: one line that is rewritten on a terminal, a plain line every few seconds elsewhere.

#include <chrono>
#include <string>
#include <vector>

namespace condenser::cli {

struct ProgressFacts {
  std::string what;                // "train"
  double fraction = 0;             // done, 0..1
  std::vector<std::string> facts;  // the most important first: a narrow terminal drops the last
};

class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();
  bool due() const;                   // whether update() would say anything now
  void update(const ProgressFacts&);  // dropped when the last one is too fresh
  void finish();                      // clears a terminal's line

 private:
  std::chrono::steady_clock::time_point started_, next_;
  bool terminal_;
  bool shown_ = false;
};

// The line for a terminal of `columns`, one column shorter, so that it never wraps.
std::string terminal_line(const ProgressFacts&, int columns, bool colour);
std::string plain_line(const ProgressFacts&);

// Until the next plain line: 10 s at first, then a thirtieth of what has passed, at most a minute. A day is 1,440
// lines.
double plain_interval_s(double passed_s);

// Of the terminal on stderr: COLUMNS when it is a sensible number, else what the terminal says, else 80.
int terminal_columns();
// Of the terminal that standard output is, told the same way; 0: it is none.
size_t output_columns();

std::string duration_text(double seconds);  // "1 min 12 s", "3.4 s"

}  // namespace condenser::cli
