#pragma once
// What is said of one network where one prediction is enough: its forecast, of the whole training and in the
// objective's own unit, and that in words.

#include "search/predictors/opinion.hpp"

namespace condenser::search {

class Forecaster {
 public:
  Forecaster(const Question&, const Knowledge&);  // both outlive it
  // `mean`, `deviation`: on the predictor's scale; `origin`: words on where the network comes from.
  void speak(double mean, double deviation, const std::string& origin, Proposal&) const;

 private:
  struct Above {
    double gain = 0, chance = 0;
  };
  Above above_best(double mean, double deviation) const;
  Ending ending(double scaled) const;
  double own(double value) const;
  std::string text(double value) const;

  const Goal& goal_;
  Scale scale_;
  const Curves& curves_;
  double best_;
};

}  // namespace condenser::search
