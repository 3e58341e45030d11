// The formulas stand in loss.hpp.
#include "train/device/loss.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/zeros.h>

namespace condenser::train {
namespace {

at::Tensor weighted(const at::Tensor& values, const at::Tensor& class_weights) {
  return class_weights.defined() ? values * class_weights : values;
}

at::Tensor cross_entropy(const Objective& o, const at::Tensor& class_weights, const at::Tensor& logits,
                         const at::Tensor& marks) {
  const double even = o.smoothing / static_cast<double>(logits.size(1));
  const at::Tensor target = weighted(marks * (1 - o.smoothing) + even, class_weights);
  return -(target * at::log_softmax(logits, 1)).sum();
}

at::Tensor binary(const Objective& o, const at::Tensor& class_weights, const at::Tensor& logits,
                  const at::Tensor& marks) {
  const at::Tensor target = marks * (1 - o.smoothing) + o.smoothing / 2;
  const at::Tensor yes = weighted(target, class_weights) * at::softplus(-logits);
  return (yes + (1 - target) * at::softplus(logits)).sum() / static_cast<double>(logits.size(1));
}

// T^2 KL(q || p)
at::Tensor distillation(const Objective& o, const at::Tensor& logits, const at::Tensor& teacher) {
  const double t = o.temperature;
  const at::Tensor z = logits / t, y = teacher / t;
  if (o.kind == LossKind::CrossEntropy) {
    const at::Tensor log_q = at::log_softmax(y, 1);
    return (at::exp(log_q) * (log_q - at::log_softmax(z, 1))).sum() * (t * t);
  }
  const at::Tensor q = at::sigmoid(y);
  const at::Tensor yes = q * (at::softplus(-z) - at::softplus(-y));
  const at::Tensor no = (1 - q) * (at::softplus(z) - at::softplus(y));
  return (yes + no).sum() * (t * t / static_cast<double>(logits.size(1)));
}

}  // namespace

DeviceLoss device_loss(const Objective& o, const at::Tensor& class_weights, const at::Tensor& logits,
                       const at::Tensor& marks, const at::Tensor& labels, const at::Tensor& teacher) {
  DeviceLoss out;
  if (o.kind == LossKind::SquaredError) {
    const at::Tensor difference = logits - marks;
    out.sum = (difference * difference).sum() / static_cast<double>(logits.size(1));
    out.correct = at::zeros({}, labels.options());
    return out;
  }
  out.sum = o.kind == LossKind::Binary ? binary(o, class_weights, logits, marks)
                                       : cross_entropy(o, class_weights, logits, marks);
  if (teacher.defined()) out.sum = out.sum * (1 - o.distill) + distillation(o, logits, teacher) * o.distill;
  const at::Tensor given = logits.detach();
  out.correct = o.multi_label ? ((given > 0) == (marks > 0.5)).all(1).sum() : (at::argmax(given, 1) == labels).sum();
  return out;
}

}  // namespace condenser::train
