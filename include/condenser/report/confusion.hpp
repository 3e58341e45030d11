#pragma once
// Who is taken for whom: the confusion matrix of a classifier as a picture and a table, and what follows from it for
// each class.

#include <cstdint>
#include <string>
#include <vector>

#include "condenser/core/table.hpp"

namespace condenser::report {

struct Confusion {
  std::vector<std::string> classes;
  std::vector<std::vector<int64_t>> counts;  // [true class][predicted class], as many as there are classes
};

// Of one class. Absent values have no denominator: a class that is never predicted has no precision.
struct ClassScores {
  double precision_percent = 0, recall_percent = 0, f1_percent = 0;  // NaN: no denominator
  int64_t support = 0;                                               // items of the class
};
// Throws core::Error when the counts are not a square of as many classes.
std::vector<ClassScores> class_scores(const Confusion&);

// A row per class, then their mean over the classes that occur ("macro average").
core::Table per_class_table(const Confusion&);

// A row per true class, a column per predicted one.
core::Table confusion_table(const Confusion&);

// The pairs that are mixed up most often, as sentences: "4 taken for 9: 12 of 103 (11.7 %)". At most `count`.
std::vector<std::string> worst_mistakes(const Confusion&, size_t count);

// Colours are shares of the true class: right in blue, wrong in orange. Cells hold counts while these can be read, and
// say everything when pointed at. `note` stands below the title.
std::string confusion_svg(const Confusion&, const std::string& title, const std::string& note);

}  // namespace condenser::report
