#include "condenser/core/temporary_folder.hpp"

#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "condenser/core/error.hpp"

namespace condenser::core {

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "condenser_XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr)
    throw Error("temporary folder " + name + ": " + std::strerror(errno) + "; is TMPDIR writable?");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace condenser::core
