// `condenser data` as a user meets it.

#include "data/formats/image.hpp"

#include "condenser/core/files.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using condenser::tests::Finished;
using condenser::tests::run_condenser;
using condenser::tests::TempFolder;

namespace {

constexpr const char* kRun = "experiments/digits_quickstart/run.yaml";

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

condenser::data::Picture picture(const std::filesystem::path& file) {
  return condenser::data::decode_png(condenser::core::read_file(file), 3, file);
}

}  // namespace

TEST_CASE("data show draws augmented samples below the originals", "[cli][data]") {
  const TempFolder folder;
  const auto sheet = folder.path() / "sheet.png", plain = folder.path() / "plain.png";
  const Finished both = run_condenser({"data", "show", kRun, "-o", sheet.string(), "--count", "16"});
  CHECK(both.code == 0);
  CHECK(contains(both.out, "16 of 7200 samples"));
  const Finished one = run_condenser({"data", "show", kRun, "-o", plain.string(), "--count", "16", "--plain"});
  CHECK(one.code == 0);
  CHECK(picture(sheet).w == picture(plain).w);
  CHECK(picture(sheet).h > picture(plain).h * 3 / 2);

  const auto bytes = condenser::core::read_file(sheet);
  run_condenser({"data", "show", kRun, "-o", sheet.string(), "--count", "16"});
  CHECK(condenser::core::read_file(sheet) == bytes);
  run_condenser({"data", "show", kRun, "-o", sheet.string(), "--count", "16", "train.augment.degrees=20"});
  CHECK(condenser::core::read_file(sheet) != bytes);
}

TEST_CASE("data refuses what cannot be shown, with the place", "[cli][data]") {
  const Finished hue = run_condenser({"data", "show", kRun, "train.augment.hue=0.1"});
  CHECK(hue.code == 2);
  CHECK(contains(hue.err, "command line: train.augment.hue = 0.1; expected 0 for items of shape 1x28x28"));
  CHECK(run_condenser({"data", "look", kRun}).code == 2);
  CHECK(run_condenser({"data", "show"}).code == 2);
}
