#pragma once
// Whole-file reads, atomic writes and the lock of a run folder. Errors name the path and the system's reason.

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace condenser::core {

// Larger than any file that is read whole (weights of networks, data sets in one piece); readers of small files name a
// cap of their own.
constexpr size_t kMostFileBytes = size_t{4} << 30;

// A whole regular file. Throws Error: missing, unreadable, larger than `max_bytes`, or a folder, device, named pipe or
// socket, which are refused without being opened (streams of this process, /dev/stdin and /dev/fd/N, are read).
std::string read_file(const std::filesystem::path& path, size_t max_bytes = kMostFileBytes);

// Writes to a temporary name beside `path`, flushes (fsync), renames, flushes the folder. Either the old or the whole
// new content is ever visible. On failure (disk full) removes the temporary file and throws Error. Creates parent
// folders as create_folder does.
void write_atomic(const std::filesystem::path& path, std::string_view content);

// With its parents; nothing to do when it exists. Throws Error: not permitted, or the folder is or lies in one that
// this process has locked and that was moved or removed since: it is never made anew, which would tear its content
// apart.
void create_folder(const std::filesystem::path& folder);

// Exclusive advisory lock of a folder, held while the object lives and released by the kernel when the process dies.
// A forked child that lives on without exec keeps the lock too.
class FolderLock {
 public:
  // Creates the folder if absent. Throws Error (ExitCode::Locked) naming the pid that holds it.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int fd_ = -1;
};

// Whether a living process holds the folder's lock. Looks by taking the lock for a moment together with others who
// look; FolderLock waits that moment out.
bool is_locked(const std::filesystem::path& folder);

// Decompresses a gzip file, or returns the bytes as they are when the gzip magic is absent. Refuses what read_file
// refuses. Bounded: more than `max_bytes` of input or output, a truncated or corrupt stream throw Error naming the
// file.
std::string read_gzip(const std::filesystem::path& path, size_t max_bytes);

}  // namespace condenser::core
