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

// Outputs [n, c, h, w] of items begin, begin + 1, ...; `pixels` has room for them.
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

void check_fits(const arch::Spec& spec, const data::Dataset& dataset, const data::Task& task, const std::string& part) {
  const arch::Shape input = dataset.shape();
  if (!(spec.input == input))
    throw core::ConfigError("network " + spec.name + ": input " + arch::to_string(spec.input) + "; the " + part +
                            " data has " + arch::to_string(input) +
                            ". Set the input of the network, or dataset.shape, so that they agree");
  const arch::Shape output = arch::sole_output_shape(spec, "training and evaluation");
  const std::string expected = data::output_misfit(task, output);
  if (!expected.empty() && task.reconstructs())
    throw core::ConfigError("network " + spec.name + ": output " + arch::to_string(output) + "; expected " + expected +
                            " of the " + part + " data");
  if (!expected.empty())
    throw core::ConfigError("network " + spec.name + ": output " + arch::to_string(output) + "; the " + part +
                            " data has " + std::to_string(task.classes) +
                            " classes. Its last layer needs that many outputs");
  if (dataset.size() == 0) throw core::ConfigError("the " + part + " data is empty");
}

Evaluation evaluate_net(nn::SpecNet& net, const data::Dataset& dataset, const data::Task& task, OnStop on_stop,
                        const EvaluationShare& share) {
  check_fits(net.spec(), dataset, task, "evaluation");
  const c10::InferenceMode no_gradients;
  const int64_t items = dataset.size(), outputs = task.outputs();
  const int64_t batch = std::min(kEvaluationBatch, (items + share.ranks - 1) / share.ranks);
  data::Scorer scorer(dataset, task);
  std::vector<float> pixels(static_cast<size_t>(batch * dataset.shape().elements()));
  std::vector<float> logits;  // of the batches of all ranks
  for (int64_t begin = 0; begin < items; begin += batch * share.ranks) {
    if (on_stop == OnStop::Throw && core::stop_requested()) throw core::Stopped("evaluation stopped");
    logits.assign(static_cast<size_t>(std::min(batch * share.ranks, items - begin) * outputs), 0.0f);
    const int64_t own = begin + batch * share.rank, n = std::min(batch, items - own);
    if (n > 0) {
      const at::Tensor y = run_items(net, dataset, own, n, pixels);
      std::copy_n(y.const_data_ptr<float>(), n * outputs, logits.begin() + (own - begin) * outputs);
    }
    if (share.ranks > 1) share.sum(logits);
    scorer.add(logits);
  }
  return scorer.finish();
}

}  // namespace condenser::train
