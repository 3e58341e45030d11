#include "condenser/core/files.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <fstream>
#include <functional>
#include <thread>
#include <vector>

#include "condenser/core/error.hpp"
#include "core/scratch.hpp"
#include "support/catch.hpp"

using namespace condenser::core;
namespace fs = std::filesystem;

namespace {

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  return names;
}

void write_plain(const fs::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

std::string gzip(const std::string& bytes) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

// Bytes that do not compress to nothing.
std::string varied(size_t size) {
  std::string bytes;
  uint32_t state = 1;
  while (bytes.size() < size) bytes += static_cast<char>((state = state * 1664525u + 1013904223u) >> 24);
  return bytes;
}

// Runs `child` in a forked process; its result is the exit status.
template <class Child>
int in_child(Child child) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    int status = 99;
    try {
      status = child();
    } catch (...) {
    }
    ::_exit(status);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("write_atomic writes whole files and creates folders", "[core]") {
  Scratch scratch;
  const std::string bytes = varied(100000) + std::string(1, '\0') + "\r\n";
  write_atomic(scratch / "a/b/file.bin", bytes);
  CHECK(read_file(scratch / "a/b/file.bin") == bytes);
  write_atomic(scratch / "a/b/file.bin", "");
  CHECK(read_file(scratch / "a/b/file.bin").empty());
  CHECK(names_in(scratch / "a/b") == std::vector<std::string>{"file.bin"});
}

TEST_CASE("write_atomic never shows a half-written file", "[core]") {
  Scratch scratch;
  const fs::path file = scratch / "state";
  const std::string one(50000, '1'), two(70000, '2');
  write_atomic(file, one);
  std::thread writer([&] {
    for (int i = 0; i < 20; ++i) write_atomic(file, i % 2 ? one : two);
  });
  int torn = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string seen = read_file(file);
    torn += seen != one && seen != two;
  }
  writer.join();
  CHECK(torn == 0);
}

TEST_CASE("A file that grows too large leaves the old one and no temporary file", "[core]") {
  Scratch scratch;
  const fs::path file = scratch / "state";
  write_atomic(file, "old");
  const int status = in_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{4096, 4096};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 2;
    const std::string message = message_of<Error>([&] { write_atomic(file, std::string(100000, 'x')); });
    return message.find(file.string()) != std::string::npos && message.find("File too large") != std::string::npos ? 0
                                                                                                                   : 1;
  });
  CHECK(status == 0);
  CHECK(read_file(file) == "old");
  CHECK(names_in(scratch.path()) == std::vector<std::string>{"state"});
}

TEST_CASE("A full disk leaves the old file and no temporary file", "[core]") {
  Scratch scratch;
  const fs::path disk = scratch / "disk";
  fs::create_directory(disk);
  if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=64k") != 0)
    return;  // needs root; the case above covers the rest
  write_atomic(disk / "state", "old");
  const std::string message = message_of<Error>([&] { write_atomic(disk / "state", std::string(200000, 'x')); });
  const std::string kept = read_file(disk / "state");
  const auto names = names_in(disk);
  ::umount(disk.c_str());
  CHECK(message.find("No space left") != std::string::npos);
  CHECK(kept == "old");
  CHECK(names == std::vector<std::string>{"state"});
}

TEST_CASE("Refused reads and writes name the path", "[core]") {
  Scratch scratch;
  const auto reads = [&](const std::string& name) { return message_of<Error>([&] { read_file(scratch / name); }); };
  CHECK(reads("missing").find("missing: cannot read: No such file") != std::string::npos);
  CHECK(reads("").find("a folder; expected a regular file") != std::string::npos);
  write_plain(scratch / "file", "x");
  CHECK_THROWS_AS(write_atomic(scratch / "file/below", "y"), Error);  // a file where a folder is needed
  fs::create_directories(scratch / "folder/inside");
  CHECK_THROWS_AS(write_atomic(scratch / "folder", "y"), Error);
  CHECK(names_in(scratch.path()).size() == 2);
}

TEST_CASE("Files without a size are read to their end", "[core]") {
  CHECK_FALSE(read_file("/proc/self/status").empty());
}

TEST_CASE("Only files that end are read, and devices are not opened", "[core]") {
  Scratch scratch;
  REQUIRE(::mkfifo((scratch / "pipe").c_str(), 0600) == 0);
  const auto plain = [](const fs::path& path) { return message_of<Error>([&] { read_file(path); }); };
  const auto gzipped = [](const fs::path& path) { return message_of<Error>([&] { read_gzip(path, 100); }); };
  for (const auto& read : {std::function<std::string(const fs::path&)>(plain), {gzipped}}) {
    CHECK(read(scratch / "pipe").find("a named pipe; expected a regular file") != std::string::npos);
    CHECK(read("/dev/zero").find("a device; expected a regular file") != std::string::npos);
    fs::remove(scratch / "link");
    fs::create_symlink("/dev/zero", scratch / "link");
    CHECK(read(scratch / "link").find("a device; expected") != std::string::npos);
    fs::remove(scratch / "self");
    fs::create_symlink("self", scratch / "self");
    CHECK(read(scratch / "self").find("cannot read") != std::string::npos);
  }
}

TEST_CASE("A file larger than the cap is refused before its bytes are read", "[core]") {
  Scratch scratch;
  write_plain(scratch / "file", "12345");
  CHECK(read_file(scratch / "file", 5) == "12345");
  CHECK(message_of<Error>([&] { read_file(scratch / "file", 4); }).find("more than 4 bytes") != std::string::npos);
  fs::resize_file(scratch / "file", uintmax_t{1} << 40);  // sparse
  CHECK(message_of<Error>([&] { read_file(scratch / "file"); }).find("more than") != std::string::npos);
  CHECK_THROWS_AS(read_file("/proc/self/status", 10), Error);  // its size is said to be 0
}

TEST_CASE("A stream of this process is read like a file", "[core]") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  REQUIRE(::write(ends[1], "text", 4) == 4);
  ::close(ends[1]);
  CHECK(read_file("/dev/fd/" + std::to_string(ends[0])) == "text");
  ::close(ends[0]);
}

TEST_CASE("A folder has one owner at a time, and the message names it", "[core]") {
  Scratch scratch;
  const fs::path run = scratch / "runs/one";
  {
    const FolderLock lock(run);
    CHECK(read_file(run / ".lock") == std::to_string(::getpid()) + "\n");
    try {
      const FolderLock second(run);
      FAIL("the second lock was granted");
    } catch (const Error& problem) {
      CHECK(problem.code() == ExitCode::Locked);
      CHECK(std::string(problem.what()).find(run.string()) != std::string::npos);
      CHECK(std::string(problem.what()).find("process " + std::to_string(::getpid()) + ";") != std::string::npos);
    }
    const FolderLock other(scratch / "runs/two");
  }
  CHECK_NOTHROW(FolderLock(run));
}

TEST_CASE("A folder that nobody can write is said to need a copy", "[core]") {
  CHECK_THROWS_WITH(FolderLock("/sys"),
                    Catch::Contains("take a copy"));  // read-only or forbidden to everybody, root included
}

TEST_CASE("The lock of a killed process is free", "[core]") {
  Scratch scratch;
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    const FolderLock lock(scratch.path());
    if (::write(ready[1], "x", 1) == 1) ::pause();
    ::_exit(1);
  }
  char byte;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  const std::string message = message_of<Error>([&] { FolderLock(scratch.path()); });
  CHECK(message.find("process " + std::to_string(pid)) != std::string::npos);
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  CHECK_NOTHROW(FolderLock(scratch.path()));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE("gzip files are inflated, plain files pass through", "[core]") {
  Scratch scratch;
  for (size_t size : {size_t{0}, size_t{1}, size_t{1000}, size_t{300000}}) {
    for (const std::string& bytes : {varied(size), std::string(size, 'z')}) {
      write_plain(scratch / "plain", bytes);
      write_plain(scratch / "zipped", gzip(bytes));
      CHECK(read_gzip(scratch / "plain", size) == bytes);
      CHECK(read_gzip(scratch / "zipped", size) == bytes);
      if (size == 0) continue;
      CHECK_THROWS_AS(read_gzip(scratch / "plain", size - 1), Error);
      CHECK_THROWS_AS(read_gzip(scratch / "zipped", size - 1), Error);
    }
  }
  write_plain(scratch / "two", gzip("one,") + gzip("two"));  // gzip allows several members
  CHECK(read_gzip(scratch / "two", 100) == "one,two");
  CHECK_THROWS_AS(read_gzip(scratch / "missing", 100), Error);
}

TEST_CASE("Damaged gzip streams are refused", "[core]") {
  Scratch scratch;
  const std::string bytes = varied(2000), zipped = gzip(bytes);
  for (size_t size = 2; size < zipped.size(); size += size < 40 || size + 40 > zipped.size() ? 1 : 97) {
    write_plain(scratch / "cut", zipped.substr(0, size));
    INFO(size);
    CHECK(message_of<Error>([&] {
            read_gzip(scratch / "cut", 100000);
          }).find("truncated after " + std::to_string(size) + " bytes") != std::string::npos);
  }
  for (size_t at : {zipped.size() / 2, zipped.size() - 6, zipped.size() - 2}) {  // data, checksum, length
    std::string damaged = zipped;
    damaged[at] ^= 0x55;
    write_plain(scratch / "damaged", damaged);
    CHECK_THROWS_AS(read_gzip(scratch / "damaged", 100000), Error);
  }
  write_plain(scratch / "tail", zipped + "rubbish");
  CHECK_THROWS_AS(read_gzip(scratch / "tail", 100000), Error);
}

TEST_CASE("A small gzip bomb stops at the bound", "[core]") {
  Scratch scratch;
  write_plain(scratch / "bomb", gzip(std::string(20000000, '\0')));
  const std::string message = message_of<Error>([&] { read_gzip(scratch / "bomb", 1000); });
  CHECK(message.find("more than 1000 bytes") != std::string::npos);
}
