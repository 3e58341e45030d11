#pragma once
// Answers from a look-up table instead of training.

#include "condenser/search/probe.hpp"
#include "search/spaces/table.hpp"

namespace condenser::search {

enum class Answer {
  Mean,   // the reward of the network
  Noisy,  // that of one training, drawn by the seed of the question
};

// Finds val_accuracy; below the full fidelity that of the table's short training. `space` must outlive the probe.
std::unique_ptr<Probe> make_table_probe(const TableSpace& space, Answer answer);

}  // namespace condenser::search
