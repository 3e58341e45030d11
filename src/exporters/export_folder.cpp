// Replaces a folder by renaming: the new one is complete before the old one moves aside.
#include "exporters/export_folder.hpp"

#include <unistd.h>

#include "condenser/core/files.hpp"

namespace condenser::exporters {
namespace {

namespace fs = std::filesystem;

// Removed when it goes out of scope, unless it has been renamed away.
struct TemporaryFolder {
  fs::path path;
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

fs::path beside(const fs::path& folder, const char* what) {
  std::string name = ".";
  name.append(folder.filename().string()).append(".").append(what).append(".").append(std::to_string(getpid()));
  return folder.parent_path() / name;
}

void check_replaceable(const fs::path& folder) {
  if (!fs::exists(folder)) return;
  if (!fs::is_directory(folder))
    throw core::Error("export to " + folder.string() + ": a file of that name exists; choose another folder");
  if (fs::is_empty(folder) || fs::exists(folder / "manifest.json")) return;
  throw core::Error("export to " + folder.string() +
                    ": the folder holds other files (no manifest.json); choose another or empty it");
}

}  // namespace

void write_export_folder(const fs::path& target, const Files& files) try {
  fs::path folder = fs::absolute(target).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();  // "out/" means "out"
  check_replaceable(folder);
  fs::create_directories(folder.parent_path());
  const TemporaryFolder fresh{beside(folder, "new")};
  const TemporaryFolder old{beside(folder, "old")};
  fs::remove_all(fresh.path);
  fs::remove_all(old.path);
  fs::create_directory(fresh.path);
  for (const auto& [name, content] : files) {
    fs::create_directories((fresh.path / name).parent_path());
    core::write_atomic(fresh.path / name, content);
  }
  const bool replace = fs::exists(folder);
  if (replace) fs::rename(folder, old.path);
  try {
    fs::rename(fresh.path, folder);
  } catch (...) {
    if (replace) fs::rename(old.path, folder);
    throw;
  }
} catch (const fs::filesystem_error& error) {
  throw core::Error("export to " + target.string() + ": " + error.what());
}

}  // namespace condenser::exporters
