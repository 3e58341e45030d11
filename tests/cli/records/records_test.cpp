// Every record of a run folder: what is written reads back, and whatever is missing, unknown, cut off or of another
// type is refused with file, key and verb.

#include "cli/records/records.hpp"

#include <nlohmann/json.hpp>

#include "condenser/core/files.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

using namespace condenser;
using namespace condenser::cli;
using Catch::Matchers::Contains;
using nlohmann::ordered_json;

namespace {

// Every field has a value of its own, lists have items, what may be absent is there.
Learned learned() {
  return {"pictures",
          "image_folder",
          {"good", "it's \"bad\"\n"},
          true,
          true,
          {},
          {1, 8, 9},
          {0.1},
          {1e-7},
          {{"a.b", "1"}},
          0.5,
          -3,
          "af7a",
          {{"train.epochs", "3"}}};
}
WinnerRecord winner() {
  return {"af7a",
          14,
          "stages=3",
          {},
          16,
          {{"val_accuracy", 0.1 + 0.2}},
          {{"max_params", false, "stem", "5", "4"}},
          {{"search.seed", "18446744073709551615"}}};
}
const AccuracyRecord kAccuracy{3, 7, 300.0 / 7, 1.5, 99.25, {{"macro_f1_percent", 40.5}}};
QuantRecord quantized() {
  return {"af7a",
          "bb",
          "double",
          "mse",
          99.9,
          "learned",
          true,
          {{"mse", 99.99, "nearest", false, 91.5, 0.25}},
          64,
          3,
          kAccuracy,
          kAccuracy,
          {},
          {},
          {{"stem", std::nullopt, 0.25, 7.018e-09, -128, {}}},
          {},
          {},
          {{"quantize.observer", "mse"}}};
}
VerifyRecord verified() {
  return {{{"c99", "gcc -O2", true, true, 500, 0, 98.7, ""}},
          {{"cortex-m4", "-O3 -mcpu=cortex-m4", 1234, 5, 6, 7, 8, 1200, {{"stem", 9}}}},
          true,
          {{"verify.samples", "4"}}};
}
EnvironmentRecord environment() { return {"1", "GCC", "Release", "2.13", "Linux", "a cpu", 4, UINT64_MAX, "now"}; }
EvaluationRecord evaluation() {
  return {"test part",
          "af7a",
          3,
          7,
          42.5,
          1,
          99,
          0.25,
          40.5,
          std::nullopt,
          51.5,
          {},
          {"a", "b"},
          {{"a", std::nullopt, 50.0, 25.0, 7}},
          {{1, 2}, {3, 4}}};
}

// Calls `visit` with every place below `j`, as a pointer of its own.
void each_place(const ordered_json& j, const ordered_json::json_pointer& at,
                const std::function<void(const ordered_json::json_pointer&)>& visit) {
  if (j.is_object())
    for (const auto& [key, value] : j.items()) {
      visit(at / key);
      each_place(value, at / key, visit);
    }
  if (j.is_array() && !j.empty()) each_place(j[0], at / 0, visit);
}

// Keys of free maps may come and go.
bool free_key(const ordered_json::json_pointer& place) {
  const std::string map = place.parent_pointer().to_string();
  return map == "/settings" || map.ends_with("/metrics") || map == "/front_end";
}

template <class Record>
void refuses(const std::string& text, const std::string& key) {
  INFO(text);
  CHECK_THROWS_WITH(from_text<Record>(text, "runs/x/file.json"),
                    Contains("runs/x/file.json") && Contains(key) &&
                        Contains(std::string("`condenser ") + Record::kFile.verb + "`") && !Contains("\n"));
}

template <class Record>
void check_record(const Record& record) {
  INFO(Record::kFile.name);
  const std::string text = to_text(record);
  CHECK(to_text(from_text<Record>(text, "x")) == text);
  const ordered_json whole = ordered_json::parse(text);
  CHECK(whole.begin().key() == "schema_version");
  each_place(whole, ordered_json::json_pointer(), [&](const ordered_json::json_pointer& place) {
    const std::string key = place.back();
    if (!free_key(place)) {
      ordered_json without = whole;
      without[place.parent_pointer()].erase(key);
      refuses<Record>(without.dump(), key);
    }
    ordered_json wrong = whole;
    wrong[place] = whole[place].is_string() ? ordered_json(1) : ordered_json("text");
    refuses<Record>(wrong.dump(), key);
    ordered_json other = whole;
    other[place] = whole[place].is_object() ? ordered_json::array() : ordered_json::object();
    refuses<Record>(other.dump(), key);
  });
  ordered_json more = whole;
  more["spec_hashes"] = 1;
  refuses<Record>(more.dump(), "spec_hashes");
  ordered_json later = whole;
  later["schema_version"] = Record::kFile.version + 1;
  refuses<Record>(later.dump(), "schema_version");
  for (size_t length = 0; length + 2 < text.size(); length += 1 + length / 50)
    refuses<Record>(text.substr(0, length), "not valid JSON");
  for (const char* other : {"null", "[]", "3", "\"x\""}) refuses<Record>(other, "expected an object");
}

}  // namespace

TEST_CASE("keys that may be missing are written only where they say something", "[cli]") {
  Learned l = learned();
  CHECK_FALSE(ordered_json::parse(to_text(l)).contains("reconstructs"));
  l.reconstructs.emplace(true);
  CHECK(from_text<Learned>(to_text(l), "x").reconstructs == std::optional(true));
  EvaluationRecord e = evaluation();
  e.reconstruction.emplace(ReconstructionRecord{0.125, std::nullopt, 7});
  const std::string text = to_text(e);
  CHECK(to_text(from_text<EvaluationRecord>(text, "x")) == text);
  CHECK(from_text<EvaluationRecord>(text, "x").reconstruction->items == 7);
  ordered_json wrong = ordered_json::parse(text);
  wrong["reconstruction"]["items"] = "seven";
  refuses<EvaluationRecord>(wrong.dump(), "reconstruction.items");
  QuantRecord q = quantized();
  q.none_in_float.emplace(91.25);
  q.histograms.emplace();
  (*q.histograms)["stem"] = {0, 5, 2};
  CHECK(to_text(from_text<QuantRecord>(to_text(q), "x")) == to_text(q));
  CHECK(from_text<QuantRecord>(to_text(q), "x").histograms->at("stem")[1] == 5);
}

TEST_CASE("every record reads back as it was written and refuses all damage", "[cli]") {
  check_record(learned());
  check_record(winner());
  check_record(TrainRecord{"af7a", "mine", 15234, 8, 1500, true, 975, 1000, {}, "key"});
  check_record(quantized());
  check_record(ExportRecord{"af7a", {"c99"}, {{"export.prefix", "model"}}});
  check_record(verified());
  check_record(
      CertificateRecord{"c99", "columns", "af7a", "b1", {{"column_layout", true, "", "3 of 5", "demanded"}}, true});
  check_record(environment());
  check_record(RunStatus{"run", "train", "failed", "why", "digits", 1, 2, 3.5});
  check_record(evaluation());
  check_record(ImportRecord{"m.onnx", "af7a", "int8", "12ab", "x", "nhwc", {"a note"}});
  check_record(DataRecord{{{true, "unreadable", "train", "2 unreadable items", 2}}});
}

TEST_CASE("what is not there reads back as not there", "[cli]") {
  EvaluationRecord e = evaluation();
  e.loss.reset();
  const auto back = from_text<EvaluationRecord>(to_text(e), "x");
  CHECK(!back.loss);
  CHECK(back.balanced_accuracy_percent == 40.5);
  CHECK(!back.macro_f1_percent);
  CHECK(from_text<WinnerRecord>(to_text(WinnerRecord{}), "x").trial == std::nullopt);
}

TEST_CASE("numbers of a record keep every bit and their range", "[cli]") {
  CHECK(from_text<WinnerRecord>(to_text(winner()), "x").metrics.at("val_accuracy") == 0.1 + 0.2);
  WinnerRecord chosen = winner();
  chosen.input.emplace(InputRecord{20, "grey", 0, 12.5});
  const WinnerRecord back = from_text<WinnerRecord>(to_text(chosen), "x");
  REQUIRE(back.input);
  CHECK(back.input->size == 20);
  CHECK(back.input->colour == "grey");
  CHECK(back.input->stride_ms == 12.5);
  CHECK(from_text<QuantRecord>(to_text(quantized()), "x").nodes[0].scale == 7.018e-09);
  CHECK(from_text<EnvironmentRecord>(to_text(environment()), "x").seed == UINT64_MAX);
  const auto with = [](const char* key, const ordered_json& value) {
    ordered_json j = ordered_json::parse(to_text(TrainRecord{}));
    j[key] = value;
    return j.dump();
  };
  refuses<TrainRecord>(with("params", UINT64_MAX), "params");
  refuses<TrainRecord>(with("params", 1.5), "params");
  refuses<TrainRecord>(with("params", nullptr), "params");
}

TEST_CASE("records in a folder: missing, found, and named in messages", "[cli]") {
  const tests::TempFolder folder;
  CHECK(!find_record<TrainRecord>(folder.path()));
  CHECK_THROWS_WITH(read_record<TrainRecord>(folder.path()), Contains("train.json is missing; `condenser train`"));
  write_record(folder.path(), TrainRecord{.network = "mine"});
  CHECK(read_record<TrainRecord>(folder.path()).network == "mine");
  ordered_json j = ordered_json::parse(to_text(TrainRecord{}));
  j["\x1b[31m"] = 1;
  core::write_atomic(folder / "train.json", j.dump());
  CHECK_THROWS_WITH(find_record<TrainRecord>(folder.path()),
                    Contains("train.json") && Contains("[31m") && Contains("is unknown") && !Contains("\x1b"));
}
