#pragma once
// What a search learns from earlier studies (`search.learn_from`), and what that was worth.

#include <optional>

#include "cli/stages/stages.hpp"
#include "condenser/search/lesson.hpp"
#include "condenser/search/store.hpp"

namespace condenser::cli {

// Reads the older studies, which do not change, and leaves what they teach with this one, as its lesson and as an
// event. Does nothing where a lesson lies already, so that the older studies may be gone by then. Throws ConfigError
// for a study that is not there, has begun without a lesson, or teaches nothing.
void learn_from_others(RunContext&, search::Store&);

// In words; none: nothing was learned.
std::optional<std::string> lesson_report(const RunConfig&, const search::Gate&, const search::Store&,
                                         const std::vector<search::Trial>&);

}  // namespace condenser::cli
