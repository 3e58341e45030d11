#pragma once
// A folder of its own for a test, removed at the end.

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>

namespace condenser::testing {

class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::string& name) {
    static std::atomic<int> count{0};
    path_ = std::filesystem::temp_directory_path() /
            ("condenser_" + name + "_" + std::to_string(::getpid()) + "_" + std::to_string(++count));
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace condenser::testing
