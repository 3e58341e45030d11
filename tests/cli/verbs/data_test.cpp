// `condenser data` as a user meets it.

#include "data/formats/image.hpp"

#include "condenser/core/files.hpp"
#include "data/fixtures.hpp"
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

TEST_CASE("data show turns sounds to the same side whatever their layout", "[cli][data]") {
  const TempFolder folder;
  for (const char* word : {"no", "yes"})
    for (int i = 0; i < 4; ++i) {
      std::string sound;
      for (int n = 0; n < 16000; ++n)
        sound += condenser::data::testing::little_endian(static_cast<uint16_t>(n * (i + 2) * 50 % (3000 + n)), 2);
      folder.write(std::string("set/") + word + "/" + std::to_string(i) + ".wav",
                   condenser::data::testing::wav_bytes({}, sound));
    }
  const auto sheet = [&](const std::string& time) {
    folder.write("card.yaml", "condenser_card: 1\nname: words\nformat: wav_folder\nfeatures: {time: " + time +
                                  "}\nmean: [-1.26]\nstd: [8.99]\nsplits: {train: [{path: set}]}\n");
    const auto run =
        folder.write("run.yaml", "condenser: 1\nname: x\ndataset: {card: card.yaml}\nspace: {space: columns}\n");
    const auto file = (folder.path() / (time + ".png")).string();
    const Finished shown =
        run_condenser({"data", "show", run, "-o", file, "--count", "4", "train.augment.shift=0",
                       "train.augment.time_shift_ms=200", "train.augment.specaugment.time_masks=2",
                       "train.augment.specaugment.frequency_masks=1", "train.augment.specaugment.frequency_width=3"});
    INFO(shown.err);
    REQUIRE(shown.code == 0);
    return condenser::core::read_file(file);
  };
  CHECK(sheet("rows") == sheet("columns"));
}
