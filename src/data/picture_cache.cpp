// Decodes a list of pictures once. A cache file is made under a temporary name, flushed and renamed, so that it is
// whole or absent; of several processes that need the same one, one makes it and the others wait.
//
// File: a header, a byte per picture (1: damaged), zeros up to a page, planes [n, c, h, w].
#include "data/picture_cache.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <thread>
#include <utility>

#include "condenser/core/error.hpp"
#include "condenser/core/hash.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/core/table.hpp"
#include "condenser/core/text.hpp"
#include "data/formats/listing.hpp"
#include "data/names.hpp"
#include "data/parallel.hpp"

namespace condenser::data {
namespace fs = std::filesystem;
namespace {

constexpr int64_t kMostMemory = int64_t{1} << 30;  // of Cache::Auto
constexpr int64_t kMostDisk = int64_t{32} << 30;
constexpr int64_t kPage = 4096;

core::Error failure(const fs::path& path, const std::string& what, int reason) {
  return core::Error(path.string() + ": " + what + ": " + std::strerror(reason) +
                     "; choose another dataset.cache_folder, or dataset.cache: none");
}

// Every picture at the same size. The bytes may belong to a mapping.
struct Decoded {
  std::shared_ptr<const uint8_t> planes;   // [n, c, h, w]
  std::shared_ptr<const uint8_t> damaged;  // [n]
};

class CachedPictures : public Dataset {
 public:
  CachedPictures(std::shared_ptr<const Pictures> pictures, const ItemShape& stored,
                 std::shared_ptr<const uint8_t> planes)
      : pictures_(std::move(pictures)), stored_(stored), planes_(std::move(planes)) {}

  int64_t size() const override { return pictures_->size(); }
  ItemShape shape() const override { return pictures_->shape(); }
  const std::vector<std::string>& classes() const override { return pictures_->classes(); }
  const Normalization& normalization() const override { return pictures_->normalization(); }
  bool multi_label() const override { return pictures_->multi_label(); }
  int label(int64_t i) const override { return pictures_->label(i); }
  void targets(int64_t i, std::span<float> out) const override { pictures_->targets(i, out); }
  std::string name(int64_t i) const override { return pictures_->name(i); }
  void get(int64_t i, std::span<float> out) const override { write(i, {}, out); }
  void draw(int64_t i, const SampleAugment& augment, core::Rng& rng, std::span<float> out) const override {
    write(i, random_window(augment, rng), out);
  }

 private:
  void write(int64_t i, const Window& window, std::span<float> out) const {
    check_item(i, size(), shape(), out);
    write_item(planes_.get() + i * stored_.elements(), stored_, window, shape(), pictures_->normalizer(), out);
  }

  std::shared_ptr<const Pictures> pictures_;
  ItemShape stored_;
  std::shared_ptr<const uint8_t> planes_;
};

// `planes` null: only looked at.
void decode_all(const Pictures& pictures, const ItemShape& stored, OnDamaged on_damaged, uint8_t* planes,
                uint8_t* damaged) {
  const int64_t elements = stored.elements();
  for_each(pictures.size(), [&](int64_t i) {
    thread_local std::vector<uint8_t> scratch;
    if (!planes) scratch.resize(elements);
    const std::span<uint8_t> out(planes ? planes + i * elements : scratch.data(), elements);
    try {
      pictures.decode(i, {}, stored.h, stored.w, out);
    } catch (const core::Error&) {
      if (on_damaged == OnDamaged::Stop) throw;
      damaged[i] = 1;
    }
  });
}

class File {
 public:
  File(const fs::path& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// Lives as long as someone holds it. Null on failure, with errno.
std::shared_ptr<uint8_t> map_file(const File& file, int64_t size, int protection) {
  void* at = ::mmap(nullptr, static_cast<size_t>(size), protection, MAP_SHARED, file.get(), 0);
  if (at == MAP_FAILED) return nullptr;
  return {static_cast<uint8_t*>(at), [size](uint8_t* p) { ::munmap(p, static_cast<size_t>(size)); }};
}

struct Header {
  char magic[16];
  char key[32];
  int64_t count, c, h, w;
  bool operator==(const Header& other) const { return std::memcmp(this, &other, sizeof *this) == 0; }
};

Header header_of(const fs::path& file, int64_t count, const ItemShape& stored) {
  Header header{"condenser-pix-4", "", count, stored.c, stored.h, stored.w};
  std::memcpy(header.key, file.stem().c_str(), sizeof header.key);
  return header;
}

struct Layout {
  int64_t damaged, planes, end;  // offsets
};

Layout layout_of(const Header& header) {
  const int64_t begin = (static_cast<int64_t>(sizeof(Header)) + header.count + kPage - 1) / kPage * kPage;
  return {sizeof(Header), begin, begin + header.count * header.c * header.h * header.w};
}

Decoded parts_of(std::shared_ptr<const uint8_t> bytes, const Layout& layout) {
  const uint8_t* at = bytes.get();
  return {{bytes, at + layout.planes}, {bytes, at + layout.damaged}};
}

// Empty when there is no such file, or not the expected one.
Decoded open_file(const fs::path& path, const Header& expected) {
  const File file(path, O_RDONLY);
  const Layout layout = layout_of(expected);
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0 || status.st_size != layout.end) return {};
  auto bytes = map_file(file, layout.end, PROT_READ);
  if (!bytes || !(*reinterpret_cast<const Header*>(bytes.get()) == expected)) return {};
  return parts_of(std::move(bytes), layout);
}

void make_file(const fs::path& path, const Header& header, const Pictures& pictures, const ItemShape& stored,
               OnDamaged on_damaged) {
  const fs::path temporary = path.string() + ".tmp-" + std::to_string(::getpid());
  const Layout layout = layout_of(header);
  struct Remove {
    const fs::path& file;
    ~Remove() { ::unlink(file.c_str()); }  // nothing is there after the renaming
  } remove{temporary};
  const File file(temporary, O_RDWR | O_CREAT | O_TRUNC);
  if (file.get() < 0) throw failure(temporary, "cannot write", errno);
  // All of the room at once: a full disk is an error here and not a fault while writing to the mapping.
  if (const int reason = ::posix_fallocate(file.get(), 0, layout.end)) {
    throw failure(path, "no room for " + core::bytes_text(layout.end) + " of decoded pictures", reason);
  }
  const auto bytes = map_file(file, layout.end, PROT_READ | PROT_WRITE);
  if (!bytes) throw failure(temporary, "cannot map", errno);
  decode_all(pictures, stored, on_damaged, bytes.get() + layout.planes, bytes.get() + layout.damaged);
  std::memcpy(bytes.get(), &header, sizeof header);
  if (::msync(bytes.get(), static_cast<size_t>(layout.end), MS_SYNC) != 0 || ::fsync(file.get()) != 0) {
    throw failure(path, "cannot flush", errno);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) throw failure(path, "cannot replace", errno);
}

void lock(const File& file, const fs::path& path) {
  if (file.get() < 0) throw failure(path, "cannot write", errno);
  bool told = false;
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) throw failure(path, "cannot lock", errno);
    if (core::stop_requested()) throw core::Stopped("stopped while reading the data set");
    if (!std::exchange(told, true))
      core::log::info(path.string() + ": another process decodes the same pictures; waiting");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

Decoded from_disk(const Pictures& pictures, const ItemShape& stored, const OpenOptions& options) {
  const fs::path folder = options.cache_folder.empty() ? default_cache_folder() : options.cache_folder;
  const fs::path path = cache_file(pictures, stored, folder);
  const Header header = header_of(path, pictures.size(), stored);
  if (Decoded found = open_file(path, header); found.planes) return found;
  std::error_code reason;
  fs::create_directories(folder, reason);
  if (reason) throw failure(folder, "cannot create the folder", reason.value());
  const fs::path lock_path = path.string() + ".lock";
  const File lock_file(lock_path, O_RDWR | O_CREAT);
  lock(lock_file, lock_path);
  if (Decoded found = open_file(path, header); found.planes) return found;
  core::log::info("decoding " + core::thousands(pictures.size()) + " pictures once into " + path.string() + ", " +
                  core::bytes_text(layout_of(header).end));
  make_file(path, header, pictures, stored, options.on_damaged);
  ::unlink(lock_path.c_str());
  Decoded made = open_file(path, header);
  if (!made.planes) throw core::Error(path.string() + ": cannot be read back; expected the cache written just now");
  return made;
}

Decoded from_memory(const Pictures& pictures, const ItemShape& stored, OnDamaged on_damaged) {
  auto planes = std::make_shared_for_overwrite<uint8_t[]>(pictures.size() * stored.elements());
  auto damaged = std::make_shared<uint8_t[]>(pictures.size());
  decode_all(pictures, stored, on_damaged, planes.get(), damaged.get());
  return {{planes, planes.get()}, {damaged, damaged.get()}};
}

Decoded only_looked_at(const Pictures& pictures, const ItemShape& stored) {
  auto damaged = std::make_shared<uint8_t[]>(pictures.size());
  decode_all(pictures, stored, OnDamaged::Skip, nullptr, damaged.get());
  return {nullptr, {damaged, damaged.get()}};
}

int64_t available_memory() {
  std::ifstream info("/proc/meminfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("MemAvailable:")) return std::atoll(line.c_str() + 13) * 1024;
  }
  return 0;
}

// The set without its damaged items, which are named.
std::shared_ptr<const Dataset> without_damaged(std::shared_ptr<const Dataset> whole, const Pictures& pictures,
                                               const uint8_t* damaged, const OpenOptions& options) {
  const int64_t count = std::count(damaged, damaged + pictures.size(), 1);
  if (count == 0) return whole;
  std::vector<int64_t> kept;
  std::vector<std::string> left_out;
  for (int64_t i = 0; i < pictures.size(); ++i) {
    if (!damaged[i]) {
      kept.push_back(i);
      continue;
    }
    if (options.on_damaged == OnDamaged::Stop || kept.size() + count == 0) {
      std::vector<uint8_t> planes(pictures.shape().elements());
      pictures.decode(i, {}, pictures.shape().h, pictures.shape().w, planes);  // says what is wrong
    }
    left_out.push_back(pictures.name(i));
  }
  const std::string found = core::thousands(count) + " of " + core::thousands(pictures.size()) +
                            " pictures cannot be decoded: " + some_of(left_out);
  if (kept.empty()) throw core::Error(found + "; expected at least one that can");
  tell({true, "damaged", "", count, found + "; they are left out (dataset.on_damaged: skip)", std::move(left_out)},
       options);
  return subset(std::move(whole), std::move(kept));
}

}  // namespace

ItemShape stored_shape(const ItemShape& shape, double crop_area) {
  const double factor = std::min(2.0, 1 / std::sqrt(std::clamp(crop_area, 0.01, 1.0)));
  const auto extent = [factor](int64_t n) { return static_cast<int64_t>(std::ceil(static_cast<double>(n) * factor)); };
  return {shape.c, extent(shape.h), extent(shape.w)};
}

Cache choose_cache(Cache cache, int64_t bytes, int64_t free_bytes) {
  if (cache != Cache::Auto) return cache;
  if (bytes <= std::min(kMostMemory, free_bytes / 4)) return Cache::Memory;
  return bytes <= kMostDisk ? Cache::Disk : Cache::None;
}

fs::path cache_file(const Pictures& pictures, const ItemShape& stored, const fs::path& folder) {
  std::string text = std::to_string(stored.c) + " " + std::to_string(stored.h) + " " + std::to_string(stored.w) + "\n";
  for (int64_t i = 0; i < pictures.size(); ++i) {
    const fs::path file = pictures.name(i);
    std::error_code missing;  // said when it is decoded
    text += fs::absolute(file).string() + "\n" + std::to_string(fs::file_size(file, missing)) + " " +
            std::to_string(fs::last_write_time(file, missing).time_since_epoch().count()) + "\n";
  }
  return folder / (core::hash128(text).hex() + ".pictures");
}

fs::path default_cache_folder() {
  for (const auto& [variable, below] : {std::pair{"XDG_CACHE_HOME", "condenser"}, {"HOME", ".cache/condenser"}}) {
    const char* value = std::getenv(variable);
    if (value && *value) return fs::path(value) / below;
  }
  throw core::ConfigError(
      "neither XDG_CACHE_HOME nor HOME is set; expected a place for decoded pictures: set dataset.cache_folder");
}

std::shared_ptr<const Dataset> open_pictures(std::shared_ptr<const Pictures> pictures, const OpenOptions& options) {
  const ItemShape stored = stored_shape(pictures->shape(), options.crop_area);
  Decoded decoded;
  switch (choose_cache(options.cache, pictures->size() * stored.elements(), available_memory())) {
    case Cache::Memory: decoded = from_memory(*pictures, stored, options.on_damaged); break;
    case Cache::Disk: decoded = from_disk(*pictures, stored, options); break;
    default:
      if (options.on_damaged == OnDamaged::Skip) decoded = only_looked_at(*pictures, pictures->shape());
  }
  std::shared_ptr<const Dataset> whole = pictures;
  if (decoded.planes) whole = std::make_shared<CachedPictures>(pictures, stored, std::move(decoded.planes));
  if (!decoded.damaged) return whole;
  return without_damaged(std::move(whole), *pictures, decoded.damaged.get(), options);
}

}  // namespace condenser::data
