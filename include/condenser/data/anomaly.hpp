#pragma once
// Data of which a part is normal and the rest is not: a network learns to reconstruct normal items, and the error of
// its reconstruction tells the others.

#include "condenser/data/card.hpp"
#include "condenser/data/dataset.hpp"

namespace condenser::data {

inline constexpr const char* kNormal = "normal";        // class 0
inline constexpr const char* kAnomalous = "anomalous";  // class 1

// Whether the classes are these two, in this order.
bool tells_anomalies(const std::vector<std::string>& classes);

// The same items under these two classes: normal where the class is among `normal`. Throws core::Error for names that
// are no class, with the nearest.
std::shared_ptr<const Dataset> tell_anomalies(std::shared_ptr<const Dataset> base, std::vector<std::string> normal);

// Its items of class normal, or all where the classes do not tell.
std::shared_ptr<const Dataset> normal_items(std::shared_ptr<const Dataset>);

// From now on splits of the card are opened under these two classes. Throws ConfigError: a name that is no class of the
// card, all of its classes, items of several classes. No names: the card stays as it is.
void choose_normal(Card&, const std::vector<std::string>& normal);

}  // namespace condenser::data
