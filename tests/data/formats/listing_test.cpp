// Everything in a folder is listed or counted under a reason.
#include "data/formats/listing.hpp"

#include <sys/stat.h>

#include "data/fixtures.hpp"
#include "support/catch.hpp"

using namespace condenser::data;
using namespace condenser::data::testing;
namespace fs = std::filesystem;

namespace {

constexpr std::string_view kPng[] = {".png"};

std::vector<std::string> names(const Listing& listing, const fs::path& below) {
  std::vector<std::string> out;
  for (const fs::path& file : listing.files) out.push_back(file.lexically_relative(below).string());
  return out;
}

int64_t count(const UnusedFiles& unused, Why why) {
  for (const Unused& entry : unused.entries())
    if (entry.why == why) return entry.count;
  return 0;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("files are found at any depth, endings in capitals too", "[data][listing]") {
  const TempFolder folder;
  for (const char* name : {"b.png", "a/x.PNG", "a/b/c/d/e.Png", "a-b/1.png", "no.ending.png"}) folder.write(name, "x");
  for (const char* name : {".png", ".hidden/x.png", "a/notes.txt", "a/x.bmp", "song.mp3", "png", "Thumbs.db"})
    folder.write(name, "x");
  const Listing listing = list_files(folder.path(), kPng);
  CHECK(names(listing, folder.path()) == Names{"a-b/1.png", "a/b/c/d/e.Png", "a/x.PNG", "b.png", "no.ending.png"});
  CHECK(count(listing.unused, Why::Hidden) == 2);
  CHECK(count(listing.unused, Why::Ending) == 2);
  CHECK(count(listing.unused, Why::OtherPicture) == 1);
  CHECK(count(listing.unused, Why::OtherSound) == 1);
  CHECK(count(listing.unused, Why::System) == 1);
  CHECK(listing.unused.entries().size() == 5);
}

TEST_CASE("texts about the data are no data, and nothing to report", "[data][listing]") {
  const TempFolder folder;
  for (const char* name : {"card.yaml", "README.md", "readme", "LICENSE-2.txt", "a/README", "a/LICENCE.txt",
                           "SHA256SUMS", "a/md5sums.txt"})
    folder.write(name, "x");
  CHECK(list_files(folder.path(), kPng).unused.empty());
  CHECK(list_folders(folder.path(), kPng).unused.empty());
  folder.write("readme.png", "x");
  folder.write("notes.txt", "x");
  folder.write("licence.bmp", "x");
  CHECK(list_files(folder.path(), kPng).files.size() == 1);
  CHECK(count(list_files(folder.path(), kPng).unused, Why::Ending) == 1);
  CHECK(count(list_folders(folder.path(), kPng).unused, Why::Outside) == 1);
  CHECK(count(list_folders(folder.path(), kPng).unused, Why::OtherPicture) == 1);
}

TEST_CASE("links are followed once and never round in circles", "[data][listing]") {
  const TempFolder folder;
  folder.write("root/a/1.png", "x");
  folder.write("elsewhere/2.png", "x");
  folder.write("root/real/3.png", "x");
  const fs::path root = folder.path() / "root";
  fs::create_symlink("../../elsewhere", root / "a/there");
  fs::create_symlink("../../elsewhere/2.png", root / "a/file.png");
  fs::create_symlink("../real", root / "a/again");  // sorts before the folder itself
  fs::create_symlink("..", root / "a/up");
  fs::create_symlink("../..", root / "a/above");
  fs::create_symlink("self", root / "self");
  fs::create_symlink("self.png", root / "self.png");
  fs::create_symlink("gone", root / "broken");
  const Listing listing = list_files(root, kPng);
  CHECK(names(listing, root) == Names{"a/1.png", "a/file.png", "a/there/2.png", "real/3.png", "self.png"});
  CHECK(count(listing.unused, Why::Loop) == 3);
  CHECK(count(listing.unused, Why::BrokenLink) == 2);
  CHECK(listing.unused.entries().size() == 2);
}

TEST_CASE("a web of links is walked once", "[data][listing]") {
  const TempFolder folder;
  for (int i = 0; i < 40; ++i) {
    const fs::path at = folder.path() / std::to_string(i);
    folder.write(std::to_string(i) + "/x.png", "x");
    if (i > 0) fs::create_symlink("../" + std::to_string(i - 1), at / "one");
    if (i > 0) fs::create_symlink("../" + std::to_string(i - 1), at / "two");
  }
  const Listing listing = list_files(folder.path() / "39", kPng);
  CHECK(listing.files.size() == 40);
  CHECK(count(listing.unused, Why::Loop) == 39);
}

TEST_CASE("pipes and sockets are counted, and those named like data are left to the reader", "[data][listing]") {
  const TempFolder folder;
  REQUIRE(::mkfifo((folder.path() / "pipe").c_str(), 0600) == 0);
  REQUIRE(::mkfifo((folder.path() / "pipe.png").c_str(), 0600) == 0);
  fs::create_symlink("/dev/zero", folder.path() / "zero");
  const Listing listing = list_files(folder.path(), kPng);
  CHECK(names(listing, folder.path()) == Names{"pipe.png"});
  CHECK(count(listing.unused, Why::Special) == 2);
}

TEST_CASE("folders of classes are told from what lies beside them", "[data][listing]") {
  const TempFolder folder;
  folder.write("b/1.png", "x");
  folder.write("far/1.png", "x");
  folder.write("lost.PNG", "x");
  folder.write("notes.txt", "x");
  folder.write(".git/x", "x");
  fs::create_directory(folder.path() / "a");
  fs::create_symlink("far", folder.path() / "link");
  fs::create_symlink("c", folder.path() / "c");
  const Folders folders = list_folders(folder.path(), kPng);
  CHECK(folders.names == Names{"a", "b", "far", "link"});
  CHECK(count(folders.unused, Why::Outside) == 1);
  CHECK(count(folders.unused, Why::Ending) == 1);
  CHECK(count(folders.unused, Why::Hidden) == 1);
  CHECK(count(folders.unused, Why::BrokenLink) == 1);
  CHECK(contains(error_of([&] { list_folders(folder.path() / "none", kPng); }), "none: cannot be listed"));
}

TEST_CASE("what is not used is said with number, reason and some names", "[data][listing]") {
  UnusedFiles some, more;
  for (int i = 0; i < 5; ++i) some.add(Why::Ending, std::to_string(i) + ".txt");
  some.add(Why::Hidden, ".x");
  more.add(some);
  more.add(Why::Ending, "9.txt");
  REQUIRE(more.entries().size() == 2);
  CHECK(more.entries()[1].count == 6);
  CHECK(text_of(more.entries()[1]) == "6 of another kind by the ending of their names (0.txt, 1.txt, 2.txt, ...)");
  CHECK(text_of(more.entries()[0]) == "1 hidden, their names begin with a dot (.x)");
}
