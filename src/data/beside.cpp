// The folder above the splits, and folders that hold lists.
#include "data/beside.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "condenser/core/error.hpp"
#include "data/formats/formats.hpp"

namespace condenser::data {
namespace fs = std::filesystem;
namespace {

fs::path real(const fs::path& path) {
  std::error_code failed;
  const fs::path found = fs::weakly_canonical(path, failed);
  return failed ? path.lexically_normal() : found;
}

bool below(const fs::path& path, const fs::path& folder) {
  const auto [end, ignored] = std::ranges::mismatch(folder, path);
  return end == folder.end();
}

// Only where all splits lie side by side: their folder is then known to be about these data.
UnusedFiles beside_folders(const Card& card, std::span<const std::string_view> endings) {
  UnusedFiles unused;
  std::set<fs::path> used, parents;
  for (const auto& [split, files] : card.splits) {
    used.insert(real(place_of(card, split)));
    parents.insert(place_of(card, split).parent_path());
  }
  if (parents.size() != 1 || used.contains(real(card.root))) return unused;
  const fs::path& parent = *parents.begin();
  const Folders folders = list_folders(parent, endings);
  for (const std::string& name : folders.names) {
    const fs::path folder = parent / name, target = real(folder);
    if (std::ranges::any_of(used, [&](const fs::path& split) { return below(split, target); })) continue;
    const auto items = std::ssize(list_files(folder, endings).files);
    if (items > 0) unused.add(Why::NoSplit, folder / "", items);
  }
  for (const Unused& entry : folders.unused.entries()) {  // scripts and notes may lie here
    if (entry.why == Why::Outside || entry.why == Why::OtherPicture || entry.why == Why::OtherSound)
      for (const std::string& name : entry.first) unused.add(entry.why, name, 1);
  }
  return unused;
}

// One level deep: a list may name pictures of a folder that holds much else.
UnusedFiles beside_lists(const Card& card) {
  std::set<std::string> named;
  std::set<fs::path> folders;
  for (const auto& [split, files] : card.splits) {
    if (!fs::is_regular_file(place_of(card, split))) continue;
    for (const std::string& picture : csv_pictures(card, split)) {
      named.insert(picture);
      folders.insert(fs::path(picture).parent_path());
    }
  }
  UnusedFiles unused;
  for (const fs::path& folder : folders) {
    std::set<std::string> others;
    std::error_code failed;
    for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed)) {
      const std::string name = it->path().filename().string();
      if (ends_in(name, kPictureEndings) && !name.starts_with('.')) others.insert(it->path().string());
    }
    for (const std::string& picture : others)
      if (!named.contains(picture)) unused.add(Why::NotListed, picture);
  }
  return unused;
}

}  // namespace

std::string split_called(const std::string& folder) {
  static const std::map<std::string, std::string> names{
      {"train", "train"},      {"training", "train"},        {"test", "test"},
      {"testing", "test"},     {"validation", "validation"}, {"val", "validation"},
      {"valid", "validation"}, {"dev", "validation"},        {"eval", "validation"}};
  std::string lower = folder;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto found = names.find(lower);
  return found == names.end() ? "" : found->second;
}

UnusedFiles beside_splits(const Card& card) {
  try {
    if (card.format == "image_folder") return beside_folders(card, kPictureEndings);
    if (card.format == "wav_folder") return beside_folders(card, kSoundEndings);
    if (card.format == "csv") return beside_lists(card);
    return {};
  } catch (const core::Error&) {
    return {};
  } catch (const fs::filesystem_error&) {
    return {};  // opening the splits says what is wrong with the folder
  }
}

}  // namespace condenser::data
