#pragma once
// What earlier studies teach a new one: the hyper-parameters of the predictor's kernel and the slopes of its linear
// part. Features are the same for every space, so both carry over. src/search/README.md has the rule.

#include <map>
#include <string>
#include <vector>

#include "condenser/search/gate.hpp"
#include "condenser/search/study.hpp"

namespace condenser::search {

class Catalogue;

struct Lesson {
  // By block of features: how far the logarithm of the fitted length scale lies above what is believed before anything
  // is measured; a block that told nothing apart is left out.
  std::map<std::string, double> lengths;
  double signal = 0, noise = 0, weight = 0;  // the same of the other hyper-parameters
  // By linear feature: deviations of the objective for a deviation of the feature among the space's networks.
  std::map<std::string, double> slopes;
  int64_t networks = 0;           // that were measured
  std::vector<std::string> from;  // names of studies, for people
  bool operator==(const Lesson&) const = default;
};

// The name under which a study keeps its lesson (Store::keep); its searches and replays read it there.
inline constexpr char kLesson[] = "lesson";
std::string to_text(const Lesson&);                // JSON, doubles to the bit
Lesson lesson_from_text(const std::string& text);  // throws core::Error

// Lessons are about one metric that is measured, without constraints.
bool can_learn(const Objective&);

// What trials of a study teach about `objective`, which is that of the new study. Throws ConfigError naming the study
// where less than four networks have a value. The catalogue is that of the space and gate; none: its own.
Lesson lesson_of(const Space&, const Gate&, const std::vector<Trial>&, const Objective&,
                 const std::vector<double>& rungs, const std::string& name, const Catalogue* = nullptr);
// Means, weighted by the numbers of networks; at least one.
Lesson together(const std::vector<Lesson>&);

struct LessonWorth {
  double weight = 1;     // of the slopes, against what is believed without them; 0: dropped
  bool kernel = true;    // the hyper-parameters are believed; false: all is dropped
  double gain = 0;       // in the logarithm of the marginal likelihood of what was measured
  int64_t networks = 0;  // that say so
};
// What a lesson is worth for the trials of a study.
LessonWorth worth_of(const Lesson&, const Space&, const Gate&, const std::vector<Trial>&, const Objective&,
                     const std::vector<double>& rungs, const Catalogue* = nullptr);
std::string to_words(const Lesson&, const LessonWorth&);

}  // namespace condenser::search
