#pragma once
// The one training of the weights that all networks of a space share.

#include <functional>
#include <string>

#include "train/supernet/draws.hpp"

namespace condenser::train {

// Those kept in the request's folder, or else trained and kept there. Others who ask meanwhile wait. A function of the
// request and the options (its seed among them): killed in the middle it begins again and learns the same bits on the
// same kind of processor. `tell` hears what is done. Throws core::Stopped, and core::Error when it diverges.
SharedWeights learned_weights(const SupernetRequest&, const TrainOptions&,
                              const std::function<void(const std::string&)>& tell);

// Every parameter at its initial value, kernels and matrices 0.
arch::Weights blank_weights(const arch::Spec&);

}  // namespace condenser::train
