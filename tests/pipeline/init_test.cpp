// From a folder of pictures or sounds to a finished run, with nothing written by hand.

#include <cmath>

#include "data/fixtures.hpp"
#include "pipeline/pipeline.hpp"

using namespace condenser::tests;

namespace {

// A short run of what init wrote, as far as the report.
void runs(const TempFolder& folder) {
  for (const Command& words : std::vector<Command>{{"data", "check", "mine/run.yaml"},
                                                   {"run", "mine/run.yaml", "search.trials=2", "train.epochs=1",
                                                    "probe.epochs=1", "stages=[search, train, report]"}}) {
    const Finished f = run_condenser(words, folder.path());
    INFO(f.out << f.err);
    REQUIRE(f.code == 0);
  }
  CHECK(fs::exists(folder / "runs/mine/report.html"));
}

}  // namespace

TEST_CASE("init on a folder of pictures makes a run file that runs", "[pipeline][init][slow]") {
  const TempFolder folder;
  for (const char* name : {"dark", "light"})
    for (int k = 0; k < 40; ++k)
      folder.write(std::string("data/") + name + "/" + std::to_string(k) + ".png",
                   condenser::data::testing::png_bytes(
                       1, 24, 20, std::vector<uint8_t>(480, static_cast<uint8_t>((name[0] == 'd' ? 0 : 150) + k))));
  const Finished f = run_condenser({"init", "mine", "--from", "data"}, folder.path());
  INFO(f.err);
  REQUIRE(f.code == 0);
  runs(folder);
}

TEST_CASE("init on a folder of sounds writes their card too", "[pipeline][init][slow]") {
  const TempFolder folder;
  for (const auto& [name, period] : {std::pair{"low", 40.0}, std::pair{"high", 9.0}})
    for (int k = 0; k < 80; ++k) {
      std::string samples;
      for (int t = 0; t < 8000; ++t) {
        const double volume = 4000 + 100 * k;
        samples += condenser::data::testing::little_endian(static_cast<uint16_t>(static_cast<int16_t>(std::lround(
                                                               volume * std::sin(6.2832 * t / (period + 0.02 * k))))),
                                                           2);
      }
      folder.write(std::string("data/") + name + "/" + std::to_string(k) + ".wav",
                   condenser::data::testing::wav_bytes({.rate = 8000}, samples));
    }
  const Finished f = run_condenser({"init", "mine", "--from", "data"}, folder.path());
  INFO(f.err);
  REQUIRE(f.code == 0);
  CHECK(contains(f.out, "8000 Hz, 1000 ms, 2 classes"));
  CHECK(contains(slurp(folder / "mine/card.yaml"), "classes: [\"high\", \"low\"]"));
  runs(folder);
}
