#pragma once
// The training loop.

#include "condenser/core/error.hpp"
#include "condenser/train/backend.hpp"

namespace condenser::train {

class Group;

// A loss, an output or a parameter is not finite: a function of the network, the data and the options, not of the
// machine.
class Diverged : public core::Error {
 public:
  using core::Error::Error;
};

// `group`: this process trains together with others, which make the same call; null: alone.
FitResult fit(const FitRequest&, Group* group = nullptr);

// 0: all cores.
void use_threads(int threads);

// Those of options.portable, or the fastest.
void use_kernels(const TrainOptions&);

}  // namespace condenser::train
