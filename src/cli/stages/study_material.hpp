#pragma once
// From a run and its trials to what the study's page shows.

#include "cli/run_config.hpp"
#include "condenser/report/study_page.hpp"

namespace condenser::cli {

inline constexpr char kStudyPage[] = "study.html";

// `config` must live as long as what is returned: the space is its own. Throws ConfigError for a run of one network.
report::StudyMaterial study_material(const RunConfig& config, std::vector<search::Trial> trials);

}  // namespace condenser::cli
