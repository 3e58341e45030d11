// Fields of metrics.csv as numbers.

#include "report/metrics_rows.hpp"

#include <charconv>
#include <limits>

#include "condenser/core/csv.hpp"
#include "condenser/core/error.hpp"
#include "condenser/core/text.hpp"

namespace condenser::report {
namespace {

double value_of(const std::string& field, int64_t line) {
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
  core::read_csv(csv, "metrics.csv", [&](int64_t number, const std::vector<std::string>& fields) {
    if (metrics.names.empty()) {
      metrics.names = fields;
      return;
    }
    if (fields.size() != metrics.names.size())
      throw core::Error("metrics.csv:" + std::to_string(number) + ": " + std::to_string(fields.size()) +
                        " fields; expected " + std::to_string(metrics.names.size()));
    metrics.rows.emplace_back();
    for (const std::string& field : fields) metrics.rows.back().push_back(value_of(field, number));
  });
  return metrics;
}

}  // namespace condenser::report
