#pragma once
// Numbers of the random streams of a training run; each purpose has its own.

#include <cstdint>

namespace condenser::train {

constexpr uint64_t kAugmentStream = 0x61756721;  // substream: step of the run and row of the batch
constexpr uint64_t kMixStream = 0x6d697821;      // substream: step of the run

}  // namespace condenser::train
