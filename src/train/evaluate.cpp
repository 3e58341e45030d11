// Runs a data set through a network in evaluation mode.
#include "train/evaluate.hpp"

#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "condenser/arch/analysis.hpp"
#include "condenser/core/stop.hpp"
#include "nn/team.hpp"

namespace condenser::train {
namespace {

constexpr int64_t kEvaluationBatch = 250;

}  // namespace

void check_fits(const arch::Spec& spec, const data::Dataset& dataset, const std::string& part) {
  const auto items = dataset.shape();
  const arch::Shape input{items.c, items.h, items.w};
  if (!(spec.input == input))
    throw core::ConfigError("network " + spec.name + ": input " + arch::to_string(spec.input) + "; the " + part +
                            " data has " + arch::to_string(input));
  const auto output = arch::analyze(spec).nodes.back().shape;
  const auto classes = static_cast<int64_t>(dataset.classes().size());
  if (!(output == arch::Shape{classes, 1, 1}))
    throw core::ConfigError("network " + spec.name + ": output " + arch::to_string(output) + "; the " + part +
                            " data has " + std::to_string(classes) + " classes");
  if (dataset.size() == 0) throw core::ConfigError("the " + part + " data is empty");
}

double accuracy_percent(const Evaluation& e) {
  return e.total == 0 ? 0.0 : 100.0 * static_cast<double>(e.correct) / static_cast<double>(e.total);
}

Evaluation evaluate_net(nn::SpecNet& net, const data::Dataset& dataset, LossKind kind, OnStop on_stop) {
  check_fits(net.spec(), dataset, "evaluation");
  const c10::InferenceMode no_gradients;
  const auto shape = dataset.shape();
  const auto classes = static_cast<int64_t>(dataset.classes().size());
  Evaluation out;
  out.total = dataset.size();
  out.confusion.assign(static_cast<size_t>(classes), std::vector<int64_t>(static_cast<size_t>(classes), 0));
  std::vector<float> pixels(static_cast<size_t>(std::min(kEvaluationBatch, out.total) * shape.elements()));
  std::vector<int64_t> labels, predictions;
  for (int64_t begin = 0; begin < out.total; begin += kEvaluationBatch) {
    if (on_stop == OnStop::Throw && core::stop_requested()) throw core::Stopped("evaluation stopped");
    const int64_t n = std::min(kEvaluationBatch, out.total - begin);
    const auto elements = static_cast<size_t>(shape.elements());
    constexpr int64_t kChunk = 25;
    nn::Team::instance().run((n + kChunk - 1) / kChunk, [&](int64_t chunk) {
      for (int64_t i = chunk * kChunk; i < std::min(n, (chunk + 1) * kChunk); ++i)
        dataset.get(begin + i, std::span(pixels).subspan(static_cast<size_t>(i) * elements, elements));
    });
    labels.resize(static_cast<size_t>(n));
    predictions.resize(static_cast<size_t>(n));
    for (int64_t i = 0; i < n; ++i) labels[static_cast<size_t>(i)] = dataset.label(begin + i);
    const at::Tensor logits =
        net.forward(at::from_blob(pixels.data(), {n, shape.c, shape.h, shape.w}), nn::Mode::Evaluation).contiguous();
    const LossSum sum =
        loss({.kind = kind}, classes, {logits.const_data_ptr<float>(), static_cast<size_t>(n * classes)},
             {.labels = labels, .marks = {}, .teacher = {}}, n, {}, predictions);
    out.loss += sum.loss;
    out.correct += sum.correct;
    for (int64_t i = 0; i < n; ++i)
      ++out.confusion[static_cast<size_t>(labels[static_cast<size_t>(i)])]
                     [static_cast<size_t>(predictions[static_cast<size_t>(i)])];
  }
  out.loss /= static_cast<double>(out.total);
  return out;
}

}  // namespace condenser::train
