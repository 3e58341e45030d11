#include "train/supernet/inherited.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <optional>

#include "condenser/core/log.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/data/metrics.hpp"
#include "condenser/data/split.hpp"
#include "condenser/search/probe_rows.hpp"
#include "train/evaluate.hpp"
#include "train/loop.hpp"
#include "train/loss/objective.hpp"
#include "train/probes/probes.hpp"
#include "train/supernet/training.hpp"

namespace condenser::train {
namespace {

constexpr const char* kName = "inherited";

// As they are, in batches of equal size.
std::vector<at::Tensor> batches_of(const data::Dataset& training, int64_t images, uint64_t seed) {
  constexpr int64_t kBatch = 128;
  const data::ItemShape shape = training.shape();
  const std::vector<int64_t> items = data::stratified_subset(training, images, seed);
  const int64_t batch = std::min(kBatch, std::ssize(items));
  std::vector<at::Tensor> batches;
  for (int64_t first = 0; first + batch <= std::ssize(items); first += batch) {
    batches.push_back(at::empty({batch, shape.c, shape.h, shape.w}));
    float* to = batches.back().mutable_data_ptr<float>();
    for (int64_t k = 0; k < batch; ++k)
      training.get(items[static_cast<size_t>(first + k)],
                   {to + k * shape.elements(), static_cast<size_t>(shape.elements())});
  }
  return batches;
}

class Inherited : public search::Probe {
 public:
  explicit Inherited(const ProbeRequest& r)
      : row_(search::find_probe_row(kName)), validation_(r.validation), options_(r.options), request_(r.supernet) {
    if (!validation_ || validation_->size() == 0)
      throw core::ConfigError("probe inherited needs validation data; expected a validation part in the data options");
    if (request_.space == nullptr || !request_.allowed || !request_.train)
      throw core::ConfigError("probe inherited needs a space whose networks share weights");
    batches_ = batches_of(*r.train, row_.images, options_.seed);
  }

  std::string name() const override { return kName; }
  double cost_seconds() const override {
    return seconds_of_values((row_.images + validation_->size()) * validation_->shape().elements());
  }
  std::vector<std::string> finds() const override { return row_.finds; }

  void ask(const search::Candidate& candidate, const search::ProbeContext& context,
           search::Findings& findings) override {
    const auto tell = [&](double fraction, const std::string& doing) {
      if (context.on_progress) context.on_progress(fraction, doing);
      if (core::stop_requested()) throw core::Stopped("search: stopped in probe inherited");
    };
    use_threads(options_.threads);
    use_kernels(options_);
    try {
      if (!shared_) shared_ = learned_weights(request_, options_, [&](const std::string& doing) { tell(0, doing); });
      tell(0, kName);
      find(candidate.spec, context.seed, findings);
    } catch (const c10::Error& e) {
      throw core::Error(std::string("LibTorch: ") + e.what_without_backtrace());
    }
    if (context.on_progress) context.on_progress(1, kName);
  }

 private:
  void find(const arch::Spec& spec, uint64_t seed, search::Findings& findings) const {
    arch::Weights weights = arch::random_weights(spec, seed);
    const int64_t own = shared_->inherit(spec, weights);
    if (own > 0)
      core::log::info("probe inherited: " + std::to_string(own) + " weights of network " + arch::hash(spec).hex() +
                      " are not shared and random");
    recalibrate(spec, batches_, weights);
    nn::SpecNet net(spec, weights);
    const Evaluation e = evaluate_net(net, *validation_,
                                      task_of({.kind = loss_of(options_, *validation_)}, *validation_), OnStop::Throw);
    const auto note = [&](const char* metric, double value) {
      if (std::isfinite(value))
        findings.metrics[metric] = value;
      else
        core::log::info(std::string("probe inherited: no ") + metric + " for network " + arch::hash(spec).hex() +
                        ": it is not finite");
    };
    note("inherited_accuracy", data::metrics().front().value(e));
    note("inherited_loss", e.loss);
  }

  const search::ProbeRow& row_;
  std::shared_ptr<const data::Dataset> validation_;
  TrainOptions options_;
  SupernetRequest request_;
  std::vector<at::Tensor> batches_;
  std::optional<SharedWeights> shared_;
};

}  // namespace

void recalibrate(const arch::Spec& spec, const std::vector<at::Tensor>& batches, arch::Weights& weights) {
  arch::Spec of_batch = spec;
  for (arch::Node& node : of_batch.nodes)
    if (auto* norm = std::get_if<arch::BatchNorm>(&node.op)) norm->momentum = 1;
  const at::NoGradGuard no_gradients;
  nn::SpecNet net(of_batch, weights);
  const auto first = static_cast<size_t>(net.layout().trainable_size);
  std::vector<double> sums(net.values().size() - first);
  for (const at::Tensor& x : batches) {
    net.forward_all(x, nn::Mode::Training);
    for (size_t i = 0; i < sums.size(); ++i) sums[i] += net.values()[first + i];
  }
  for (size_t i = 0; i < sums.size(); ++i)
    net.values()[first + i] = static_cast<float>(sums[i] / static_cast<double>(batches.size()));
  weights = net.weights();
}

std::unique_ptr<search::Probe> inherited_probe(const ProbeRequest& request) {
  return std::make_unique<Inherited>(request);
}

}  // namespace condenser::train
