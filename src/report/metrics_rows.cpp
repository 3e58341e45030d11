// Fields of metrics.csv as numbers.

#include "report/metrics_rows.hpp"

#include <charconv>
#include <limits>
#include <sstream>

#include "condenser/core/error.hpp"
#include "condenser/core/text.hpp"

namespace condenser::report {
namespace {

// Fields of a line; quotes hold commas, a doubled quote is one.
std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      if (!quoted && !fields.back().empty()) fields.back() += c;
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  return fields;
}

double value_of(const std::string& field, size_t line) {
  if (field.empty()) return std::numeric_limits<double>::quiet_NaN();
  double value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc() || end != field.data() + field.size())
    throw core::Error("metrics.csv:" + std::to_string(line) + ": '" + core::printable(field) + "'; expected a number");
  return value;
}

}  // namespace

MetricsRows read_metrics(const std::string& csv) {
  MetricsRows metrics;
  std::istringstream in(csv);
  std::string line;
  for (size_t number = 1; std::getline(in, line); ++number) {
    const std::vector<std::string> fields = fields_of(line);
    if (number == 1) {
      metrics.names = fields;
      continue;
    }
    if (fields.size() != metrics.names.size())
      throw core::Error("metrics.csv:" + std::to_string(number) + ": " + std::to_string(fields.size()) +
                        " fields; expected " + std::to_string(metrics.names.size()));
    metrics.rows.emplace_back();
    for (const std::string& field : fields) metrics.rows.back().push_back(value_of(field, number));
  }
  return metrics;
}

}  // namespace condenser::report
