// Runs a data set through a network in evaluation mode.
#include "train/evaluate.hpp"

#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "condenser/arch/analysis.hpp"
#include "condenser/core/stop.hpp"
#include "condenser/core/team.hpp"

namespace condenser::train {
namespace {

constexpr int64_t kEvaluationBatch = 250;

// Logits [n, classes, 1, 1] of items begin, begin + 1, ...; `pixels` has room for them.
at::Tensor run_items(nn::SpecNet& net, const data::Dataset& dataset, int64_t begin, int64_t n,
                     std::vector<float>& pixels) {
  const auto shape = dataset.shape();
  const auto elements = static_cast<size_t>(shape.elements());
  constexpr int64_t kChunk = 25;
  core::for_parts(n, kChunk, [&](int64_t first, int64_t count) {
    for (int64_t i = first; i < first + count; ++i)
      dataset.get(begin + i, std::span(pixels).subspan(static_cast<size_t>(i) * elements, elements));
  });
  const at::Tensor x = at::from_blob(pixels.data(), {n, shape.c, shape.h, shape.w}).to(net.block().device());
  return net.forward(x, nn::Mode::Evaluation).cpu().contiguous();
}

}  // namespace

void check_fits(const arch::Spec& spec, const data::Dataset& dataset, const std::string& part) {
  const auto items = dataset.shape();
  const arch::Shape input{items.c, items.h, items.w};
  if (!(spec.input == input))
    throw core::ConfigError("network " + spec.name + ": input " + arch::to_string(spec.input) + "; the " + part +
                            " data has " + arch::to_string(input) +
                            ". Set the input of the network, or dataset.shape, so that they agree");
  const auto output = arch::analyze(spec).nodes.back().shape;
  const auto classes = static_cast<int64_t>(dataset.classes().size());
  if (!(output == arch::Shape{classes, 1, 1}))
    throw core::ConfigError("network " + spec.name + ": output " + arch::to_string(output) + "; the " + part +
                            " data has " + std::to_string(classes) +
                            " classes. Its last layer needs that many outputs");
  if (dataset.size() == 0) throw core::ConfigError("the " + part + " data is empty");
}

Evaluation evaluate_net(nn::SpecNet& net, const data::Dataset& dataset, const data::Task& task, OnStop on_stop,
                        const EvaluationShare& share) {
  check_fits(net.spec(), dataset, "evaluation");
  const c10::InferenceMode no_gradients;
  const int64_t items = dataset.size(), classes = std::ssize(dataset.classes());
  const int64_t batch = std::min(kEvaluationBatch, (items + share.ranks - 1) / share.ranks);
  data::Scorer scorer(dataset, task);
  std::vector<float> pixels(static_cast<size_t>(batch * dataset.shape().elements()));
  std::vector<float> logits;  // of the batches of all ranks
  for (int64_t begin = 0; begin < items; begin += batch * share.ranks) {
    if (on_stop == OnStop::Throw && core::stop_requested()) throw core::Stopped("evaluation stopped");
    logits.assign(static_cast<size_t>(std::min(batch * share.ranks, items - begin) * classes), 0.0f);
    const int64_t own = begin + batch * share.rank, n = std::min(batch, items - own);
    if (n > 0) {
      const at::Tensor y = run_items(net, dataset, own, n, pixels);
      std::copy_n(y.const_data_ptr<float>(), n * classes, logits.begin() + (own - begin) * classes);
    }
    if (share.ranks > 1) share.sum(logits);
    scorer.add(logits);
  }
  return scorer.finish();
}

}  // namespace condenser::train
