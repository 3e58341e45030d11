// `condenser init`: a look at data of one's own, and a run file that can be read.

#include <nlohmann/json.hpp>

#include "data/fixtures.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using Catch::Matchers::Contains;
using namespace condenser::tests;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

// `classes` x `count` pictures of h x w in data/<class>/; grey in three channels unless `colour`.
struct Pictures {
  TempFolder folder;
  Pictures(int classes, int count, int h, int w, bool colour) {
    for (int c = 0; c < classes; ++c)
      for (int k = 0; k < count; ++k) {
        std::vector<uint8_t> pixels(static_cast<size_t>(3 * h * w), static_cast<uint8_t>(20 + 40 * c + k));
        if (colour) pixels[1] = 255;
        folder.write("data/class" + std::to_string(c) + "/" + std::to_string(k) + ".png",
                     condenser::data::testing::png_bytes(3, h, w, pixels));
      }
  }
  Finished run(std::vector<std::string> words) const { return run_condenser(std::move(words), folder.path()); }
  std::string made() const { return slurp(folder / "mine/run.yaml"); }
};

bool contains_line(const std::string& text, const std::string& begin) {
  return ("\n" + text).find("\n" + begin) != std::string::npos;
}

}  // namespace

TEST_CASE("init writes a run file that the data need, and says what comes next", "[cli][init]") {
  const Pictures p(3, 12, 30, 41, false);
  const Finished f = p.run({"init", "mine", "--from", "data"});
  INFO(f.err);
  REQUIRE(f.code == 0);
  CHECK_THAT(f.out, Contains("36 pictures") && Contains("41x30") && Contains("grey") && Contains("3 classes"));
  CHECK_THAT(f.out, Contains("next: condenser data check mine/run.yaml"));
  CHECK_THAT(p.made(), Contains("name: \"mine\"") && Contains("shape: [1, 28, 28]") && Contains("batch_size: 4"));
  const Finished check = p.run({"data", "check", "mine/run.yaml"});
  INFO(check.out << check.err);
  CHECK(check.code == 0);
  const Finished dry = p.run({"run", "mine/run.yaml", "--dry-run"});
  INFO(dry.out << dry.err);
  CHECK(dry.code == 0);
  CHECK_FALSE(fs::exists(p.folder / "runs"));
}

TEST_CASE("init names a machine for the gate and the proof", "[cli][init]") {
  const Pictures p(2, 12, 30, 30, false);
  for (const char* machine : {"cortex-m4", "aarch64"}) {
    const Finished f = p.run({"init", machine, "--from", "data", "--machine", machine});
    INFO(f.err);
    REQUIRE(f.code == 0);
    const std::string text = slurp(p.folder / (std::string(machine) + "/run.yaml"));
    CHECK_THAT(text, Contains(std::string("  machines: [") + machine + "]"));
    CHECK(contains_line(text, std::string("  machine: ") + machine) == (machine == std::string("cortex-m4")));
    const Finished dry = p.run({"run", std::string(machine) + "/run.yaml", "--dry-run"});
    INFO(dry.err);
    CHECK(dry.code == 0);
  }
  CHECK(p.run({"init", "other", "--from", "data", "--machine", "pdp-11"}).code == 2);
}

TEST_CASE("init says that classes are of very different sizes", "[cli][init]") {
  const Pictures p(2, 4, 20, 20, false);
  CHECK_THAT(p.run({"init", "even", "--from", "data"}).out, !Contains("balance"));
  for (int k = 4; k < 12; ++k)
    fs::copy_file(p.folder / "data/class0/0.png", p.folder / ("data/class0/" + std::to_string(k) + ".png"));
  CHECK_THAT(p.run({"init", "uneven", "--from", "data"}).out,
             Contains("from 4 (class1) to 12 (class0) a class: a class of fewer than 10"));
  CHECK_THAT(slurp(p.folder / "uneven/run.yaml"), Contains("  balance: weights"));
  CHECK_THAT(slurp(p.folder / "even/run.yaml"), !Contains("balance"));
}

TEST_CASE("init sees colour, large pictures and their proportions", "[cli][init]") {
  const Pictures square(2, 4, 200, 220, true);
  REQUIRE(square.run({"init", "mine", "--from", "data"}).code == 0);
  CHECK_THAT(square.made(), Contains("shape: [3, 64, 64]"));
  const Finished large = square.run({"init", "other", "--from", "data", "--space", "large"});
  CHECK(large.code == 0);
  CHECK_THAT(slurp(square.folder / "other/run.yaml"), Contains("shape: [3, 128, 128]") && Contains("Cortex-M7"));
  const Pictures wide(2, 4, 40, 160, false);
  REQUIRE(wide.run({"init", "mine", "--from", "data"}).code == 0);
  CHECK_THAT(wide.made(), Contains("shape: [1, 16, 64]"));
}

TEST_CASE("init takes a card, and the digits that come along when nothing is named", "[cli][init]") {
  const TempFolder folder;
  const std::string digits = CONDENSER_SOURCE_DIR "/datasets/digits", place = folder.path().string() + "/d";
  const Finished f = run_condenser({"init", place, "--from", digits});
  INFO(f.err);
  REQUIRE(f.code == 0);
  CHECK_THAT(slurp(folder / "d/run.yaml"), Contains("card: \"" + digits) && !Contains("  shape:"));
  CHECK(run_condenser({"init", folder.path().string() + "/e"}).code == 0);
  CHECK(run_condenser({"run", place + "/run.yaml", "--dry-run", "--runs", (folder / "runs").string()}).code == 0);
}

TEST_CASE("init takes a table of pictures", "[cli][init]") {
  const Pictures p(2, 12, 30, 30, false);
  std::string rows = "label,path\n";
  for (int k = 0; k < 12; ++k)
    for (const char* label : {"class0", "class1"})
      rows += std::string(label) + ",data/" + label + "/" + std::to_string(k) + ".png\n";
  p.folder.write("all.csv", rows);
  const Finished f = p.run({"init", "mine", "--from", "all.csv"});
  INFO(f.err);
  REQUIRE(f.code == 0);
  CHECK_THAT(f.out, Contains("24 pictures") && Contains("2 classes") && Contains("time: about"));
  CHECK_THAT(p.made(), Contains("/all.csv\"") && Contains("shape: [1, 28, 28]"));
  const Finished check = p.run({"data", "check", "mine/run.yaml"});
  INFO(check.out << check.err);
  CHECK(check.code == 0);
  CHECK_THAT(check.out, Contains("test"));
}

TEST_CASE("init makes a run file for what the device has, and says when nothing fits", "[cli][init]") {
  const Pictures p(2, 12, 30, 30, false);
  const Finished f = p.run({"init", "mine", "--from", "data", "--flash", "200", "--ram", "50"});
  INFO(f.err);
  REQUIRE(f.code == 0);
  CHECK_THAT(f.out, Contains("space large"));
  CHECK_THAT(p.made(), Contains("max_constant_bytes: 204800 ") && Contains("max_arena_bytes: 51200 "));
  const Finished small = p.run({"init", "small", "--from", "data", "--ram", "1"});
  CHECK(small.code == 0);
  CHECK_THAT(small.out, Contains("warning: none of 300 networks") && Contains("max_arena_bytes 300"));
  CHECK(p.run({"init", "none", "--from", "data", "--ram", "0"}).code == 2);
}

TEST_CASE("init replaces nothing and leaves nothing half-made", "[cli][init]") {
  const Pictures p(2, 4, 20, 20, false);
  p.folder.write("mine/notes.txt", "kept");
  REQUIRE(p.run({"init", "mine", "--from", "data"}).code == 0);
  const std::string made = p.made();
  const Finished again = p.run({"init", "mine", "--from", "data"});
  CHECK(again.code == 2);
  CHECK_THAT(again.err, Contains("is there already"));
  CHECK(p.made() == made);
  CHECK(slurp(p.folder / "mine/notes.txt") == "kept");

  p.folder.write("empty/readme.txt", "");
  p.folder.write("one/a/x.png", condenser::data::testing::png_bytes(1, 2, 2, {1, 2, 3, 4}));
  p.folder.write("damaged/a/x.png", "no picture");
  p.folder.write("damaged/b/x.png", "no picture");
  p.folder.write("a_file", "");
  p.folder.write("listed/labels.csv", "path,label\npictures/0.png,a\n");
  p.folder.write("listed/pictures/0.png", condenser::data::testing::png_bytes(1, 2, 2, {1, 2, 3, 4}));
  p.folder.write("several.csv", "path,label\ndata/class0/0.png,a;b\ndata/class1/0.png,b\n");
  struct Case {
    std::vector<std::string> words;
    std::string says;
  };
  for (const Case& c :
       std::vector<Case>{{{"--from", "nowhere"}, "nowhere: no such folder"},
                         {{"--from", "empty"}, "no pictures"},
                         {{"--from", "one"}, "1 folders with pictures"},
                         {{"--from", "damaged"}, "none of the pictures"},
                         {{"--from", "data/class0"}, "did you mean " + p.folder.path().string() + "/data?"},
                         {{"--from", "listed"}, "did you mean the table listed/labels.csv?"},
                         {{"--from", "several.csv"}, "names several classes"},
                         {{"--from", "a_file"}, "is no folder"}}) {
    std::vector<std::string> words{"init", "new"};
    words.insert(words.end(), c.words.begin(), c.words.end());
    const Finished f = p.run(words);
    INFO(f.err);
    CHECK(f.code != 0);
    CHECK_THAT(f.err, Contains(c.says));
    CHECK_FALSE(fs::exists(p.folder / "new"));
  }
  CHECK(p.run({"init", "a_file", "--from", "data"}).code == 2);
}
