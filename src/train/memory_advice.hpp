#pragma once
// What to say when the memory for a training step cannot be had.

#include <string>

#include "condenser/arch/spec.hpp"

namespace condenser::train {

// Bytes that the step needs for one item: every value of the network and its gradient. An estimate; the parameters, the
// optimizer and the library's scratch come on top, values that are freed early are off.
double training_bytes_per_item(const arch::Spec&);

double available_bytes();  // of the machine's memory, for this process

std::string out_of_memory_text(const arch::Spec&, int batch_size, int accumulate, double available);

}  // namespace condenser::train
