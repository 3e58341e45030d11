#pragma once
// report.md: what was searched, what was refused and why, the winner, its training, its int8 form and the proof of the
// export.

#include <string>
#include <vector>

#include "condenser/arch/design.hpp"
#include "condenser/search/study.hpp"

namespace condenser::report {

// Everything the report is made of. JSON and CSV texts are the run folder's files; empty: that stage has not run.
struct Material {
  std::string name, dataset;
  std::string summary_json;
  arch::Design winner;
  std::vector<search::Trial> trials;
  std::string objective;
  const search::Space* space = nullptr;
  std::string quant_report_json, verify_json, env_json, metrics_csv;
  bool curves = false;            // there is a curves.svg
  std::string evaluation_json;    // of the test part when it was evaluated, else of the validation part
  std::string evaluation_folder;  // where its pictures are, relative to the report: "eval", "validation"
  bool mistakes = false;          // there is a mistakes.png
};

std::string to_markdown(const Material&);

}  // namespace condenser::report
