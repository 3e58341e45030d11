// `condenser data check` and `condenser bench data`.

#include <nlohmann/json.hpp>

#include "data/fixtures.hpp"
#include "support/absent.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using condenser::data::testing::png_bytes;
using condenser::tests::Finished;
using condenser::tests::run_condenser;
using condenser::tests::TempFolder;
using nlohmann::json;

namespace {

std::string picture(uint8_t value) { return png_bytes(1, 2, 2, std::vector<uint8_t>(4, value)); }

Finished check(const TempFolder& folder, const std::string& format) {
  const std::string run =
      folder.write("run.yaml", "condenser: 1\nname: x\ndataset: {folder: " + folder.path().string() +
                                   ", shape: [1, 28, 28]}\nspace: {space: columns}\n");
  return run_condenser({"data", "check", run, "--format", format});
}

}  // namespace

TEST_CASE("data check counts, and its exit code says whether all is well", "[cli][data]") {
  const TempFolder folder;
  for (const char* split : {"train", "test"}) {
    folder.write(split + std::string("/a/1.png"), picture(split[1] == 'r' ? 90 : 110));
    folder.write(split + std::string("/b/1.png"), picture(split[1] == 'r' ? 170 : 190));
  }
  Finished run = check(folder, "json");
  CHECK(run.code == 0);
  json report = json::parse(run.out);
  CHECK(report["clean"] == true);
  CHECK(report["splits"][0]["per_class"] == json({1, 1}));
  CHECK(report["splits"][1]["split"] == "test");
  CHECK(report["splits"][0]["mean"][0].get<double>() == Approx(130 / 255.0));

  folder.write("test/b/2.png", picture(90));
  folder.write("train/a/2.png", "no picture");
  run = check(folder, "json");
  CHECK(run.code == 1);
  report = json::parse(run.out);
  CHECK(report["duplicates_between"] == 1);
  CHECK(report["duplicates"][0]["same_label"] == false);
  CHECK(report["splits"][0]["unreadable"].size() == 1);
  run = check(folder, "text");
  CHECK(run.code == 1);
  CHECK(run.out.find("train/a/2.png") != std::string::npos);
  CHECK(run.out.find("with another label") != std::string::npos);
  for (const json& finding : report["findings"])
    CHECK(run.out.find(finding["text"].get<std::string>()) != std::string::npos);
  CHECK(run.out.find("no problem found") == std::string::npos);
  CHECK(run_condenser({"data", "chekc", "run.yaml"}).code == 2);
}

TEST_CASE("every unused file is a finding, in text and JSON alike", "[cli][data]") {
  const TempFolder folder;
  for (const char* split : {"train", "test", "extra"}) {
    folder.write(split + std::string("/a/1.png"), picture(static_cast<uint8_t>(90 + split[1])));
    folder.write(split + std::string("/b/1.png"), picture(static_cast<uint8_t>(10 + split[1])));
  }
  folder.write("train/lost.png", picture(1));
  folder.write("train/a/scan.bmp", "x");
  folder.write("train/a/.DS_Store", "x");
  const Finished text = check(folder, "text");
  CHECK(text.code == 1);
  const json report = json::parse(check(folder, "json").out);
  CHECK(report["clean"] == false);
  int problems = 0;
  for (const json& finding : report["findings"]) {
    problems += finding["problem"] == true;
    CHECK(text.out.find(finding["text"].get<std::string>()) != std::string::npos);
  }
  CHECK(problems == 3);
  for (const char* said : {"extra/", "outside the folders of classes", "scan.bmp", ".DS_Store", "3 problems found"})
    CHECK(text.out.find(said) != std::string::npos);
}

TEST_CASE("bench data prints how many pictures a second one core decodes", "[cli][slow]") {
  const Finished run = run_condenser({"bench", "data", "--format", "json"});
  if (run.code == 2) {
    condenser::tests::skip_without("data: imagenet_sample", run.err);
    return;
  }
  REQUIRE(run.code == 0);
  const json results = json::parse(run.out)["results"];
  CHECK(results[0]["what"] == "random_crop");
  CHECK(results[0]["images_per_second"].get<double>() > 0);
  WARN("data: " << results[0]["images_per_second"].get<double>() << " crops/s, "
                << results[0]["images_per_cpu_second"].get<double>() << " per CPU second");
}
