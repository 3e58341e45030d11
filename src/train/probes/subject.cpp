#include "train/probes/subject.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <cmath>

#include "condenser/core/log.hpp"
#include "condenser/data/split.hpp"
#include "train/learner.hpp"
#include "train/loss/objective.hpp"

namespace condenser::train {

// Values of all nodes are kept at once: pictures of 96x96 come in fewer.
Stimulus make_stimulus(const data::Dataset& training, const TrainOptions& options, int64_t images) {
  constexpr int64_t kMostValues = int64_t{1} << 19, kLeast = 16;
  const data::ItemShape shape = training.shape();
  const int64_t most = std::clamp(kMostValues / shape.elements(), kLeast, std::max(kLeast, images));
  const std::vector<int64_t> items = data::stratified_subset(training, most, options.seed);
  const auto n = static_cast<int64_t>(items.size());
  Stimulus s{.x = at::empty({n, shape.c, shape.h, shape.w}), .y = {}, .t = {}, .objective = {}};
  s.objective = objective_of(options, training);
  s.objective.distill = 0;
  const size_t classes = training.classes().size();
  if (training.multi_label()) s.t.resize(static_cast<size_t>(n) * classes);
  for (int64_t k = 0; k < n; ++k) {
    const int64_t item = items[static_cast<size_t>(k)];
    training.get(item, {s.x.mutable_data_ptr<float>() + k * shape.elements(), static_cast<size_t>(shape.elements())});
    s.y.push_back(training.label(item));
    if (!s.t.empty()) training.targets(item, std::span(s.t).subspan(static_cast<size_t>(k) * classes, classes));
  }
  return s;
}

void excite(nn::SpecNet& net, const Stimulus& s, const nn::SpecNet::Watch& watch) {
  const int64_t n = s.x.size(0);
  const at::Tensor logits = net.forward(s.x, nn::Mode::Training, watch);
  const at::Tensor dense = logits.detach().contiguous();
  const auto count = static_cast<size_t>(dense.numel());
  const std::span<const float> values(s.x.const_data_ptr<float>(), static_cast<size_t>(s.x.numel()));
  std::vector<float> gradient(count);
  const LossSum sum =
      loss(s.objective, dense.numel() / n, {dense.const_data_ptr<float>(), count},
           {.labels = s.y, .marks = marks_of(s.objective, {n, values, s.y, s.t}), .teacher = {}}, n, gradient);
  if (!std::isfinite(sum.loss)) throw search::CandidateError("the loss of the untrained network is not finite");
  logits.backward(at::from_blob(gradient.data(), logits.sizes()));
}

void found(search::Findings& findings, const Subject& subject, const std::string& metric, double value) {
  if (std::isfinite(value))
    findings.metrics[metric] = value;
  else
    core::log::info("probe " + metric + ": no value for network " + arch::hash(subject.spec).hex() +
                    ": it is not finite");
}

}  // namespace condenser::train
