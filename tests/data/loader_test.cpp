// The loader's order, seeking, epochs, errors and its end.
#include "condenser/data/loader.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <numeric>
#include <set>

#include "condenser/core/error.hpp"
#include "data/fixtures.hpp"
#include "support/catch.hpp"

using namespace condenser::data;
using condenser::data::testing::contains;
using condenser::data::testing::counting_dataset;
using condenser::data::testing::error_of;

namespace {

// Wraps a data set: counts reads, fails for one item.
class Failing : public Dataset {
 public:
  Failing(std::shared_ptr<const Dataset> base, int64_t bad) : base_(std::move(base)), bad_(bad) {}
  int64_t size() const override { return base_->size(); }
  ItemShape shape() const override { return base_->shape(); }
  const std::vector<std::string>& classes() const override { return base_->classes(); }
  const Normalization& normalization() const override { return base_->normalization(); }
  int label(int64_t i) const override { return base_->label(i); }
  void get(int64_t i, std::span<float> out) const override {
    ++reads;
    if (i == bad_) throw condenser::core::Error("item " + std::to_string(i) + " is bad");
    base_->get(i, out);
  }
  mutable std::atomic<int64_t> reads = 0;

 private:
  std::shared_ptr<const Dataset> base_;
  int64_t bad_;
};

LoaderOptions options(int batch_size, int threads = 1) {
  LoaderOptions result;
  result.batch_size = batch_size;
  result.threads = threads;
  result.seed = 42;
  return result;
}

std::vector<Batch> read(Loader& loader, int64_t count) {
  std::vector<Batch> batches(count);
  for (Batch& batch : batches) loader.next(batch);
  return batches;
}

void check_same(const Batch& a, const Batch& b) {
  CHECK(a.epoch == b.epoch);
  CHECK(a.step == b.step);
  CHECK(a.size == b.size);
  CHECK(a.x == b.x);
  CHECK(a.y == b.y);
}

// Pixels are i / 255 for n <= 256 items.
std::vector<int64_t> items_of(const Batch& batch) {
  std::vector<int64_t> items;
  for (float value : batch.x) items.push_back(std::lround(value * 255));
  return items;
}

}  // namespace

TEST_CASE("every item comes once per epoch, in another order each epoch", "[data]") {
  const auto dataset = counting_dataset(50, 5);
  LoaderOptions o = options(8);
  o.drop_last = false;
  Loader loader(dataset, o);
  REQUIRE(loader.steps_per_epoch() == 7);
  std::set<std::vector<int64_t>> orders;
  for (int64_t epoch = 0; epoch < 4; ++epoch) {
    std::vector<int64_t> seen;
    for (int64_t step = 0; step < 7; ++step) {
      Batch batch;
      loader.next(batch);
      CHECK(batch.epoch == epoch);
      CHECK(batch.step == step);
      CHECK(batch.size == (step == 6 ? 2 : 8));
      CHECK(std::ssize(batch.x) == batch.size);
      CHECK(std::ssize(batch.y) == batch.size);
      const auto items = items_of(batch);
      for (size_t k = 0; k < items.size(); ++k) CHECK(batch.y[k] == dataset->label(items[k]));
      seen.insert(seen.end(), items.begin(), items.end());
    }
    orders.insert(seen);
    std::ranges::sort(seen);
    REQUIRE(seen.size() == 50);
    for (int64_t i = 0; i < 50; ++i) CHECK(seen[i] == i);
  }
  CHECK(orders.size() == 4);
}

TEST_CASE("without shuffling items come in order", "[data]") {
  LoaderOptions o = options(4, 2);
  o.shuffle = false;
  o.drop_last = false;
  Loader loader(counting_dataset(10, 2), o);
  std::vector<int64_t> seen;
  for (const Batch& batch : read(loader, 6)) {
    const auto items = items_of(batch);
    seen.insert(seen.end(), items.begin(), items.end());
  }
  REQUIRE(seen.size() == 20);
  for (int64_t i = 0; i < 20; ++i) CHECK(seen[i] == i % 10);
}

TEST_CASE("the short batch at the end is dropped only when a whole one exists", "[data]") {
  const auto dataset = counting_dataset(10, 2);
  LoaderOptions o = options(4);
  CHECK(Loader(dataset, o).steps_per_epoch() == 2);
  o.drop_last = false;
  CHECK(Loader(dataset, o).steps_per_epoch() == 3);
  o.drop_last = true;
  o.batch_size = 10;
  CHECK(Loader(dataset, o).steps_per_epoch() == 1);
  o.batch_size = 16;
  Loader small(dataset, o);
  CHECK(small.steps_per_epoch() == 1);
  for (const Batch& batch : read(small, 3)) CHECK(batch.size == 10);
}

TEST_CASE("batches do not depend on the number of threads or on prefetching", "[data]") {
  const auto dataset = counting_dataset(37, 3);
  LoaderOptions one = options(5), many = options(5, 3), deep = options(5, 2);
  one.prefetch = 1;
  deep.prefetch = 40;  // several epochs ahead
  Loader a(dataset, one), b(dataset, many), c(dataset, deep);
  for (int i = 0; i < 60; ++i) {
    Batch x, y, z;
    a.next(x);
    b.next(y);
    c.next(z);
    check_same(x, y);
    check_same(x, z);
  }
}

TEST_CASE("seek gives what reading through gives", "[data]") {
  const auto dataset = counting_dataset(41, 3);
  Loader through(dataset, options(5, 2));
  const int64_t steps = through.steps_per_epoch();
  REQUIRE(steps == 8);
  const std::vector<Batch> all = read(through, 4 * steps);
  Loader seeking(dataset, options(5, 3));
  Batch batch;
  for (int64_t position : {17, 3, 31, 0, 8, 7, 30}) {
    seeking.seek(position / steps, position % steps);
    seeking.next(batch);
    check_same(batch, all[position]);
  }
  seeking.seek(0, steps);  // past the last step: the next epoch
  for (int64_t position = steps; position < 2 * steps + 3; ++position) {
    seeking.next(batch);
    check_same(batch, all[position]);
  }
  seeking.seek(1'000'000'000, 0);
  seeking.next(batch);
  CHECK(batch.epoch == 1'000'000'000);
  CHECK(contains(error_of([&] { seeking.seek(-1, 0); }), "epoch -1"));
  CHECK(contains(error_of([&] { seeking.seek(0, steps + 1); }), "an epoch has 8 steps"));
  CHECK(contains(error_of([&] { seeking.seek(INT64_MAX / 2, 0); }), "no batch"));
}

TEST_CASE("seeking while workers are busy loses nothing", "[data]") {
  const auto dataset = counting_dataset(200, 3);
  Loader through(dataset, options(1));
  const std::vector<Batch> all = read(through, 200);
  Loader seeking(dataset, options(1, 4));
  Batch batch;
  for (int64_t i = 0; i < 300; ++i) {
    const int64_t step = i * 37 % 200;
    seeking.seek(0, step);
    seeking.next(batch);
    check_same(batch, all[step]);
    if (step + 1 < 200) {
      seeking.next(batch);
      check_same(batch, all[step + 1]);
    }
  }
}

TEST_CASE("ranks share each batch: together they see what one process sees", "[data]") {
  const auto dataset = counting_dataset(23, 5);
  const int ranks = GENERATE(2, 3, 5);
  Loader whole(dataset, options(5));
  std::vector<std::unique_ptr<Loader>> parts;
  for (int rank = 0; rank < ranks; ++rank) {
    LoaderOptions o = options(5, 1 + rank % 2);
    o.rank = rank, o.ranks = ranks;
    parts.push_back(std::make_unique<Loader>(dataset, o));
    CHECK(parts.back()->steps_per_epoch() == whole.steps_per_epoch());
  }
  for (const Batch& expected : read(whole, 9)) {
    CHECK(expected.first == 0);
    CHECK(expected.total == expected.size);
    Batch joined;
    for (const auto& part : parts) {
      Batch batch;
      part->next(batch);
      CHECK(batch.epoch == expected.epoch);
      CHECK(batch.step == expected.step);
      CHECK(batch.total == expected.size);
      CHECK(batch.first == joined.size);
      CHECK(batch.size >= 1);
      CHECK(batch.size <= 5 / ranks + 1);
      joined.size += batch.size;
      joined.x.insert(joined.x.end(), batch.x.begin(), batch.x.end());
      joined.y.insert(joined.y.end(), batch.y.begin(), batch.y.end());
    }
    CHECK(joined.x == expected.x);
    CHECK(joined.y == expected.y);
  }
  LoaderOptions six = options(5);
  six.ranks = 6;
  CHECK_THROWS_AS(Loader(dataset, six), condenser::core::ConfigError);
  LoaderOptions outside = options(5);
  outside.rank = 2, outside.ranks = 2;
  CHECK_THROWS_AS(Loader(dataset, outside), condenser::core::Error);
}

TEST_CASE("another seed gives another order", "[data]") {
  const auto dataset = counting_dataset(100, 3);
  LoaderOptions other = options(100);
  other.seed = 43;
  Loader a(dataset, options(100)), b(dataset, other);
  CHECK(read(a, 1)[0].x != read(b, 1)[0].x);
}

TEST_CASE("workers finish their batches, wherever the loader goes on", "[data]") {
  LoaderOptions o = options(7, 3);
  o.finish = [](Batch& batch) {
    if (batch.position == 9) throw condenser::core::Error("position 9 is bad");
    batch.x.assign(1, static_cast<float>(batch.position));
  };
  Loader loader(counting_dataset(40, 4), o);
  const int64_t steps = loader.steps_per_epoch();
  int64_t expected = 0;
  for (const Batch& batch : read(loader, 9)) {
    CHECK(batch.position == batch.epoch * steps + batch.step);
    CHECK(batch.position == expected++);
    CHECK(batch.x == std::vector<float>{static_cast<float>(batch.position)});
  }
  Batch batch;
  CHECK(error_of([&] { loader.next(batch); }) == "position 9 is bad");
  loader.seek(3, 1);
  loader.next(batch);
  CHECK(batch.x == std::vector<float>{static_cast<float>(3 * steps + 1)});
}

TEST_CASE("a worker's error comes out of next, in its place", "[data]") {
  const auto dataset = std::make_shared<Failing>(counting_dataset(20, 2), 13);
  LoaderOptions o = options(2, 3);
  o.shuffle = false;
  Loader loader(dataset, o);
  Batch batch;
  for (int step = 0; step < 6; ++step) {
    loader.next(batch);
    CHECK(batch.step == step);
  }
  for (int again = 0; again < 2; ++again) CHECK(error_of([&] { loader.next(batch); }) == "item 13 is bad");
  loader.seek(0, 7);
  loader.next(batch);
  CHECK(batch.step == 7);
}

TEST_CASE("a loader can end at any moment", "[data]") {
  const auto dataset = std::make_shared<Failing>(counting_dataset(100, 2), -1);
  for (int taken = 0; taken < 8; ++taken) {
    Loader loader(dataset, options(3, 3));
    if (taken > 4) loader.seek(2, 1);
    read(loader, taken);
  }
  const auto bad = std::make_shared<Failing>(counting_dataset(4, 2), 0);
  for (int i = 0; i < 5; ++i) Loader loader(bad, options(4, 2));
}

TEST_CASE("prefetching is bounded", "[data]") {
  const auto dataset = std::make_shared<Failing>(counting_dataset(100, 2), -1);
  LoaderOptions o = options(1, 2);
  o.prefetch = 3;
  {
    Loader loader(dataset, o);
    Batch batch;
    loader.next(batch);
    // Batches 1, 2, 3 may be ready or under way, never 4.
  }
  CHECK(dataset->reads >= 1);
  CHECK(dataset->reads <= 4);
}

TEST_CASE("buffers are swapped, not copied", "[data]") {
  LoaderOptions o = options(16);
  o.prefetch = 1;
  Loader loader(counting_dataset(64, 2), o);
  Batch batch;
  loader.next(batch);
  const float* first = batch.x.data();
  loader.next(batch);
  const float* second = batch.x.data();
  CHECK(first != second);
  loader.next(batch);
  CHECK(batch.x.data() == first);
}

TEST_CASE("a balanced epoch shows every class equally often and every item of a small class in turn", "[loader]") {
  // 90 of class 0, 6 of class 1, 4 of class 2.
  std::vector<int> labels(100, 0);
  for (int i = 90; i < 100; ++i) labels[i] = i < 96 ? 1 : 2;
  std::vector<uint8_t> pixels(100);
  std::iota(pixels.begin(), pixels.end(), uint8_t{0});
  const std::shared_ptr<const Dataset> dataset =
      make_image_dataset({1, 1, 1}, {"a", "b", "c"}, {{0.0}, {1.0 / 255}}, pixels, labels);
  LoaderOptions balanced = options(10);
  balanced.balanced = true;
  Loader loader(dataset, balanced), again(dataset, balanced);
  std::map<int64_t, int> classes;
  std::map<float, int> items;
  for (const Batch& batch : read(loader, 10)) {
    for (const int64_t y : batch.y) ++classes[y];
    for (const float x : batch.x) ++items[x];
  }
  for (int64_t k = 0; k < 3; ++k) CHECK((classes[k] == 33 || classes[k] == 34));
  for (const auto& [x, count] : items) {
    if (x < 90) CHECK(count == 1);
    if (x >= 90 && x < 96) CHECK((count == 5 || count == 6));
    if (x >= 96) CHECK((count == 8 || count == 9));
  }
  // A pure function of seed and position.
  loader.seek(1, 3);
  again.seek(1, 3);
  for (int i = 0; i < 10; ++i) CHECK(read(loader, 1)[0].x == read(again, 1)[0].x);
}

TEST_CASE("a loader refuses nonsense", "[data]") {
  const auto dataset = counting_dataset(4, 2);
  const auto refused = [&](auto change) {
    LoaderOptions o = options(2);
    change(o);
    return error_of([&] { Loader loader(dataset, o); });
  };
  CHECK(contains(refused([](LoaderOptions& o) { o.batch_size = 0; }), "batch size 0; expected 1 or more"));
  CHECK(contains(refused([](LoaderOptions& o) { o.threads = 0; }), "0 threads; expected 1..256"));
  CHECK(contains(refused([](LoaderOptions& o) { o.prefetch = 0; }), "prefetch 0"));
  CHECK(contains(error_of([&] { Loader loader(subset(dataset, {}), options(2)); }), "empty"));
  CHECK(contains(error_of([&] { Loader loader(nullptr, options(2)); }), "empty"));
}
