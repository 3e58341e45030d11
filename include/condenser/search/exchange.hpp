#pragma once
// Trials as files for other programs, and designs with known results from them.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "condenser/core/table.hpp"
#include "condenser/search/ask_tell.hpp"

namespace condenser::search {

// parse_genotype() of a JSON object: {"stem_width": 16, "activation": "relu"}. Throws ConfigError; `where`: for its
// messages.
Genotype read_genotype(const Space&, const std::string& json, const std::string& where);
// A JSON object of numbers: {"val_accuracy": 91.2}. Throws ConfigError: repeated keys, what is no number.
std::map<std::string, double> read_numbers(const std::string& json, const std::string& where);

// A row for every trial: what it is, its options by decision, its metrics (in full, units in the keys), its forecast,
// who proposed it and why, what it broke. Without a space choices are numbers, from 0.
core::Table export_table(const std::vector<Trial>&, const Space*);
// The same and more (every verdict, node scores, curves) as JSON text, with the decisions and their options.
std::string export_json(const std::vector<Trial>&, const Space*, const std::string& objective);

// Designs of a CSV or JSON file (told by its first character). Columns are decisions and metrics (by name or key);
// costs are compared with what the design really has; the other columns of an export are passed over. Rows of an export
// that are no full examinations are left out and counted. Throws ConfigError with file, line and what is near.
struct KnownFile {
  std::vector<Known> designs;
  int64_t left_out = 0;
};
KnownFile read_known(const Space&, const std::string& text, const std::filesystem::path& file);

}  // namespace condenser::search
