#pragma once
// Logging to stderr (and optionally a file); data goes to stdout. Hides spdlog: LibTorch carries its own fmt.

#include <filesystem>
#include <string_view>

namespace condenser::core::log {

enum class Level { Debug, Info, Warning, Error, Off };

void set_level(Level level);
Level level();
// Also append every message to `file` (created if absent). Replaces an earlier file. An empty path closes it.
void set_file(const std::filesystem::path& file);

// A line that is rewritten stands on the terminal: the next message wipes it first, so that it starts on a line of its
// own. Set by whoever wrote the line.
void set_live_line(bool stands);

void debug(std::string_view message);
void info(std::string_view message);
void warning(std::string_view message);
void error(std::string_view message);

}  // namespace condenser::core::log
