#pragma once
// The losses of loss.hpp as tensors, for devices on which autograd takes the gradient.

#include <ATen/core/Tensor.h>

#include "train/loss/loss.hpp"

namespace condenser::train {

struct DeviceLoss {
  at::Tensor sum;      // of the items' losses, float32, differentiable
  at::Tensor correct;  // number of right items
};

// logits, marks, teacher: [n, classes] float32; labels: [n] int64. `class_weights` [classes] and `teacher` may be
// undefined. With one class per item and no mixing, marks are one-hot.
DeviceLoss device_loss(const Objective&, const at::Tensor& class_weights, const at::Tensor& logits,
                       const at::Tensor& marks, const at::Tensor& labels, const at::Tensor& teacher);

}  // namespace condenser::train
