#pragma once
// Everything that the page of a study is made of, as plain data, and the page.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "condenser/report/page.hpp"
#include "condenser/search/study.hpp"

namespace condenser::report {

// A network that was not searched, to be seen beside those that were.
struct StudyComparator {
  std::string name;
  std::string source;                   // where its figures come from
  std::optional<double> value;          // of the objective, in its unit
  std::map<std::string, double> costs;  // by metric: "params", "macs", ...
};

struct StudyMaterial {
  std::string title;
  std::string subtitle;                  // data, generator
  std::vector<search::Trial> trials;     // by index; those of others are left as they are
  search::Objective objective;           // plots are of its first goal
  const search::Space* space = nullptr;  // none: decisions have numbers, networks no drawings
  std::vector<StudyComparator> comparators;
  std::string report_file;  // of the run, beside this page; "": none
};

// The same page for the same material. Of 10,000 trials less than 3 MB. Sections whose material is absent are left out
// (no forecasts, one rung, nothing refused). Throws core::Error when a genotype does not fit the
// space.
Page study_page(const StudyMaterial&);

}  // namespace condenser::report
