#pragma once
// What lies in a data folder: the files to read, and all others with the reason why they are not. Private to src/data.

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "condenser/data/card.hpp"

namespace condenser::data {

// Counts files that are passed over: one entry per reason, in the order of Why, with the first names.
class UnusedFiles {
 public:
  // `shown`: the path as people know it.
  void add(Why, const std::filesystem::path& shown, int64_t count = 1);
  void add(const UnusedFiles&);
  bool empty() const { return entries_.empty(); }
  const std::vector<Unused>& entries() const { return entries_; }

 private:
  std::vector<Unused> entries_;
};

struct Listing {
  std::vector<std::filesystem::path> files;  // sorted by the bytes of their paths, as LC_ALL=C sort does
  UnusedFiles unused;
};

// The files below `folder`, in folders of any depth, whose names end in one of `endings` (".wav"; letters of either
// case). Links to files and folders are followed; a folder that was met before, or lies above `folder`, is not entered
// again. Files of such a name that cannot be opened (broken links, named pipes, devices) are listed too, so that
// reading them says what is wrong. Hidden files and folders, and those that operating systems leave behind, are passed
// over, as are texts about the data (card.yaml, README, LICENSE ...). Throws core::Error when `folder` cannot be
// listed.
Listing list_files(const std::filesystem::path& folder, std::span<const std::string_view> endings);

// The folders in `folder` (links to folders too), one level deep: those of classes or splits.
struct Folders {
  std::vector<std::string> names;  // sorted
  UnusedFiles unused;              // all else that lies there; files that end in `endings` as Why::Outside
};
// `known`: names of files that serve another purpose there, such as lists.
Folders list_folders(const std::filesystem::path& folder, std::span<const std::string_view> endings,
                     std::span<const std::string_view> known = {});

// Whether a name ends in one of `endings`, letters of either case.
bool ends_in(const std::filesystem::path& file, std::span<const std::string_view> endings);

// Hands a finding to `options.on_finding`, or says it in a warning.
void tell(const Finding&, const OpenOptions& options);

// Hands what was passed over to `options.on_unused`, or says it in one finding: "<where>: 3 files are not used: ...".
void tell_unused(const std::filesystem::path& where, const UnusedFiles&, const OpenOptions& options);

}  // namespace condenser::data
