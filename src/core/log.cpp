// Messages on stderr and in a file, through spdlog's sinks. The only source that sees spdlog.

#include "condenser/core/log.hpp"

#include <spdlog/details/log_msg.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <string>

#include "condenser/core/error.hpp"
#include "condenser/core/text.hpp"

namespace condenser::core::log {
namespace {

// https://no-color.org: any non-empty value of NO_COLOR switches colours off.
bool coloured() {
  const char* off = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return !(off && *off) && !(terminal && std::string_view(terminal) == "dumb") && ::isatty(STDERR_FILENO);
}

// What stands before a message on stderr: nothing for information, a word for the rest.
class Prefix : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    const char* word = message.level == spdlog::level::debug  ? "debug:"
                       : message.level == spdlog::level::warn ? "warning:"
                       : message.level == spdlog::level::err  ? "error:"
                                                              : nullptr;
    if (!word) return;
    const char* colour = message.level == spdlog::level::err    ? "\033[1;31m"
                         : message.level == spdlog::level::warn ? "\033[1;33m"
                                                                : "\033[2m";
    const bool paint = coloured();
    if (paint) append(out, colour);
    append(out, word);
    if (paint) append(out, "\033[0m");
    append(out, " ");
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<Prefix>(); }

 private:
  static void append(spdlog::memory_buf_t& out, std::string_view text) {
    out.append(text.data(), text.data() + text.size());
  }
};

struct Sinks {
  std::mutex mutex;
  Level level = Level::Info;
  bool live_line = false;
  spdlog::sinks::stderr_sink_st terminal;
  std::unique_ptr<spdlog::sinks::basic_file_sink_st> file;

  Sinks() {
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<Prefix>('*').set_pattern("%*%v");
    terminal.set_formatter(std::move(formatter));
  }
};

// Never destroyed: destructors of other statics may still log.
Sinks& sinks() {
  static Sinks* all = new Sinks;
  return *all;
}

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::Debug: return spdlog::level::debug;
    case Level::Info: return spdlog::level::info;
    case Level::Warning: return spdlog::level::warn;
    case Level::Error: return spdlog::level::err;
    case Level::Off: return spdlog::level::off;
  }
  return spdlog::level::off;
}

// One line, whatever the names in it hold: a message cannot forge another one or give orders to a terminal.
void write(Level level, std::string_view words) {
  Sinks& all = sinks();
  const std::lock_guard lock(all.mutex);
  if (level < all.level) return;
  const std::string text = printable(words);
  const spdlog::details::log_msg message("", spdlog_level(level), spdlog::string_view_t(text.data(), text.size()));
  if (all.live_line) (void)!::write(STDERR_FILENO, "\r\033[K", 4);
  all.live_line = false;
  all.terminal.log(message);
  all.terminal.flush();
  if (!all.file) return;
  try {
    all.file->log(message);
    all.file->flush();
  } catch (const std::exception& problem) {  // a full disk must not end the run; say so once
    all.file.reset();
    const std::string why = std::string("the log file is closed: ") + problem.what();
    all.terminal.log(spdlog::details::log_msg("", spdlog::level::warn, why));
  }
}

}  // namespace

void set_level(Level level) {
  const std::lock_guard lock(sinks().mutex);
  sinks().level = level;
}

Level level() {
  const std::lock_guard lock(sinks().mutex);
  return sinks().level;
}

void set_file(const std::filesystem::path& file) {
  std::unique_ptr<spdlog::sinks::basic_file_sink_st> sink;
  if (!file.empty()) {
    try {
      sink = std::make_unique<spdlog::sinks::basic_file_sink_st>(file.string(), false);
    } catch (const std::exception& problem) {
      throw Error(file.string() + ": cannot write the log: " + problem.what());
    }
    sink->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l: %v");
  }
  const std::lock_guard lock(sinks().mutex);
  sinks().file = std::move(sink);
}

void set_live_line(bool stands) {
  const std::lock_guard lock(sinks().mutex);
  sinks().live_line = stands;
}

void debug(std::string_view message) { write(Level::Debug, message); }
void info(std::string_view message) { write(Level::Info, message); }
void warning(std::string_view message) { write(Level::Warning, message); }
void error(std::string_view message) { write(Level::Error, message); }

}  // namespace condenser::core::log
