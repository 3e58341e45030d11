#pragma once
// Lines between two processes, both ways.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace condenser::core {

// One end. A thread uses it at a time.
class Channel {
 public:
  explicit Channel(int descriptor) : fd_(descriptor) {}  // owns it
  ~Channel();
  Channel(Channel&& other) noexcept : fd_(std::exchange(other.fd_, -1)), read_(std::move(other.read_)) {}
  Channel& operator=(Channel&&) = delete;

  // `line` has no line feed. False: the other end is gone.
  bool send(std::string_view line);
  // None when nothing whole came within `patience`, or the other end is gone: then closed() is true.
  std::optional<std::string> receive(std::chrono::milliseconds patience);
  bool closed() const { return closed_; }
  int descriptor() const { return fd_; }

 private:
  int fd_;
  std::string read_;  // of a line that is not whole yet, and what came behind it
  bool closed_ = false;
};

// Both ends; not inherited by other programs. Throws core::Error.
std::pair<Channel, Channel> make_channel();

}  // namespace condenser::core
