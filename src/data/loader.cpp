// Batches in order from any number of worker threads. A batch is a pure function of (data set, options, position), so
// workers draw positions from a counter and put results into a ring of slots; next() empties the slots in order.
#include "condenser/data/loader.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <limits>
#include <map>
#include <mutex>
#include <numeric>
#include <string>
#include <thread>
#include <utility>

#include "condenser/core/error.hpp"
#include "condenser/core/rng.hpp"

namespace condenser::data {
namespace {

constexpr uint64_t kShuffleStream = 0x73687566666c65;  // "shuffle"
constexpr uint64_t kDrawStream = 0x64726177;           // "draw"

// Permutations of the last few epochs asked for; a lost one is computed again.
class EpochOrders {
 public:
  using Order = std::shared_ptr<const std::vector<int64_t>>;
  EpochOrders(const Dataset& dataset, bool balanced, uint64_t seed) : items_(dataset.size()), seed_(seed) {
    if (balanced)
      for (int64_t i = 0; i < items_; ++i) classes_[dataset.label(i)].push_back(i);
  }

  Order get(int64_t epoch) {
    std::lock_guard lock(mutex_);
    for (const auto& [known, order] : recent_) {
      if (known == epoch) return order;
    }
    core::Rng rng(seed_, kShuffleStream, static_cast<uint64_t>(epoch));
    auto order = std::make_shared<std::vector<int64_t>>(classes_.empty() ? all() : every_class_alike(rng));
    rng.shuffle(std::span<int64_t>(*order));
    if (recent_.size() >= 3) recent_.pop_front();
    return recent_.emplace_back(epoch, std::move(order)).second;
  }

 private:
  std::vector<int64_t> all() const {
    std::vector<int64_t> order(items_);
    std::iota(order.begin(), order.end(), int64_t{0});
    return order;
  }

  // Rounds over the classes, in each the next item of every class; one that is used up begins anew in another order.
  std::vector<int64_t> every_class_alike(core::Rng& rng) const {
    std::vector<std::vector<int64_t>> classes;
    for (const auto& [label, items] : classes_) classes.push_back(items);
    std::vector<int64_t> order;
    for (size_t round = 0; std::ssize(order) < items_; ++round) {
      rng.shuffle(std::span(classes));  // the last round is cut: no class is always the one that misses it
      for (auto& items : classes) {
        const size_t next = round % items.size();
        if (next == 0) rng.shuffle(std::span(items));
        if (std::ssize(order) < items_) order.push_back(items[next]);
      }
    }
    return order;
  }

  const int64_t items_;
  const uint64_t seed_;
  std::map<int, std::vector<int64_t>> classes_;  // balanced: items by label
  std::mutex mutex_;
  std::deque<std::pair<int64_t, Order>> recent_;
};

void check(const Dataset* dataset, const LoaderOptions& options) {
  if (!dataset || dataset->size() == 0) throw core::Error("loader: the data set is empty");
  if (options.batch_size < 1) {
    throw core::Error("loader: batch size " + std::to_string(options.batch_size) + "; expected 1 or more");
  }
  if (options.threads < 1 || options.threads > 256) {
    throw core::Error("loader: " + std::to_string(options.threads) + " threads; expected 1..256");
  }
  if (options.prefetch < 1) {
    throw core::Error("loader: prefetch " + std::to_string(options.prefetch) + "; expected 1 or more");
  }
  if (options.rank < 0 || options.rank >= options.ranks)
    throw core::Error("loader: rank " + std::to_string(options.rank) + " of " + std::to_string(options.ranks));
  const int64_t whole = std::min<int64_t>(dataset->size(), options.batch_size);
  if (whole < options.ranks)
    throw core::ConfigError("a batch of " + std::to_string(whole) + " items cannot be shared among " +
                            std::to_string(options.ranks) + " processes; expected at least one item for each");
}

int64_t count_steps(int64_t items, int64_t batch, bool drop_last) {
  return drop_last ? std::max<int64_t>(1, items / batch) : (items + batch - 1) / batch;
}

}  // namespace

struct Loader::State {
  // `position` counts batches from (epoch 0, step 0). The slot of a position is position % slots.size(); a position is
  // handed out only once the consumer has emptied the slot.
  struct Slot {
    Batch batch;
    bool full = false;
    std::exception_ptr error;
  };

  State(std::shared_ptr<const Dataset> data, const LoaderOptions& given)
      : dataset(std::move(data)),
        options(given),
        items(dataset->size()),
        elements(dataset->shape().elements()),
        classes(std::ssize(dataset->classes())),
        steps(count_steps(items, given.batch_size, given.drop_last)),
        orders(*dataset, given.balanced, given.seed),
        slots(std::max(given.prefetch, given.threads)) {}

  ~State() {
    {
      std::lock_guard lock(mutex);
      stopping = true;
    }
    work.notify_all();
    for (std::thread& worker : workers) worker.join();
  }

  void start() {
    workers.reserve(options.threads);
    for (int i = 0; i < options.threads; ++i) workers.emplace_back([this] { run(); });
  }

  void run() {
    std::unique_lock lock(mutex);
    while (true) {
      work.wait(lock, [this] { return stopping || to_produce < to_consume + std::ssize(slots); });
      if (stopping) return;
      const int64_t position = to_produce++;
      const uint64_t started = generation;
      Slot& slot = slots[position % slots.size()];
      Batch batch = std::move(slot.batch);  // its buffers are used again
      lock.unlock();
      std::exception_ptr error;
      try {
        fill(position, batch);
        if (options.finish) options.finish(batch);
      } catch (...) {
        error = std::current_exception();
      }
      lock.lock();
      if (started != generation) continue;  // seek() came in between
      slot.batch = std::move(batch);
      slot.error = std::move(error);
      slot.full = true;
      ready.notify_one();
    }
  }

  void fill(int64_t position, Batch& batch) {
    batch.position = position;
    batch.epoch = position / steps;
    batch.step = position % steps;
    const int64_t start = batch.step * options.batch_size;
    batch.total = std::min<int64_t>(options.batch_size, items - start);
    batch.first = batch.total * options.rank / options.ranks;
    batch.size = batch.total * (options.rank + 1) / options.ranks - batch.first;
    const int64_t begin = start + batch.first;
    batch.x.resize(batch.size * elements);
    batch.y.resize(batch.size);
    batch.t.resize(dataset->multi_label() ? batch.size * classes : 0);
    const bool drawn = options.augment != SampleAugment{};
    const EpochOrders::Order order = options.shuffle ? orders.get(batch.epoch) : nullptr;
    for (int64_t k = 0; k < batch.size; ++k) {
      const int64_t item = order ? (*order)[begin + k] : begin + k;
      const auto x = std::span<float>(batch.x).subspan(k * elements, elements);
      if (drawn) {
        core::Rng rng(options.seed, kDrawStream,
                      static_cast<uint64_t>(batch.epoch * items + (options.balanced ? begin + k : item)));
        dataset->draw(item, options.augment, rng, x);
      } else {
        dataset->get(item, x);
      }
      if (!batch.t.empty()) dataset->targets(item, std::span<float>(batch.t).subspan(k * classes, classes));
      batch.y[k] = dataset->label(item);
    }
  }

  const std::shared_ptr<const Dataset> dataset;
  const LoaderOptions options;
  const int64_t items, elements, classes, steps;
  EpochOrders orders;

  std::mutex mutex;                     // guards all below but `workers`
  std::condition_variable work, ready;  // a slot may be filled; a slot was filled
  std::vector<Slot> slots;
  int64_t to_produce = 0, to_consume = 0;  // positions
  uint64_t generation = 0;                 // raised by seek(): work begun before it is dropped
  bool stopping = false;

  std::vector<std::thread> workers;
};

Loader::Loader(std::shared_ptr<const Dataset> dataset, const LoaderOptions& options) {
  check(dataset.get(), options);
  state_ = std::make_unique<State>(std::move(dataset), options);
  state_->start();
}

Loader::~Loader() = default;

int64_t Loader::steps_per_epoch() const { return state_->steps; }

void Loader::seek(int64_t epoch, int64_t step) {
  const int64_t last_epoch = std::numeric_limits<int64_t>::max() / 4 / state_->steps;
  if (epoch < 0 || epoch > last_epoch || step < 0 || step > state_->steps) {
    throw core::Error("loader: no batch at epoch " + std::to_string(epoch) + ", step " + std::to_string(step) +
                      "; an epoch has " + std::to_string(state_->steps) + " steps");
  }
  {
    std::lock_guard lock(state_->mutex);
    ++state_->generation;
    state_->to_produce = state_->to_consume = epoch * state_->steps + step;
    for (State::Slot& slot : state_->slots) {
      slot.full = false;
      slot.error = nullptr;
    }
  }
  state_->work.notify_all();
}

// After a worker's error every further call throws it again, until seek() moves elsewhere.
void Loader::next(Batch& out) {
  {
    std::unique_lock lock(state_->mutex);
    State::Slot& slot = state_->slots[state_->to_consume % state_->slots.size()];
    state_->ready.wait(lock, [&slot] { return slot.full; });
    if (slot.error) std::rethrow_exception(slot.error);
    std::swap(out, slot.batch);
    slot.full = false;
    ++state_->to_consume;
  }
  state_->work.notify_one();
}

}  // namespace condenser::data
