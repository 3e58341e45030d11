// Lines of progress: their width, what a narrow terminal drops, colours only where they are wanted; on a real pseudo
// terminal one line that is written over, elsewhere whole lines.

#include "cli/progress.hpp"

#include <algorithm>
#include <sstream>

#include "condenser/core/log.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"
#include "support/terminal.hpp"

using namespace condenser;
using namespace condenser::cli;
using Catch::Matchers::Contains;
using tests::in_terminal;
using tests::Seen;
using tests::without_escapes;

namespace {

ProgressFacts facts(double fraction = 0.5) {
  return {"train", fraction, {"epoch 3/30", "loss 0.1234", "val 97.10 %", "1 min 2 s left", "12,345 images/s"}};
}

int columns_of(const std::string& text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

void set_or_unset(const char* name, const char* value) { value ? setenv(name, value, 1) : unsetenv(name); }

// Progress as training makes it, in a terminal. The environment is the child's own.
Seen watched(int columns, const char* no_color, const char* told_columns, const char* term = "xterm") {
  return in_terminal(columns, [&] {
    set_or_unset("NO_COLOR", no_color);
    set_or_unset("COLUMNS", told_columns);
    set_or_unset("TERM", term);
    ProgressLine line;
    line.update(facts(0.1));
    line.update(facts(0.2));  // too fresh
    core::log::warning("something");
    usleep(150'000);
    line.update(facts(0.9));
    line.finish();
    core::log::info("done");
    return 0;
  });
}

// What stands on the screen after each carriage return, without escapes.
std::vector<std::string> lines_drawn(const std::string& bytes) {
  std::vector<std::string> lines(1);
  for (const char c : without_escapes(bytes)) {
    if (c == '\r' || c == '\n')
      lines.emplace_back();
    else
      lines.back() += c;
  }
  return lines;
}

}  // namespace

TEST_CASE("a terminal's line never wraps, and drops the least important first", "[cli]") {
  for (int columns = 1; columns <= 200; ++columns) {
    const std::string line = terminal_line(facts(), columns, false);
    CHECK(columns_of(line) <= std::max(1, columns - 1));
    CHECK(without_escapes(terminal_line(facts(), columns, true)) == line);
  }
  CHECK(terminal_line(facts(), 192, false) ==
        "train [############............] 50 %  epoch 3/30  loss 0.1234  val 97.10 %  1 min 2 s left  12,345 images/s");
  const std::string narrow = terminal_line(facts(), 60, false);
  CHECK_THAT(narrow, Contains("epoch 3/30") && Contains("loss 0.1234") && !Contains("images/s"));
  CHECK_THAT(terminal_line(facts(), 18, false), Contains("train 50 %"));
}

TEST_CASE("the bar is empty at first and full only at the end", "[cli]") {
  CHECK_THAT(terminal_line({"train", 0, {}}, 80, false), Contains("[..........] 0 %"));
  CHECK_THAT(terminal_line({"train", 0.9999, {}}, 80, false), Contains("] 99 %"));
  CHECK_THAT(terminal_line({"train", 1, {}}, 80, false), Contains("[##########] 100 %"));
  for (const double odd : {-1.0, 2.0, std::nan("")}) CHECK(terminal_line({"train", odd, {}}, 80, false).size() < 80);
}

TEST_CASE("a plain line has every fact, and comes more rarely the longer a run takes", "[cli]") {
  CHECK(plain_line(facts()) == "train: 50 %, epoch 3/30, loss 0.1234, val 97.10 %, 1 min 2 s left, 12,345 images/s");
  CHECK(plain_interval_s(0) == 10);
  CHECK(plain_interval_s(900) == 30);
  CHECK(plain_interval_s(86400) == 60);
}

TEST_CASE("durations for people", "[cli]") {
  CHECK(duration_text(3.44) == "3.4 s");
  CHECK(duration_text(59.99) == "1 min 0 s");
  CHECK(duration_text(62) == "1 min 2 s");
  CHECK(duration_text(7260) == "2 h 1 min");
  CHECK(duration_text(86400 * 3) == "3 days");
  CHECK(duration_text(std::nan("")) == "?");
  CHECK(duration_text(-1) == "?");
}

TEST_CASE("on a terminal one line is written over and wiped; messages get lines of their own", "[cli]") {
  const Seen seen = watched(100, nullptr, nullptr);
  CHECK(seen.code == 0);
  const auto lines = lines_drawn(seen.bytes);
  const auto drawn = [&](const std::string& part) {
    return std::count_if(lines.begin(), lines.end(),
                         [&](const std::string& l) { return l.find(part) != std::string::npos; });
  };
  CHECK(drawn("] 10 %") == 1);
  CHECK(drawn("] 20 %") == 0);
  CHECK(drawn("] 90 %") == 1);
  for (const std::string& line : lines) CHECK(columns_of(line) < 100);
  CHECK(std::count(lines.begin(), lines.end(), "warning: something") == 1);
  CHECK(std::count(lines.begin(), lines.end(), "done") == 1);
  CHECK(std::count(seen.bytes.begin(), seen.bytes.end(), '\n') == 2);  // the two messages
  CHECK_THAT(seen.bytes, !Contains("\033[2J") && Contains("\033[32m"));
}

TEST_CASE("NO_COLOR, COLUMNS and a dumb terminal are honoured", "[cli]") {
  CHECK_THAT(watched(100, "1", nullptr).bytes, !Contains("\033[32m") && Contains("] 90 %"));
  for (const std::string& line : lines_drawn(watched(200, nullptr, "50").bytes)) CHECK(columns_of(line) < 50);
  CHECK_THAT(watched(100, nullptr, "many").bytes, Contains("12,345 images/s"));
  CHECK_THAT(watched(100, nullptr, nullptr, "dumb").bytes, !Contains("\033[") && !Contains("10 %"));
}

TEST_CASE("whoever asks for quiet gets no bar", "[cli]") {
  const Seen seen = in_terminal(100, [] {
    core::log::set_level(core::log::Level::Warning);
    ProgressLine line;
    line.update(facts());
    return 0;
  });
  CHECK(seen.bytes.empty());
}
