#pragma once
// One file of a user's own, brought to what a network was trained on.

#include <filesystem>
#include <vector>

#include "condenser/data/card.hpp"

namespace condenser::data {

// shape.elements() normalized values, planes [c, h, w], made as the card's test part is. Throws core::Error naming the
// file: missing, unreadable, not of the kind that the card's data are.
std::vector<float> load_item(const Card&, const std::filesystem::path& file);

}  // namespace condenser::data
