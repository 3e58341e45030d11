// Progress lines. Batch logs must not flood and still show signs of life; terminals must not flicker: a line is written
// over the old one in one call and only what is left of the old one is wiped.

#include "cli/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "condenser/core/log.hpp"
#include "condenser/core/text.hpp"

namespace condenser::cli {
namespace {

using Clock = std::chrono::steady_clock;

// By the width of the terminal alone: a bar that made room for facts would wobble as these change.
int bar_length(int columns) { return std::clamp(columns / 8, 8, 24); }

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// Somebody looks, escape codes are understood, and news are wanted.
bool on_terminal() {
  return isatty(STDERR_FILENO) != 0 && variable("TERM") != "dumb" && core::log::level() <= core::log::Level::Info;
}

Clock::duration seconds(double s) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(s));
}

int width(const std::string& text) { return static_cast<int>(core::display_width(text)); }

// Whole characters, as many as fit.
std::string cut(const std::string& text, int columns) {
  const auto continues = [](char c) { return (c & 0xC0) == 0x80; };
  size_t kept = 0;
  for (size_t end = 1; end <= text.size(); ++end) {
    if (end < text.size() && continues(text[end])) continue;
    if (width(text.substr(0, end)) > columns) break;
    kept = end;
  }
  return text.substr(0, kept);
}

std::string bar(double fraction, int length, bool colour) {
  const int full = static_cast<int>(std::lround(fraction * length));
  const std::string done(static_cast<size_t>(full), '#'), rest(static_cast<size_t>(length - full), '.');
  return colour ? "[\033[32m" + done + "\033[2;39m" + rest + "\033[0m]" : "[" + done + rest + "]";
}

double bounded(double fraction) { return std::isfinite(fraction) ? std::clamp(fraction, 0.0, 1.0) : 0.0; }

// Rounded down: 100 % is said when everything is done.
std::string percent(double fraction) { return std::to_string(static_cast<int>(bounded(fraction) * 100)) + " %"; }

}  // namespace

ProgressLine::ProgressLine() : started_(Clock::now()), next_(started_), terminal_(on_terminal()) {
  if (!terminal_) next_ += seconds(5);
}

ProgressLine::~ProgressLine() { finish(); }

bool ProgressLine::due() const { return Clock::now() >= next_; }

void ProgressLine::update(const ProgressFacts& facts) {
  const auto now = Clock::now();
  if (now < next_) return;
  if (terminal_) {
    const std::string line = "\r" + terminal_line(facts, terminal_columns(), variable("NO_COLOR").empty()) + "\033[K";
    core::log::set_live_line(true);
    (void)!::write(STDERR_FILENO, line.data(), line.size());
    shown_ = true;
    next_ = now + seconds(0.1);
  } else {
    core::log::info(plain_line(facts));
    next_ = now + seconds(plain_interval_s(std::chrono::duration<double>(now - started_).count()));
  }
}

void ProgressLine::finish() {
  if (shown_) (void)!::write(STDERR_FILENO, "\r\033[K", 4);
  if (shown_) core::log::set_live_line(false);
  shown_ = false;
}

std::string terminal_line(const ProgressFacts& p, int columns, bool colour) {
  const int room = std::max(1, columns - 1);
  std::string tail = " " + percent(p.fraction);
  int used = width(p.what) + 1 + bar_length(columns) + 2 + width(tail);
  if (used > room) return cut(p.what + tail, room);
  for (const std::string& fact : p.facts) {
    if (used + 2 + width(fact) > room) break;
    tail += "  " + fact;
    used += 2 + width(fact);
  }
  return p.what + " " + bar(bounded(p.fraction), bar_length(columns), colour) + tail;
}

std::string plain_line(const ProgressFacts& p) {
  std::string text = p.what + ": " + percent(p.fraction);
  for (const std::string& fact : p.facts) text += ", " + fact;
  return text;
}

double plain_interval_s(double passed_s) { return std::clamp(passed_s / 30, 10.0, 60.0); }

namespace {

int columns_of(int descriptor) {
  const std::string_view told = variable("COLUMNS");
  int columns = 0;
  const auto [end, error] = std::from_chars(told.data(), told.data() + told.size(), columns);
  if (error == std::errc() && end == told.data() + told.size() && columns > 0) return std::min(columns, 10'000);
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

}  // namespace

int terminal_columns() { return columns_of(STDERR_FILENO); }

size_t output_columns() { return isatty(STDOUT_FILENO) ? static_cast<size_t>(columns_of(STDOUT_FILENO)) : 0; }

std::string duration_text(double seconds) {
  char text[64];
  if (!(seconds >= 0 && seconds < 1e12)) return "?";
  const auto whole = static_cast<long long>(seconds + 0.5);
  if (seconds < 59.95)
    std::snprintf(text, sizeof text, "%.1f s", seconds);
  else if (whole < 3600)
    std::snprintf(text, sizeof text, "%lld min %lld s", whole / 60, whole % 60);
  else if (whole < 48 * 3600)
    std::snprintf(text, sizeof text, "%lld h %lld min", whole / 3600, whole / 60 % 60);
  else
    std::snprintf(text, sizeof text, "%.0f days", seconds / 86400);
  return text;
}

}  // namespace condenser::cli
