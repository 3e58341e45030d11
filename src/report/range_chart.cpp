// The chart of int8 ranges: what of its 256 integers each node makes use of.
#include <algorithm>
#include <cmath>

#include "condenser/core/text.hpp"
#include "report/charts.hpp"
#include "report/picture_parts.hpp"
#include "report/svg.hpp"

namespace condenser::report {
namespace {

constexpr double kWidth = 760, kTop = 62, kRow = 20, kNames = 190, kNumber = 74, kSaturated = 92;
constexpr double kBegin = kNames + kNumber, kEnd = kWidth - kNumber - kSaturated;

// Shares span decades: a bin with a thousandth of the values is still to be seen.
constexpr double kLeastShare = 1e-4;

const char* shade(double share) {
  if (share < kLeastShare) return kPanel;
  const double place = 1 - std::log(share) / std::log(kLeastShare);
  return kBlues[static_cast<size_t>(std::clamp(place * 6, 0.0, 5.0))];
}

std::string strip(const quant::NodeReport& r, double total, double y) {
  const double width = (kEnd - kBegin) / static_cast<double>(r.histogram.size());
  std::string text;
  for (size_t k = 0; k < r.histogram.size(); ++k)
    text += rectangle({kBegin + width * static_cast<double>(k), y, width, kRow - 5}, 0,
                      fill(shade(static_cast<double>(r.histogram[k]) / total)));
  const double zero =
      kBegin + (r.output.zero_point - r.output.low() + 0.5) / (r.output.high() - r.output.low() + 1) * (kEnd - kBegin);
  return text + "<path" + attribute("d", "M" + number(zero) + " " + number(y - 1) + "V" + number(y + kRow - 4)) +
         stroke(kAccent, 1.6) + "/>";
}

std::string row(const quant::NodeReport& r, double y) {
  double total = 0;
  size_t used = 0;
  for (const int64_t count : r.histogram) {
    total += static_cast<double>(count);
    used += count > 0;
  }
  const std::string low = core::significant(r.output.scale * (r.output.low() - r.output.zero_point), 3);
  const std::string high = core::significant(r.output.scale * (r.output.high() - r.output.zero_point), 3);
  const std::string outside = core::fixed(100 * r.saturated_fraction, 3) + " %";
  const std::string words = r.node + ": " + low + " to " + high + ", zero at " + std::to_string(r.output.zero_point) +
                            ", values in " + std::to_string(used) + " of " + std::to_string(r.histogram.size()) +
                            " bins, " + outside + " outside";
  const double base = y + 11.5;
  return "<g><title>" + escaped(words) + "</title>" +
         written(shorten(r.node, kNames - 22, 11, false), {16, base}, 11, "start", kInk, false) +
         written(low, {kBegin - 8, base}, 10, "end", kMuted, false) + strip(r, std::max(total, 1.0), y) +
         written(high, {kEnd + 8, base}, 10, "start", kMuted, false) +
         written(outside, {kWidth - 16, base}, 10, "end", r.saturated_fraction > 0.01 ? kAccent : kMuted, false) +
         "</g>\n";
}

}  // namespace

std::string ranges_svg(const std::vector<quant::NodeReport>& reports) {
  const std::string title = "Values in the int8 range of every node";
  std::string rows;
  double y = kTop;
  for (const quant::NodeReport& r : reports) {
    if (r.histogram.empty()) continue;
    rows += row(r, y);
    y += kRow;
  }
  if (rows.empty()) return "";
  const auto head = [](const char* text, double x, const char* anchor) {
    return written(text, {x, kTop - 10}, 10, anchor, kMuted, false);
  };
  return svg_document(kWidth, y + 12, title,
                      written(title, {16, 26}, 13, "start", kInk, true) + head("least", kBegin - 8, "end") +
                          head("stronger: more values; the line: zero", (kBegin + kEnd) / 2, "middle") +
                          head("largest", kEnd + 8, "start") + head("outside", kWidth - 16, "end") + "\n" + rows);
}

}  // namespace condenser::report
