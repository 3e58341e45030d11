#pragma once

#include <filesystem>

namespace condenser::core {

// A new folder under the system's temporary folder, removed with everything in it at the end of the scope.
class TemporaryFolder {
 public:
  TemporaryFolder();  // throws core::Error
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace condenser::core
