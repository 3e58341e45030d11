#pragma once
// Accuracy, loss and confusion matrix of a network on a data set.

#include "condenser/nn/spec_net.hpp"
#include "condenser/train/backend.hpp"

namespace condenser::train {

enum class OnStop { Throw, Finish };  // a stop request between batches: core::Stopped, or go on to the end

// Processes that evaluate together: each runs a part of the items, and all get the same figures.
struct EvaluationShare {
  int rank = 0, ranks = 1;
  std::function<void(std::span<float>)> sum;  // over ranks, in place; not called by one alone
};

// Uses running statistics. Throws core::Error when shapes or class counts do not fit.
Evaluation evaluate_net(nn::SpecNet&, const data::Dataset&, const data::Task&, OnStop, const EvaluationShare& = {});

// Input shape and outputs of the network are those of the data and of what is asked of it.
void check_fits(const arch::Spec&, const data::Dataset&, const data::Task&, const std::string& part);

}  // namespace condenser::train
