// What a reader of a comparison relies on: ratios to the first network of the same setting, nothing invented where
// nothing was measured or published, and claims beside measurements.

#include "condenser/report/comparison.hpp"

#include <nlohmann/json.hpp>

#include "condenser/arch/analysis.hpp"
#include "support/catch.hpp"

using namespace condenser;
using namespace condenser::report;
using Catch::Matchers::Contains;
using nlohmann::json;

namespace {

ComparedSpeed speed(int threads, double images_per_s) {
  return {.threads = threads,
          .layout = "planes",
          .images_per_s = {.min = images_per_s / 2,
                           .q1 = images_per_s * 0.9,
                           .median = images_per_s,
                           .q3 = images_per_s * 1.1,
                           .max = images_per_s * 2},
          .rounds = 5};
}

Comparison example() {
  Comparison c;
  c.hardware = {
      .cpu = "Some processor", .hardware_threads = 2, .load = 0.5, .compiler = "GNU 12", .libtorch = "LibTorch 2"};
  c.networks.push_back(
      {.name = "ours", .family = "DC-AC", .params = 2'000'000, .macs = 300'000'000, .claims = "fast | slow"});
  c.networks.push_back({.name = "fbnet_c",
                        .family = "FBNet",
                        .params = 5'000'000,
                        .macs = 400'000'000,
                        .accuracy_percent = 75.0,
                        .int8_accuracy_percent = 74.0});
  c.networks.push_back({.name = "paper", .params = 1'000'000, .note = "published numbers only"});
  c.networks[0].speeds = {speed(1, 100), speed(2, 160)};
  c.networks[1].speeds = {speed(1, 50), speed(2, 200)};
  return c;
}

json rows(const Comparison& c) { return json::parse(core::to_json(comparison_table(c))); }

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

}  // namespace

TEST_CASE("a row per setting and network, ratios within the setting", "[report]") {
  const json table = rows(example());
  REQUIRE(table.size() == 5);
  const double ratios[] = {1.0, 0.5, 1.0, 1.25};
  for (size_t i = 0; i < 4; ++i) {
    CHECK(table[i]["name"] == (i % 2 == 0 ? "ours" : "fbnet_c"));
    CHECK(table[i]["threads"] == (i < 2 ? 1 : 2));
    CHECK(table[i]["ratio_to_first"] == Approx(ratios[i]));
    CHECK(table[i]["spread_percent"] == Approx(20));
    CHECK(table[i]["rounds"] == 5);
  }
  CHECK(table[1]["netscore"] == Approx(arch::netscore(75.0, 5'000'000, 400'000'000)));
  CHECK(table[0]["netscore"].is_null());
  CHECK(table[4]["name"] == "paper");
  CHECK(table[4]["images_per_s"].is_null());
  CHECK(table[4]["macs"].is_null());
  CHECK(table[4]["note"] == "published numbers only");
}

TEST_CASE("without speeds there is a row per network, and people see no empty columns", "[report]") {
  Comparison c = example();
  for (auto& n : c.networks) n.speeds.clear();
  c.remedy = "no LibTorch here";
  CHECK(rows(c).size() == 3);
  for (const auto& column : for_people(comparison_table(c)).columns)
    CHECK_THAT(column.key, !Contains("images_per_s") && !Contains("ratio") && !Contains("threads"));
  const std::string text = joined(comparison_lines(c));
  CHECK_THAT(text, Contains("No speeds: no LibTorch here") && Contains("throughput not measured"));
  CHECK_THAT(comparison_page(c, "csv"), Contains("ratio_to_first"));
}

TEST_CASE("the ratio is empty when the first network was not measured", "[report]") {
  Comparison c = example();
  std::swap(c.networks[0], c.networks[2]);
  for (const auto& row : rows(c)) CHECK(row["ratio_to_first"].is_null());
}

TEST_CASE("claims stand beside what was measured", "[report]") {
  const std::string text = joined(comparison_lines(example()));
  CHECK_THAT(text, Contains("Claimed, ours: fast | slow"));
  CHECK_THAT(text, Contains("more than 10 times its throughput"));
  CHECK_THAT(
      text, Contains("fbnet_c, claimed: more than 10 times its throughput on an embedded ARM processor. ours here: "
                     "throughput 2.00 times (batch 1, 1 thread), 0.80 times (batch 1, 2 threads); 2.50 times smaller"));
  CHECK_THAT(text, Contains("nothing here is tuned to agree"));
  const json j = json::parse(comparison_json(example()));
  CHECK(j["hardware"]["cpu"] == "Some processor");
  REQUIRE(j["claims"].size() == 1);
  REQUIRE(j["measured_beside_claims"].size() == 1);
  CHECK(j["measured_beside_claims"][0]["other"] == "fbnet_c");
  Comparison nobody = example();
  nobody.networks.erase(nobody.networks.begin());
  CHECK_THAT(joined(comparison_lines(nobody)), !Contains("laim"));
}

TEST_CASE("a table for people keeps the device only where there is a choice", "[report]") {
  Comparison c = example();
  const auto has_device = [&] {
    for (const auto& column : for_people(comparison_table(c)).columns)
      if (column.key == "device") return true;
    return false;
  };
  CHECK(!has_device());
  for (size_t i = 0; i < 2; ++i) c.networks[i].speeds.push_back({.device = "cuda", .threads = 0});
  CHECK(has_device());
}
