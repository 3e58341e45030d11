// Whole-file reads, atomic writes, folder locks and bounded gzip on POSIX.
// Formats are read by the modules that know them.

#include "condenser/core/files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "condenser/core/error.hpp"
#include "condenser/core/stop.hpp"

namespace condenser::core {
namespace {

Error failure(const std::filesystem::path& path, const std::string& what, int reason) {
  return Error(path.string() + ": " + what + ": " + std::strerror(reason));
}

Error refused_lock(const std::filesystem::path& path, int reason) {
  const Error refused = failure(path, "cannot open", reason);
  if (reason != EROFS && reason != EACCES && reason != EPERM) return refused;
  return Error(std::string(refused.what()) +
               "; expected a folder that can be written, as results lie in it; of one that cannot, take a copy");
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

int open_retrying(const std::filesystem::path& path, int flags, mode_t mode = 0666) {
  int fd;
  do fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  while (fd < 0 && errno == EINTR);
  return fd;
}

size_t read_some(int fd, char* bytes, size_t size, const std::filesystem::path& path) {
  ssize_t got;
  do got = ::read(fd, bytes, size);
  while (got < 0 && errno == EINTR);
  if (got < 0) throw failure(path, "cannot read", errno);
  return static_cast<size_t>(got);
}

constexpr size_t kPiece = 1 << 16;  // bytes read at once

// What somebody hands over as a stream of this process (a pipe of the shell) is read like a file.
bool own_stream(const std::filesystem::path& path) {
  const std::string& text = path.native();
  return text == "/dev/stdin" || text.starts_with("/dev/fd/") || text.starts_with("/proc/self/fd/");
}

const char* kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a named pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

Error too_large(const std::filesystem::path& path, size_t max_bytes) {
  return Error(path.string() + ": more than " + std::to_string(max_bytes) + " bytes; expected a smaller file");
}

// Opens a file that ends. Devices and named pipes are looked at, never opened: opening alone may wait or act.
int open_for_reading(const std::filesystem::path& path, size_t max_bytes) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw failure(path, "cannot read", errno);
  const bool stream = own_stream(path) && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
  if (!S_ISREG(status.st_mode) && !stream)
    throw Error(path.string() + ": " + kind_of(status.st_mode) + "; expected a regular file");
  // The size is a hint only: files of /proc report 0.
  if (S_ISREG(status.st_mode) && status.st_size > 0 && static_cast<uintmax_t>(status.st_size) > max_bytes)
    throw too_large(path, max_bytes);
  Descriptor file(open_retrying(path, stream ? O_RDONLY : O_RDONLY | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) throw failure(path, "cannot read", errno);
  // Another kind of file may have taken its place meanwhile.
  if (!stream && (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)))
    throw Error(path.string() + ": changed while it was opened; expected a regular file");
  return file.release();
}

// 0 or the reason as errno.
int write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno;
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  return 0;
}

// The folders that this process has locked, by their names, with the lock files that are open.
struct Locked {
  std::filesystem::path folder;  // absolute
  int fd;
};
std::mutex locked_mutex;
std::vector<Locked> locked_folders;

bool is_same_file(const std::filesystem::path& path, int fd) {
  struct stat by_name {
  }, open{};
  return ::stat(path.c_str(), &by_name) == 0 && ::fstat(fd, &open) == 0 && by_name.st_dev == open.st_dev &&
         by_name.st_ino == open.st_ino;
}

bool lies_in(const std::filesystem::path& path, const std::filesystem::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
}

std::filesystem::path full_name(const std::filesystem::path& folder) {
  std::filesystem::path name = std::filesystem::absolute(folder).lexically_normal();
  return name.has_filename() ? name : name.parent_path();
}

void check_not_moved(const std::filesystem::path& folder) {
  const std::lock_guard guard(locked_mutex);
  if (locked_folders.empty()) return;
  const std::filesystem::path name = full_name(folder);
  for (const Locked& locked : locked_folders)
    if (lies_in(name, locked.folder) && !is_same_file(locked.folder / ".lock", locked.fd))
      throw Error(locked.folder.string() +
                  ": was moved or removed while this process worked in it; expected it to stay. What was finished is "
                  "in its new place: start again there");
}

// Makes the rename durable. File systems without it, and folders that may be written but not listed, are left alone.
void sync_folder(const std::filesystem::path& folder) {
  const Descriptor handle(open_retrying(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY));
  if (handle.get() >= 0 && ::fsync(handle.get()) != 0 && errno == EIO) throw failure(folder, "cannot flush", errno);
}

// A file that disappears unless it was renamed.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& target) {
    static std::atomic<unsigned> serial{0};  // two threads may write the same target
    do {
      path_ = target;
      path_ += ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(serial++);
      fd_ = open_retrying(path_, O_WRONLY | O_CREAT | O_EXCL);
    } while (fd_ < 0 && errno == EEXIST);  // left by a process of the same number that was killed
    if (fd_ < 0) throw failure(target, "cannot write", errno);
  }
  ~TemporaryFile() {
    if (fd_ >= 0) ::close(fd_);
    if (!renamed_) ::unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void write(std::string_view content, const std::filesystem::path& target) {
    if (const int reason = write_all(fd_, content)) throw failure(target, "cannot write", reason);
    if (::fsync(fd_) != 0) throw failure(target, "cannot flush", errno);
    if (::close(std::exchange(fd_, -1)) != 0) throw failure(target, "cannot close", errno);
    reached("write", target.filename().c_str());
    if (::rename(path_.c_str(), target.c_str()) != 0) throw failure(target, "cannot replace", errno);
    renamed_ = true;
  }

 private:
  std::filesystem::path path_;
  int fd_ = -1;
  bool renamed_ = false;
};

// Inflates one or more gzip members fed in pieces.
class Gunzip {
 public:
  Gunzip(const std::filesystem::path& path, size_t max_bytes) : path_(path), max_bytes_(max_bytes) {
    if (inflateInit2(&stream_, 15 + 16) != Z_OK) throw Error(path.string() + ": zlib cannot start");
  }
  ~Gunzip() { inflateEnd(&stream_); }
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;

  void add(std::string_view bytes) {
    in_bytes_ += bytes.size();
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    bool more = true;
    while (more) {
      if (ended_ && stream_.avail_in == 0) return;
      if (ended_ && inflateReset(&stream_) != Z_OK) throw Error(path_.string() + ": zlib cannot start");  // next member
      ended_ = false;
      char buffer[1 << 15];
      stream_.next_out = reinterpret_cast<Bytef*>(buffer);
      stream_.avail_out = sizeof buffer;
      const int state = inflate(&stream_, Z_NO_FLUSH);
      keep(std::string_view(buffer, sizeof buffer - stream_.avail_out));
      ended_ = state == Z_STREAM_END;
      if (state != Z_OK && state != Z_STREAM_END && state != Z_BUF_ERROR) throw corrupt();
      more = ended_ || stream_.avail_in > 0 || stream_.avail_out == 0;
    }
  }

  std::string finish() {
    if (!ended_)
      throw Error(path_.string() + ": the gzip stream is truncated after " + std::to_string(in_bytes_) +
                  " bytes; download the file again");
    return std::move(out_);
  }

 private:
  void keep(std::string_view bytes) {
    if (bytes.size() > max_bytes_ - out_.size())
      throw Error(path_.string() + ": more than " + std::to_string(max_bytes_) + " bytes after decompression");
    out_ += bytes;
  }
  Error corrupt() const {
    return Error(path_.string() + ": the gzip stream is corrupt (" + (stream_.msg ? stream_.msg : "unknown reason") +
                 "); download the file again");
  }

  std::filesystem::path path_;
  size_t max_bytes_, in_bytes_ = 0;
  z_stream stream_{};
  std::string out_;
  bool ended_ = false;
};

}  // namespace

void create_folder(const std::filesystem::path& folder) {
  if (folder.empty()) return;
  check_not_moved(folder);
  std::error_code reason;
  std::filesystem::create_directories(folder, reason);
  if (reason) throw Error(folder.string() + ": cannot create the folder: " + reason.message());
}

std::string read_file(const std::filesystem::path& path, size_t max_bytes) {
  const Descriptor file(open_for_reading(path, max_bytes));
  std::string content;
  struct stat status {};
  if (::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode))
    content.reserve(static_cast<size_t>(status.st_size));
  char buffer[kPiece];
  while (const size_t got = read_some(file.get(), buffer, sizeof buffer, path)) {
    if (got > max_bytes - content.size()) throw too_large(path, max_bytes);
    content.append(buffer, got);
  }
  return content;
}

void write_atomic(const std::filesystem::path& path, std::string_view content) {
  const std::filesystem::path folder = path.parent_path();
  create_folder(folder);
  TemporaryFile(path).write(content, path);
  sync_folder(folder);
}

namespace {

// 0, or the reason as errno: EWOULDBLOCK when somebody else holds the lock.
int try_lock(int fd, int kind) {
  int state;
  do state = ::flock(fd, kind | LOCK_NB);
  while (state != 0 && errno == EINTR);
  return state == 0 ? 0 : errno;
}

constexpr int kLockTries = 5;
constexpr useconds_t kLockPause = 20'000;  // long beside the moment that is_locked() takes

}  // namespace

bool is_locked(const std::filesystem::path& folder) {
  const Descriptor file(open_retrying(folder / ".lock", O_RDONLY));
  return file.get() >= 0 && try_lock(file.get(), LOCK_SH) == EWOULDBLOCK;
}

FolderLock::FolderLock(const std::filesystem::path& folder) {
  create_folder(folder);
  const std::filesystem::path path = folder / ".lock";
  Descriptor file(open_retrying(path, O_RDWR | O_CREAT));
  if (file.get() < 0) throw refused_lock(path, errno);
  int reason = try_lock(file.get(), LOCK_EX);
  for (int tries = 1; reason == EWOULDBLOCK && tries < kLockTries; ++tries) {
    ::usleep(kLockPause);
    reason = try_lock(file.get(), LOCK_EX);
  }
  if (reason != 0 && reason != EWOULDBLOCK) throw failure(path, "cannot lock", reason);
  if (reason != 0) {
    char owner[24] = "";
    const size_t size = read_some(file.get(), owner, sizeof owner - 1, path);
    std::string pid(owner, size);
    pid.erase(pid.find_last_not_of("\n ") + 1);
    throw Error(folder.string() + ": in use by process " + (pid.empty() ? "(unknown)" : pid) +
                    "; wait for it, stop it, or choose another folder",
                ExitCode::Locked);
  }
  // The number serves only the message above; a full disk must not prevent the lock.
  if (::ftruncate(file.get(), 0) == 0) (void)write_all(file.get(), std::to_string(::getpid()) + "\n");
  fd_ = file.release();
  const std::lock_guard guard(locked_mutex);
  locked_folders.push_back({full_name(folder), fd_});
}

FolderLock::~FolderLock() {
  {
    const std::lock_guard guard(locked_mutex);
    std::erase_if(locked_folders, [this](const Locked& locked) { return locked.fd == fd_; });
  }
  // The file stays: removing it would let two processes lock two files of the same name.
  if (::ftruncate(fd_, 0) != 0) {
  }
  ::close(fd_);
}

std::string read_gzip(const std::filesystem::path& path, size_t max_bytes) {
  const Descriptor file(open_for_reading(path, max_bytes + kPiece));  // gzip may add a little to few bytes
  std::string buffer(kPiece, '\0');
  size_t have = 0;
  while (have < 2) {  // the magic may arrive in two pieces from a pipe
    const size_t got = read_some(file.get(), buffer.data() + have, buffer.size() - have, path);
    if (got == 0) break;
    have += got;
  }
  const bool zipped = have >= 2 && buffer[0] == '\x1f' && buffer[1] == '\x8b';
  Gunzip gunzip(path, max_bytes);
  std::string plain;
  for (; have > 0; have = read_some(file.get(), buffer.data(), buffer.size(), path)) {
    const std::string_view piece(buffer.data(), have);
    if (zipped) {
      gunzip.add(piece);
      continue;
    }
    if (piece.size() > max_bytes - plain.size()) throw too_large(path, max_bytes);
    plain += piece;
  }
  return zipped ? gunzip.finish() : plain;
}

}  // namespace condenser::core
