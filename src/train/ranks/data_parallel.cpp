// Gradients summed in buckets beside the backward pass, and what else ranks must agree on. Synchronized batch norm sums
// inside nn/; otherwise each rank normalizes by its own share of the batch, and the running statistics are averaged.
#include "train/ranks/data_parallel.hpp"

#include <signal.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>
#include <unistd.h>

#include <array>

#include "condenser/core/files.hpp"
#include "condenser/core/stop.hpp"
#include "train/ranks/buckets.hpp"

namespace condenser::train {
namespace {

// Runs when autograd has finished a parameter's gradient.
struct Finished : torch::autograd::PostAccumulateGradHook {
  std::function<void()> call;
  explicit Finished(std::function<void()> c) : call(std::move(c)) {}
  void operator()(const at::Tensor&) override { call(); }
};

}  // namespace

// Sums over ranks that have begun. Buckets go out in their fixed order, so that all ranks make the same calls.
struct DataParallel::Exchange {
  Group& group;
  const at::Tensor gradients;
  const std::vector<at::Tensor> parameters;
  const std::vector<Bucket> buckets;
  std::vector<int> missing;  // parameters of each bucket whose gradients are not known yet
  size_t next = 0;           // bucket
  bool on = false;           // between start_last_part() and finish_step()
  std::vector<std::function<void()>> running;

  Exchange(Group& g, Learner& learner, int64_t bucket_bytes)
      : group(g),
        gradients(learner.gradients()),
        parameters(learner.parameters()),
        buckets(plan_buckets(learner.layout(), bucket_bytes)),
        missing(buckets.size()) {
    size_t parameter = parameters.size();  // buckets count them from the last one
    for (size_t b = 0; b < buckets.size() && parameter > 0; ++b)
      for (int i = 0; i < buckets[b].parameters; ++i)
        torch::autograd::impl::set_post_acc_grad_hooks(parameters[--parameter],
                                                       std::make_unique<Finished>([this, b] { finished(b); }));
  }
  ~Exchange() {
    for (const at::Tensor& p : parameters) torch::autograd::impl::set_post_acc_grad_hooks(p, nullptr);
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  void start() {
    for (size_t b = 0; b < buckets.size(); ++b) missing[b] = buckets[b].parameters;
    next = 0;
    on = true;
  }
  void finished(size_t bucket) {
    if (!on) return;
    --missing[bucket];
    while (next < buckets.size() && missing[next] == 0) send();
  }
  void send() {
    const Bucket& b = buckets[next++];
    running.push_back(group.sum_later(gradients.narrow(0, b.offset, b.size)));
  }
  void finish() {
    on = false;
    while (next < buckets.size()) send();
    for (const auto& wait : std::exchange(running, {})) wait();
  }
};

DataParallel::DataParallel(Group* group, const TrainOptions& options, Learner& learner)
    : group_(group), learner_(learner), bucket_bytes_(static_cast<int64_t>(options.bucket_mb * (1 << 20))) {
  if (!group_) return;
  average_statistics_ = !options.sync_batch_norm && learner.statistics().numel() > 0;
  if (options.sync_batch_norm) learner.synchronize([group](std::span<double> sums) { group->sum(sums); });
}

DataParallel::~DataParallel() = default;

int DataParallel::rank() const { return group_ ? group_->rank() : 0; }
int DataParallel::size() const { return group_ ? group_->size() : 1; }

std::optional<Checkpoint> DataParallel::open(RunFiles& files, const Identity& identity) {
  std::optional<Checkpoint> checkpoint = files.open();
  if (!group_) return checkpoint;
  std::string bytes = checkpoint ? core::read_file(files.last_file()) : "";
  group_->broadcast(bytes);
  if (!leads() && !bytes.empty()) {
    const auto copy = std::filesystem::temp_directory_path() /
                      ("condenser-rank" + std::to_string(rank()) + "-" + std::to_string(getpid()) + ".safetensors");
    core::write_atomic(copy, bytes);
    checkpoint = load_checkpoint(copy, learner_.layout(), identity);
    std::filesystem::remove(copy);
  }
  if (!checkpoint) {
    Checkpoint start;
    learner_.store(start);
    group_->broadcast(std::span(start.values));
    group_->broadcast(std::span(start.average));
    learner_.load(start);
  }
  return checkpoint;
}

void DataParallel::start_last_part() {
  if (!group_) return;
  // The learner makes another network when the size of pictures changes. The exchange keeps the old one's memory, so
  // that a new block is at another place.
  if (!exchange_ || exchange_->gradients.data_ptr() != learner_.gradients().data_ptr())
    exchange_ = std::make_unique<Exchange>(*group_, learner_, bucket_bytes_);
  exchange_->start();
}

void DataParallel::finish_step(LossSum& sum) {
  if (!group_) return;
  const at::Tensor statistics = average_statistics_ ? learner_.statistics() : at::Tensor();
  if (average_statistics_) exchange_->running.push_back(group_->sum_later(statistics));
  // One small sum for all that ranks must agree on; of several signals the later one of the table wins.
  constexpr std::array kSignals{SIGINT, SIGUSR1, SIGTERM};
  constexpr std::array kCodes{core::ExitCode::Interrupted, core::ExitCode::Requeue, core::ExitCode::Terminated};
  std::array<double, 2 + kSignals.size()> all{sum.loss, static_cast<double>(sum.correct)};
  for (size_t i = 0; i < kSignals.size(); ++i) all[2 + i] = core::stop_code() == kCodes[i];
  group_->sum(all);
  sum = {.loss = all[0], .correct = static_cast<int64_t>(all[1])};
  for (size_t i = 0; i < kSignals.size(); ++i)
    if (all[2 + i] > 0) {
      stop_ = true;
      core::request_stop(kSignals[i]);
    }
  exchange_->finish();
  if (average_statistics_) statistics.div_(size());
}

bool DataParallel::stop_requested() const { return group_ ? stop_ : core::stop_requested(); }

Evaluation DataParallel::evaluate(const data::Dataset& dataset) {
  return learner_.evaluate(dataset, OnStop::Finish,
                           {rank(), size(), [this](std::span<float> logits) { group_->sum(logits); }});
}

}  // namespace condenser::train
