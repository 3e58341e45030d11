#pragma once
// What two runs that decide the same have in common.

#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "condenser/core/files.hpp"

namespace condenser::testing {

// metrics.csv of a folder without the columns that show the clock; the first row is the head.
inline std::vector<std::string> metrics(const std::filesystem::path& folder) {
  static const std::set<std::string> clock{"images_per_s", "data_wait", "seconds", "wall_time"};
  std::istringstream file(core::read_file(folder / "metrics.csv"));
  std::vector<std::string> rows, head;
  for (std::string line; std::getline(file, line);) {
    std::istringstream cells(line);
    std::string kept;
    size_t column = 0;
    for (std::string cell; std::getline(cells, cell, ','); ++column) {
      if (rows.empty()) head.push_back(cell);
      if (!clock.contains(head[column])) kept += cell + ",";
    }
    rows.push_back(kept);
  }
  return rows;
}

}  // namespace condenser::testing
