#pragma once
// Looks at every item of every split and at what lies beside them: counts, duplicates, unreadable items, mean and
// deviation, files that are not used.

#include <cstdint>
#include <string>
#include <vector>

#include "condenser/data/card.hpp"

namespace condenser::data {

struct SplitCheck {
  std::string split;
  std::string error;  // the split cannot be opened; the rest is empty then
  int64_t items = 0;
  std::vector<int64_t> per_class;       // of the card's classes; with several classes per item each counts
  int64_t without_class = 0;            // of sets with several classes per item
  std::vector<std::string> unreadable;  // what is wrong with each, by item
  std::vector<std::string> constant;    // names of items whose values are all equal
  std::vector<Unused> unused;           // what lies among the data and is not read
  std::vector<Finding> noticed;         // by the reader of the format
  Normalization found;                  // per channel, of values scaled to 0..1, over readable items
};

// Items whose values are the same. `second` comes later in the same split, or lies in another.
struct Duplicate {
  std::string first_split, first, second_split, second;  // names of items
  bool same_label = true;
};

struct CheckReport {
  std::vector<std::string> classes;
  std::vector<SplitCheck> splits;     // in the order train, validation, test
  std::vector<Duplicate> duplicates;  // each item is named once, with the first that it repeats
  int64_t within = 0, between = 0;    // duplicates inside one split, and across two
  std::vector<Finding> findings;      // problems first
  bool clean() const;                 // none of the findings is a problem
};

// Opens every split of the card as it is (checksums are verified) and reads each item once, on all cores. Two items are
// duplicates when all values are equal at the card's shape.
CheckReport check_data(const Card&);

// What a run may know at little cost. Of an opened part: classes of very different size or without items. Of a part for
// testing beside that for training: copies.
std::vector<Finding> check_classes(const Dataset&, const std::string& split);
std::vector<Finding> check_copies(const Dataset& train, const Dataset& test);

}  // namespace condenser::data
