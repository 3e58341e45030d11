#pragma once
// What the suites of whole runs have in common: names, and a small run of a network of one's own.

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "condenser/core/hash.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

namespace condenser::tests {

namespace fs = std::filesystem;
using core::sha256_file;
using Command = std::vector<std::string>;

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

inline Command command(const std::string& verb, const std::string& subject) {
  return {CONDENSER_BINARY, verb, subject};
}

// Writes run.yaml: experiments/own_network on so many digits. `train`: options of that section.
inline std::string own_network_run(const TempFolder& folder, const std::string& name, int samples,
                                   const std::string& train) {
  const std::string source = CONDENSER_SOURCE_DIR;
  return folder.write("run.yaml", "name: " + name + "\nseed: 3\ndataset: {card: " + source +
                                      "/datasets/digits, samples: " + std::to_string(samples) + "}\nspec: " + source +
                                      "/experiments/own_network/my_net.yaml\ntrain: {" + train + "}\n");
}

}  // namespace condenser::tests
