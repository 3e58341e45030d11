#pragma once
// A model file with the inputs and the answers of its runtime beside it (.in, .out), and how far an import is from
// them.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <vector>

#include "condenser/importers/importer.hpp"
#include "condenser/runtime/float_executor.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"

namespace condenser::importers::testing {

namespace fs = std::filesystem;

inline std::vector<float> floats_in(const fs::path& file) {
  const std::string bytes = tests::slurp(file);
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

// The largest difference from the runtime's outputs, relative to the largest of them.
inline double float_error(const fs::path& model) {
  const Imported net = import_file(model);
  const std::vector<float> x = floats_in(fs::path(model).replace_extension(".in"));
  const std::vector<float> expected = floats_in(fs::path(model).replace_extension(".out"));
  const auto n = static_cast<int64_t>(x.size()) / net.spec.input.elements();
  const std::vector<float> found = runtime::FloatExecutor(net.spec, net.weights).run(x, n);
  REQUIRE(found.size() == expected.size());
  double worst = 0, most = 1;
  for (size_t i = 0; i < found.size(); ++i) {
    worst = std::max(worst, std::abs(double{found[i]} - double{expected[i]}));
    most = std::max(most, std::abs(double{expected[i]}));
  }
  return worst / most;
}

// Of integers.
struct Steps {
  int64_t values = 0, differing = 0, largest = 0;
  void add(int64_t off) {
    ++values;
    differing += off > 0;
    largest = std::max(largest, off);
  }
};

}  // namespace condenser::importers::testing
