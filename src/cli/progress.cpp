// Progress lines. Batch logs must not flood (one line every 10 s), terminals must not flicker (10 a second).

#include "cli/progress.hpp"

#include <unistd.h>

#include <cmath>
#include <cstdio>

#include "condenser/core/log.hpp"

namespace condenser::cli {

ProgressLine::ProgressLine() : terminal_(isatty(STDERR_FILENO) != 0), next_(std::chrono::steady_clock::now()) {
  if (!terminal_) next_ += std::chrono::seconds(5);
}

ProgressLine::~ProgressLine() { finish(); }

void ProgressLine::update(const std::string& text) {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  if (terminal_) {
    std::fprintf(stderr, "\r\033[K%s", text.c_str());
    std::fflush(stderr);
    shown_ = true;
    next_ = now + std::chrono::milliseconds(100);
  } else {
    core::log::info(text);
    next_ = now + std::chrono::seconds(10);
  }
}

void ProgressLine::finish() {
  if (terminal_ && shown_) std::fprintf(stderr, "\r\033[K");
  shown_ = false;
}

std::string bar(double fraction, int width) {
  const int full = static_cast<int>(std::lround(std::min(1.0, std::max(0.0, fraction)) * width));
  return "[" + std::string(full, '#') + std::string(width - full, '.') + "]";
}

std::string duration_text(double seconds) {
  char text[64];
  if (seconds < 60)
    std::snprintf(text, sizeof text, "%.1f s", seconds);
  else if (seconds < 3600)
    std::snprintf(text, sizeof text, "%d min %d s", static_cast<int>(seconds) / 60, static_cast<int>(seconds) % 60);
  else
    std::snprintf(text, sizeof text, "%d h %d min", static_cast<int>(seconds) / 3600,
                  static_cast<int>(seconds) / 60 % 60);
  return text;
}

}  // namespace condenser::cli
