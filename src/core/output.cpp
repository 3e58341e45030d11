#include "condenser/core/output.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "condenser/core/error.hpp"

namespace condenser::core {
namespace {

// In the wrong direction, so that its use fails as that of a closed stream does.
void occupy(int stream) {
  if (::fcntl(stream, F_GETFD) >= 0) return;
  const int fd = ::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  if (fd >= 0 && fd != stream) {
    ::dup2(fd, stream);
    ::close(fd);
  }
}

std::string reason(int error) {
  switch (error) {
    case EPIPE: return "its reader has gone";
    case EBADF: return "it is closed";
    default: return std::strerror(error);
  }
}

}  // namespace

void prepare_standard_streams() {
  for (int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) occupy(stream);
  ::signal(SIGPIPE, SIG_IGN);
}

void write_output(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EAGAIN) {  // whoever made the pipe does not want to wait; we do
      pollfd ready{STDOUT_FILENO, POLLOUT, 0};
      ::poll(&ready, 1, -1);
      continue;
    }
    if (written < 0) throw Error("standard output: " + reason(errno) + "; what should stand there is incomplete");
    text.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace condenser::core
