// Walks folders with an explicit stack, entries in the order of their bytes, folders themselves before links to
// folders, so that a file that can be reached in two ways keeps its own path.
#include "data/formats/listing.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <set>
#include <utility>

#include "condenser/core/error.hpp"
#include "condenser/core/log.hpp"
#include "condenser/core/text.hpp"

namespace condenser::data {
namespace fs = std::filesystem;
namespace {

constexpr size_t kNamed = 3;

struct Reason {
  Why why;
  const char* text;
  bool problem;
};

// In the order of Why.
constexpr Reason kReasons[] = {
    {Why::Hidden, "hidden, their names begin with a dot", false},
    {Why::System, "left behind by an operating system", false},
    {Why::Ending, "of another kind by the ending of their names", false},
    {Why::OtherPicture, "pictures of a format that is not read; convert them to .png or .jpg", true},
    {Why::OtherSound, "sounds of a format that is not read; convert them to .wav", true},
    {Why::Outside, "outside the folders of classes", true},
    {Why::NoClass, "in folders of no class", false},
    {Why::NoSplit, "in folders of no split", true},
    {Why::NotListed, "not named by any list", false},
    {Why::ListedTwice, "named again by a list", true},
    {Why::BrokenLink, "links that lead nowhere", true},
    {Why::Loop, "links to folders that are read already", true},
    {Why::Special, "devices, named pipes or sockets", true},
    {Why::Unlistable, "folders that cannot be listed", true},
};

constexpr std::string_view kSystemNames[] = {"__MACOSX",   "@eaDir",      "lost+found", "$RECYCLE.BIN",
                                             "Thumbs.db",  "desktop.ini", "#recycle",   "System Volume Information",
                                             "Desktop.ini"};
constexpr std::string_view kOtherPictures[] = {".bmp",  ".gif",  ".webp",  ".tif",  ".tiff", ".heic", ".heif",
                                               ".avif", ".jp2",  ".jxl",   ".jfif", ".jpe",  ".ppm",  ".pgm",
                                               ".pnm",  ".dng",  ".apng",  ".tga",  ".ico",  ".cr2",  ".nef",
                                               ".arw",  ".jpg_", ".jpeg_", ".jpg~", ".png~", ".jps",  ".svg"};
constexpr std::string_view kOtherSounds[] = {".mp3", ".flac", ".ogg", ".oga",  ".opus", ".m4a",  ".aac", ".wma",
                                             ".aif", ".aiff", ".au",  ".wave", ".amr",  ".webm", ".3gp", ".caf"};

// Texts about a data set, and its checksums, are no data, and belong where they are.
constexpr std::string_view kAbout[] = {"readme",  "license",      "licence",    "copying",    "notice",   "citation",
                                       "authors", "contributing", "changelog",  "changes",    "version",  "attribution",
                                       "md5sums", "sha1sums",     "sha256sums", "sha512sums", "checksums"};

bool is_about(const std::string& name) {
  std::string lower = name;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const std::string stem = lower.substr(0, lower.find_first_of(".-_ "));
  return lower == "card.yaml" || std::ranges::find(kAbout, stem) != std::end(kAbout);
}

bool is_hidden(const std::string& name) { return name.starts_with('.'); }
bool is_system(const std::string& name) { return std::ranges::find(kSystemNames, name) != std::end(kSystemNames); }

enum class Kind { File, Folder, Broken, Special };

struct Entry {
  std::string name;
  Kind kind = Kind::Broken;
  bool link = false;
  std::pair<dev_t, ino_t> id{};  // of what a link leads to
};

Entry look_at(const fs::path& path, const std::string& name) {
  Entry entry;
  entry.name = name;
  struct stat status {};
  entry.link = ::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
  if (::stat(path.c_str(), &status) != 0) return entry;
  entry.id = {status.st_dev, status.st_ino};
  entry.kind = S_ISREG(status.st_mode) ? Kind::File : S_ISDIR(status.st_mode) ? Kind::Folder : Kind::Special;
  return entry;
}

// False when the folder cannot be listed: `failed` says why.
bool entries_of(const fs::path& folder, std::vector<Entry>& entries, std::error_code& failed) {
  std::vector<std::string> names;
  for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed))
    names.push_back(it->path().filename().string());
  if (failed) return false;
  std::ranges::sort(names);
  for (const std::string& name : names) entries.push_back(look_at(folder / name, name));
  return true;
}

core::Error unlistable(const fs::path& folder, const std::error_code& failed) {
  return core::Error(folder.string() + ": cannot be listed: " + failed.message());
}

// Why a file that is not wanted is not.
Why why_not(const Entry& entry) {
  if (is_hidden(entry.name)) return Why::Hidden;
  if (is_system(entry.name)) return Why::System;
  if (entry.kind == Kind::Broken) return Why::BrokenLink;
  if (entry.kind == Kind::Special) return Why::Special;
  if (ends_in(entry.name, kOtherPictures)) return Why::OtherPicture;
  if (ends_in(entry.name, kOtherSounds)) return Why::OtherSound;
  return Why::Ending;
}

class Walk {
 public:
  Walk(const fs::path& folder, std::span<const std::string_view> endings) : endings_(endings) {
    std::error_code failed;
    for (fs::path above = fs::canonical(folder, failed); !failed; above = above.parent_path()) {
      met_.insert(look_at(above, "").id);
      if (above == above.parent_path()) break;
    }
    std::vector<Entry> entries;
    if (failed || !entries_of(folder, entries, failed)) throw unlistable(folder, failed);
    take(folder, entries);
  }

  Listing run() {
    while (!folders_.empty() || !links_.empty()) {
      std::vector<fs::path>& next = folders_.empty() ? links_ : folders_;
      const fs::path folder = std::move(next.back());
      next.pop_back();
      enter(folder);
    }
    std::ranges::sort(listing_.files, {}, [](const fs::path& file) -> const std::string& { return file.native(); });
    return std::move(listing_);
  }

 private:
  void enter(const fs::path& folder) {
    if (!met_.insert(look_at(folder, "").id).second) {
      pass_over(Why::Loop, folder);
      return;
    }
    std::vector<Entry> entries;
    std::error_code failed;
    if (entries_of(folder, entries, failed))
      take(folder, entries);
    else
      pass_over(Why::Unlistable, folder);
  }

  void take(const fs::path& folder, const std::vector<Entry>& entries) {
    // From the back: the stack then gives the first of the names first.
    for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
      const fs::path path = folder / entry->name;
      if (is_hidden(entry->name) || is_system(entry->name))
        pass_over(why_not(*entry), path);
      else if (entry->kind == Kind::Folder)
        (entry->link ? links_ : folders_).push_back(path);
      else if (ends_in(path, endings_))
        listing_.files.push_back(path);
      else
        pass_over(why_not(*entry), path);
    }
  }

  void pass_over(Why why, const fs::path& path) {
    if (why != Why::Ending || !is_about(path.filename().string())) listing_.unused.add(why, path);
  }

  std::span<const std::string_view> endings_;
  std::set<std::pair<dev_t, ino_t>> met_;  // folders read, and those above the first
  std::vector<fs::path> folders_, links_;  // still to be read
  Listing listing_;
};

}  // namespace

const char* text_of(Why why) { return kReasons[static_cast<size_t>(why)].text; }
bool is_problem(Why why) { return kReasons[static_cast<size_t>(why)].problem; }

std::string text_of(const Unused& unused) {
  std::vector<std::string> names = unused.first;
  if (unused.count > std::ssize(names)) names.emplace_back("...");
  return std::to_string(unused.count) + " " + text_of(unused.why) + " (" + core::join(names) + ")";
}

void UnusedFiles::add(Why why, const fs::path& shown, int64_t count) {
  auto at = std::ranges::lower_bound(entries_, why, {}, &Unused::why);
  if (at == entries_.end() || at->why != why) at = entries_.insert(at, {why, 0, {}});
  at->count += count;
  if (at->first.size() < kNamed) at->first.push_back(shown.string());
}

void UnusedFiles::add(const UnusedFiles& others) {
  for (const Unused& other : others.entries_) {
    for (size_t i = 0; i < other.first.size(); ++i) {
      const bool last = i + 1 == other.first.size();  // stands for those without a name too
      add(other.why, other.first[i], last ? other.count - static_cast<int64_t>(i) : 1);
    }
  }
}

bool ends_in(const fs::path& file, std::span<const std::string_view> endings) {
  std::string name = file.filename().string();
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::ranges::any_of(endings, [&](std::string_view ending) { return name.ends_with(ending); });
}

Listing list_files(const fs::path& folder, std::span<const std::string_view> endings) {
  return Walk(folder, endings).run();
}

Folders list_folders(const fs::path& folder, std::span<const std::string_view> endings,
                     std::span<const std::string_view> known) {
  Folders folders;
  std::vector<Entry> entries;
  std::error_code failed;
  if (!entries_of(folder, entries, failed)) throw unlistable(folder, failed);
  for (const Entry& entry : entries) {
    if (entry.kind == Kind::Folder && !is_hidden(entry.name) && !is_system(entry.name)) {
      folders.names.push_back(entry.name);
    } else if (std::ranges::find(known, entry.name) == known.end()) {
      const Why why = why_not(entry);
      if (why == Why::Ending && !ends_in(entry.name, endings) && is_about(entry.name)) continue;
      folders.unused.add(why == Why::Ending && ends_in(entry.name, endings) ? Why::Outside : why, folder / entry.name);
    }
  }
  return folders;
}

void tell(const Finding& finding, const OpenOptions& options) {
  if (options.on_finding)
    options.on_finding(finding);
  else
    core::log::warning(finding.text);
}

void tell_unused(const fs::path& where, const UnusedFiles& unused, const OpenOptions& options) {
  if (options.on_unused) {
    for (const Unused& entry : unused.entries()) options.on_unused(entry);
    return;
  }
  if (unused.empty()) return;
  Finding finding;
  finding.kind = "unused";
  std::vector<std::string> parts;
  for (const Unused& entry : unused.entries()) {
    parts.push_back(text_of(entry));
    finding.count += entry.count;
    finding.problem |= is_problem(entry.why);
  }
  finding.text = where.string() + ": not used: " + core::join(parts, "; ");
  tell(finding, options);
}

}  // namespace condenser::data
