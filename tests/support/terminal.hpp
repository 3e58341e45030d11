#pragma once
// A pseudo terminal: what a person would see of a program.

#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

namespace condenser::tests {

struct Seen {
  int code = -1;
  std::string bytes;  // all that was written, escape codes included; line ends are \r\n
};

// Runs `child` in a process of its own whose input, output and errors are a terminal of `columns`; what it returns is
// the exit code.
inline Seen in_terminal(int columns, const std::function<int()>& child) {
  winsize size{};
  size.ws_row = 24;
  size.ws_col = static_cast<unsigned short>(columns);
  int master = -1;
  const pid_t pid = forkpty(&master, nullptr, nullptr, &size);
  if (pid == 0) _exit(child());
  Seen seen;
  char buffer[4096];
  for (ssize_t got; (got = read(master, buffer, sizeof buffer)) > 0;)  // EIO when the other side is closed
    seen.bytes.append(buffer, static_cast<size_t>(got));
  int status = 0;
  waitpid(pid, &status, 0);
  close(master);
  seen.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return seen;
}

// The same for a program; `variables` are set for it ("NAME=value").
inline Seen program_in_terminal(int columns, std::vector<std::string> arguments, const std::string& folder,
                                std::vector<std::string> variables = {}) {
  return in_terminal(columns, [&] {
    for (std::string& v : variables) putenv(v.data());
    if (chdir(folder.c_str()) != 0) return 126;
    std::vector<char*> argv;
    for (std::string& a : arguments) argv.push_back(a.data());
    argv.push_back(nullptr);
    execvp(argv[0], argv.data());
    return 127;
  });
}

// Text without escape codes.
inline std::string without_escapes(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\033' && i + 1 < text.size() && text[i + 1] == '[') {
      i += 2;
      while (i < text.size() && (text[i] < '@' || text[i] > '~')) ++i;
      continue;
    }
    out += text[i];
  }
  return out;
}

}  // namespace condenser::tests
