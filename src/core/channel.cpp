#include "condenser/core/channel.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "condenser/core/error.hpp"

namespace condenser::core {

Channel::~Channel() {
  if (fd_ >= 0) close(fd_);
}

bool Channel::send(std::string_view line) {
  std::string text(line);
  text += '\n';
  std::string_view left = text;
  while (!left.empty() && !closed_) {
    const ssize_t n = ::send(fd_, left.data(), left.size(), MSG_NOSIGNAL);
    if (n > 0) left.remove_prefix(static_cast<size_t>(n));
    if (n < 0 && errno != EINTR) closed_ = true;
  }
  return !closed_;
}

std::optional<std::string> Channel::receive(std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (true) {
    const size_t end = read_.find('\n');
    if (end != std::string::npos) {
      std::string line = read_.substr(0, end);
      read_.erase(0, end + 1);
      return line;
    }
    if (closed_) return std::nullopt;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd wait{fd_, POLLIN, 0};
    const int ready = poll(&wait, 1, static_cast<int>(std::max<int64_t>(0, left.count())));
    if (ready == 0) return std::nullopt;
    if (ready < 0) {
      if (errno == EINTR) return std::nullopt;  // a signal: let the caller look why
      throw Error(std::string("a process cannot be listened to: ") + std::strerror(errno));
    }
    char buffer[4096];
    const ssize_t n = recv(fd_, buffer, sizeof buffer, 0);
    if (n > 0) read_.append(buffer, static_cast<size_t>(n));
    if (n == 0 || (n < 0 && errno != EINTR)) closed_ = true;
  }
}

std::pair<Channel, Channel> make_channel() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw Error(std::string("no channel to a process: ") + std::strerror(errno));
  return {Channel(ends[0]), Channel(ends[1])};
}

}  // namespace condenser::core
