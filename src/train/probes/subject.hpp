#pragma once
// An untrained candidate, and what is shown to it: what the zero-cost scores have in common.

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "condenser/arch/weights.hpp"
#include "condenser/nn/spec_net.hpp"
#include "condenser/train/backend.hpp"
#include "train/loss/loss.hpp"

namespace condenser::train {

// The same images for every candidate of a study, so that candidates differ by themselves only: as many of each class
// as possible. How many depends on their size alone.
struct Stimulus {
  at::Tensor x;            // [n, c, h, w], contiguous float32
  std::vector<int64_t> y;  // [n]
  std::vector<float> t;    // [n, classes] of data with several classes per item; else empty
  Objective objective;     // without teacher
};
Stimulus make_stimulus(const data::Dataset& training, const TrainOptions&, int64_t images);

struct Subject {
  const arch::Spec& spec;
  arch::Weights weights;  // as a training with the same seed starts
  const Stimulus& stimulus;
};

// One forward and backward pass in training mode through the library's calls, which let every node be seen. `net` gets
// the gradients of the mean loss. Throws CandidateError when the loss is not finite.
void excite(nn::SpecNet& net, const Stimulus&, const nn::SpecNet::Watch& = {});

// Sets a metric; one that is not finite gets no value, and the log a word.
void found(search::Findings&, const Subject&, const std::string& metric, double value);

}  // namespace condenser::train
