#pragma once
// A model card: what a trained network is, what it was measured on, and what it should not be used for, for those who
// get it without the run. Headings as in M. Mitchell et al., "Model Cards for Model Reporting" (2019). Every sentence
// is made from what the run left; what a person has to judge is said to be left to one.

#include <string>
#include <utility>
#include <vector>

#include "condenser/report/material.hpp"

namespace condenser::report {

// What the report's material does not hold.
struct CardFacts {
  std::string source, license;  // of the data, as their card says; may be empty
  std::string item;             // "grey picture", "clip of sound", "row of numbers"
  std::vector<std::string> classes;
  bool independent = false;                                 // any number of classes at once
  int64_t training_items = 0;                               // 0: not known
  std::vector<std::pair<std::string, std::string>> recipe;  // options of the training that are not the default
  core::Table machines;                                     // what it takes of each machine it ran on; may be empty
  std::string reproduce;                                    // the command that makes the network again
};

Page model_card(const Material&, const CardFacts&);

}  // namespace condenser::report
