#pragma once
// Texts that tell a newcomer what there is and what to do next. At most kHelpWidth columns.

#include <string>

#include "cli/verb.hpp"

namespace condenser::cli {

constexpr int kHelpWidth = 100;

std::string overview();  // `condenser help`
std::string footer_of(const Verb&);
// Options of the run file, of one section ("train", "train.augment") when it is not empty. `format`: text, json, csv,
// markdown. Throws ConfigError naming the sections.
std::string config_reference(const std::string& section, const std::string& format);

}  // namespace condenser::cli
