#include "condenser/core/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "condenser/core/error.hpp"
#include "condenser/core/files.hpp"
#include "core/scratch.hpp"
#include "core/tensorboard.hpp"
#include "support/catch.hpp"

using namespace condenser::core;
namespace fs = std::filesystem;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Bit by bit from the definition: a second answer to the table.
uint32_t slow_crc32c(const std::string& bytes) {
  uint32_t crc = 0xFFFFFFFF;
  for (unsigned char c : bytes)
    for (int bit = 0; bit < 8; ++bit) {
      const bool out = (crc ^ (c >> bit)) & 1;
      crc >>= 1;
      if (out) crc ^= 0x82F63B78;
    }
  return ~crc;
}

struct Event {
  double wall_time = 0;
  int64_t step = 0;
  std::string version;
  bool restart = false;
  std::map<std::string, float> values;
};

// A small reader of protobuf's wire format.
struct Wire {
  std::string bytes;
  size_t at = 0;
  bool done() const { return at >= bytes.size(); }
  std::string take(size_t size) {
    REQUIRE(size <= bytes.size() - at);
    at += size;
    return bytes.substr(at - size, size);
  }
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      value |= uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return value;
    }
  }
  template <class T>
  T fixed() {
    const std::string raw = take(sizeof(T));
    T value;
    std::memcpy(&value, raw.data(), sizeof value);
    return value;
  }
  Wire inner() { return {take(varint())}; }
};

Event read_event(Wire wire) {
  Event event;
  while (!wire.done()) switch (wire.varint()) {
      case 1 << 3 | 1: event.wall_time = wire.fixed<double>(); break;
      case 2 << 3 | 0: event.step = static_cast<int64_t>(wire.varint()); break;
      case 3 << 3 | 2: event.version = wire.inner().bytes; break;
      case 7 << 3 | 2: event.restart = wire.inner().bytes == "\x08\x01"; break;
      case 5 << 3 | 2: {
        for (Wire summary = wire.inner(); !summary.done();) {
          REQUIRE(summary.varint() == (1 << 3 | 2));
          Wire value = summary.inner();
          REQUIRE(value.varint() == (1 << 3 | 2));
          const std::string tag = value.inner().bytes;
          REQUIRE(value.varint() == (2 << 3 | 5));
          event.values[tag] = value.fixed<float>();
          REQUIRE(value.done());
        }
        break;
      }
      default: FAIL("unexpected field");
    }
  return event;
}

std::vector<Event> read_events(const fs::path& file) {
  std::vector<Event> events;
  Wire wire{read_file(file)};
  const auto check = [&](const std::string& bytes) {
    const uint32_t crc = slow_crc32c(bytes);
    REQUIRE(wire.fixed<uint32_t>() == ((crc >> 15) | (crc << 17)) + 0xa282ead8);
  };
  while (!wire.done()) {
    const std::string head = wire.take(8);
    uint64_t size;
    std::memcpy(&size, head.data(), 8);
    check(head);
    const std::string data = wire.take(size);
    check(data);
    events.push_back(read_event({data}));
  }
  return events;
}

std::vector<fs::path> event_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().filename().string().starts_with("events.out.tfevents.")) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

TEST_CASE("CRC-32C gives the published answers", "[core]") {
  CHECK(crc32c("123456789") == 0xe3069283);
  CHECK(crc32c("") == 0);
  CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);    // RFC 3720, B.4
  CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43);  // RFC 3720, B.4
  const std::string text = "any other text\x80";
  CHECK(crc32c(text) == slow_crc32c(text));
}

TEST_CASE("A row arrives in all three files at once", "[core]") {
  Scratch scratch;
  Metrics metrics(scratch / "run", 0);
  metrics.row(1, {{"train/loss", 0.1}, {"lr", 1e-5}, {"a,b", 3}});
  metrics.row(2, {{"train/loss", kNan}, {"lr", 1.0 / 3}, {"a,b", std::numeric_limits<double>::infinity()}});
  CHECK(read_file(scratch / "run/metrics.csv") ==
        "step,train/loss,lr,\"a,b\"\n1,0.1,1e-05,3\n2,,0.3333333333333333,inf\n");
  std::ifstream lines(scratch / "run/metrics.jsonl");
  std::string line;
  REQUIRE(std::getline(lines, line));
  CHECK(nlohmann::json::parse(line) == nlohmann::json({{"step", 1}, {"train/loss", 0.1}, {"lr", 1e-5}, {"a,b", 3}}));
  REQUIRE(std::getline(lines, line));
  const auto second = nlohmann::json::parse(line);
  CHECK(second["train/loss"].is_null());
  CHECK(second["lr"] == 1.0 / 3);
  CHECK(second["a,b"].is_null());
  CHECK_FALSE(std::getline(lines, line));

  const auto files = event_files(scratch / "run");
  REQUIRE(files.size() == 1);
  const auto events = read_events(files[0]);
  REQUIRE(events.size() == 3);
  CHECK(events[0].version == "brain.Event:2");
  CHECK(events[0].wall_time > 1.5e9);
  CHECK(events[1].step == 1);
  CHECK(events[1].values == std::map<std::string, float>{{"train/loss", 0.1f}, {"lr", 1e-5f}, {"a,b", 3.f}});
  CHECK(events[2].step == 2);
  CHECK(std::isnan(events[2].values.at("train/loss")));
}

TEST_CASE("A resumed run keeps the rows of its checkpoint", "[core]") {
  Scratch scratch;
  {
    Metrics metrics(scratch.path(), 0);
    for (int step = 10; step <= 50; step += 10) metrics.row(step, {{"loss", 1.0 / step}});
  }
  std::ofstream(scratch / "metrics.csv", std::ios::app) << "60,0.0";  // killed while writing
  {
    Metrics metrics(scratch.path(), 2);
    CHECK(read_file(scratch / "metrics.csv") == "step,loss\n10,0.1\n20,0.05\n");
    metrics.row(30, {{"loss", 7}});
    CHECK_THROWS_AS(metrics.row(40, {{"other", 7}}), Error);
    CHECK_THROWS_AS(metrics.row(40, {{"loss", 7}, {"more", 1}}), Error);
  }
  CHECK(read_file(scratch / "metrics.csv") == "step,loss\n10,0.1\n20,0.05\n30,7\n");
  CHECK(read_file(scratch / "metrics.jsonl") ==
        "{\"step\": 10, \"loss\": 0.1}\n{\"step\": 20, \"loss\": 0.05}\n{\"step\": 30, \"loss\": 7}\n");
  REQUIRE(event_files(scratch.path()).size() == 2);
  const auto events = read_events(event_files(scratch.path())[1]);
  REQUIRE(events.size() == 3);
  CHECK(events[1].restart);
  CHECK(events[1].step == 21);
  CHECK(events[2].values.at("loss") == 7);
}

TEST_CASE("Starting afresh leaves nothing of the earlier run", "[core]") {
  Scratch scratch;
  write_atomic(scratch / "events.txt", "kept");
  { Metrics(scratch.path(), 0).row(1, {{"old", 1}}); }
  { Metrics(scratch.path(), 0).row(1, {{"new", 2}}); }
  CHECK(read_file(scratch / "metrics.csv") == "step,new\n1,2\n");
  CHECK(read_file(scratch / "metrics.jsonl") == "{\"step\": 1, \"new\": 2}\n");
  CHECK(event_files(scratch.path()).size() == 1);
  CHECK(fs::exists(scratch / "events.txt"));
}

TEST_CASE("Metrics that cannot be written are refused", "[core]") {
  Scratch scratch;
  CHECK_THROWS_AS(Metrics(scratch / "a", -1), Error);
  write_atomic(scratch / "file", "x");
  CHECK_THROWS_AS(Metrics(scratch / "file", 0), Error);
  for (const auto& bad : std::vector<std::vector<std::pair<std::string, double>>>{
           {{"", 1}}, {{"a\nb", 1}}, {{"a", 1}, {"a", 2}}, {{"step", 1}}}) {
    Metrics metrics(scratch / "b", 0);
    CHECK_THROWS_AS(metrics.row(1, bad), Error);
  }
}
