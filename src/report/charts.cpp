// Charts of the report: trials, refusals, memory, noise.

#include "report/charts.hpp"

#include <algorithm>
#include <cmath>

#include "condenser/core/table.hpp"
#include "condenser/core/text.hpp"
#include "report/axes.hpp"
#include "report/picture_parts.hpp"

namespace condenser::report {
namespace {

constexpr double kLeft = 66, kRight = 20, kTop = 46;

std::string title_text(const std::string& title) { return written(title, {16, 26}, 13, "start", kInk, true) + "\n"; }

std::string tip(const std::string& words, const std::string& shape) {
  return "<g><title>" + escaped(words) + "</title>" + shape + "</g>\n";
}

std::string dot(Point at, double radius, const std::string& style) {
  return "<circle" + attribute("cx", at.x) + attribute("cy", at.y) + attribute("r", radius) + style + "/>";
}

std::string turned(const std::string& text, Point at, double size, const char* colour) {
  return "<g" + attribute("transform", "rotate(-90 " + number(at.x) + " " + number(at.y) + ")") + ">" +
         written(text, at, size, "end", colour, false) + "</g>";
}

// Charts with a place for every node: as wide as they need, names below where there is room for one.
struct NodeAxis {
  static constexpr double kNameHeight = 92, kFont = 9;
  double cell = 0, width = 0;
  size_t every = 1;
  explicit NodeAxis(size_t nodes) {
    cell = std::clamp(820.0 / static_cast<double>(nodes), 4.0, 30.0);
    every = static_cast<size_t>(std::ceil((kFont + 2) / cell));
    width = kLeft + cell * static_cast<double>(nodes) + kRight;
  }
  double left(size_t node) const { return kLeft + cell * static_cast<double>(node); }
  std::string names(const std::vector<std::string>& all, double y, size_t marked) const {
    std::string text;
    for (size_t k = 0; k < all.size(); k += every)
      text += turned(shorten(all[k], kNameHeight - 12, kFont, false), {left(k) + cell / 2 + kFont * 0.36, y + 8}, kFont,
                     k == marked ? kAccent : kMuted);
    return text + "\n";
  }
};

// A node's value is needed up to its last reader; an output's to the end. A value written in place continues its
// input's buffer.
std::vector<size_t> last_use(const arch::Spec& spec) {
  const auto readers = arch::consumers(spec);
  std::vector<size_t> last(spec.nodes.size());
  for (size_t i = 0; i < last.size(); ++i) {
    last[i] = i;
    for (const int reader : readers[i]) last[i] = std::max(last[i], static_cast<size_t>(reader));
  }
  for (size_t k = 0; k < spec.output_count(); ++k) last[static_cast<size_t>(spec.output(k))] = last.size() - 1;
  return last;
}

}  // namespace

std::string pareto_svg(const std::vector<ParetoPoint>& points, const std::string& cost_title,
                       const std::string& value_title) {
  if (points.empty()) return "";
  constexpr double kWidth = 720, kHeight = 380;
  const auto [least, most] =
      std::minmax_element(points.begin(), points.end(), [](const auto& a, const auto& b) { return a.cost < b.cost; });
  const auto [low, high] =
      std::minmax_element(points.begin(), points.end(), [](const auto& a, const auto& b) { return a.value < b.value; });
  const Plot plot{{kLeft, kTop + 6, kWidth - kLeft - kRight, kHeight - kTop - 6 - 52},
                  least->cost > 0 ? log_axis(least->cost, most->cost) : axis_of(least->cost, most->cost, false),
                  axis_of(low->value, high->value, false)};
  std::string text = title_text(value_title + " against " + cost_title) + grid_text(plot) +
                     written(cost_title, {plot.area.right(), plot.area.bottom() + 36}, 10, "end", kMuted, false) + "\n";
  std::vector<ParetoPoint> front;
  for (const ParetoPoint& p : points)
    if (p.on_front) front.push_back(p);
  std::sort(front.begin(), front.end(), [](const auto& a, const auto& b) { return a.cost < b.cost; });
  std::string path;
  for (const ParetoPoint& p : front) {  // a step: what is to be had for at most that cost
    const Point at = plot.at(p.cost, p.value);
    path += path.empty() ? "M" + number(at.x) + " " + number(at.y) : "H" + number(at.x) + "V" + number(at.y);
  }
  if (!path.empty())
    text += "<path" + attribute("d", path) + attribute("fill", "none") + stroke(kTrainColour, 1.6) + "/>\n";
  for (const ParetoPoint& p : points) {
    const Point at = plot.at(p.cost, p.value);
    std::string shape = p.feasible ? dot(at, 4.5, fill(p.on_front ? kTrainColour : kBlues[2]))
                                   : dot(at, 4, fill(kSheet) + stroke(kMuted, 1.4));
    if (p.winner) shape += dot(at, 8.5, attribute("fill", "none") + stroke(kAccent, 2));
    text += tip(p.label, shape);
  }
  double x = plot.area.right();
  const auto key = [&](const std::string& word, const std::string& style, double radius) {
    x -= text_width(word, 10, false);
    text += written(word, {x, 26}, 10, "start", kMuted, false) + dot({x - 10, 22.5}, radius, style);
    x -= 28;
  };
  key("winner", attribute("fill", "none") + stroke(kAccent, 2), 5.5);
  if (std::any_of(points.begin(), points.end(), [](const auto& p) { return !p.feasible; }))
    key("refused afterwards", fill(kSheet) + stroke(kMuted, 1.4), 4);
  key("on the front", fill(kTrainColour), 4.5);
  return svg_document(kWidth, kHeight, value_title + " against " + cost_title, text + "\n");
}

std::string bars_svg(const std::vector<Bar>& bars, const std::string& title) {
  if (bars.empty()) return "";
  constexpr double kWidth = 720, kRow = 28, kNames = 210, kLeast = 2;
  double most = 0;
  for (const Bar& bar : bars) most = std::max(most, bar.value);
  std::string text = title_text(title);
  double y = kTop;
  for (const Bar& bar : bars) {
    const double share = most > 0 ? std::max(0.0, bar.value) / most : 0;
    const double length = std::max(kLeast, share * (kWidth - kNames - 16 - 90));
    text += tip(bar.name + ": " + bar.text,
                written(shorten(bar.name, kNames - 22, 11, false), {kNames - 8, y + 15}, 11, "end", kInk, false) +
                    rectangle({kNames, y + 3, length, kRow - 10}, 3, fill(kBlues[4])) +
                    written(bar.text, {kNames + length + 8, y + 15}, 11, "start", kInk, true));
    y += kRow;
  }
  return svg_document(kWidth, y + 12, title, text);
}

std::string bars_svg(const std::vector<std::pair<std::string, int64_t>>& bars, const std::string& title) {
  std::vector<Bar> list;
  for (const auto& [name, count] : bars) list.push_back({name, static_cast<double>(count), core::thousands(count)});
  return bars_svg(list, title);
}

std::string memory_svg(const arch::Spec& spec, const arch::MemoryPlan& plan) {
  constexpr double kHeight = 240;
  const size_t nodes = spec.nodes.size();
  const NodeAxis nodes_axis(nodes);
  const double right = nodes_axis.left(nodes);
  const Plot plot{{kLeft, kTop, right - kLeft, kHeight},
                  {0, static_cast<double>(nodes), 1},
                  axis_of(0, static_cast<double>(std::max<int64_t>(1, plan.peak_bytes)), false)};
  const std::string title = "Arena over the nodes, bytes";
  std::string text = title_text(title);
  for (const double v : plot.y.ticks()) {
    const double y = plot.at(0, v).y;
    text += "<path" + attribute("d", "M" + number(kLeft) + " " + number(y) + "H" + number(right)) + stroke(kFaint, 1) +
            "/>" + written(core::thousands(std::llround(v)), {kLeft - 6, y + 3.5}, 10, "end", kMuted, false) + "\n";
  }
  const size_t peak_node = plan.peak_node < 0 ? nodes : static_cast<size_t>(plan.peak_node);
  if (peak_node < nodes)
    text += rectangle({nodes_axis.left(peak_node), plot.area.y, nodes_axis.cell, kHeight}, 0, fill(kOranges[1])) + "\n";
  const std::vector<size_t> last = last_use(spec);
  for (size_t i = 0; i < nodes; ++i) {
    if (plan.offset[i] < 0 || plan.bytes[i] <= 0) continue;
    const Point top = plot.at(static_cast<double>(i), static_cast<double>(plan.offset[i] + plan.bytes[i]));
    const Point bottom = plot.at(static_cast<double>(last[i] + 1), static_cast<double>(plan.offset[i]));
    const Rect r{top.x + 0.5, top.y + 0.5, std::max(1.0, bottom.x - top.x - 1), std::max(1.0, bottom.y - top.y - 1)};
    const bool in_place = plan.alias_of[i] >= 0;
    const std::string words = spec.nodes[i].name + ": " + core::bytes_text(plan.bytes[i]) + " at " +
                              core::thousands(plan.offset[i]) + ", until " + spec.nodes[last[i]].name +
                              (in_place ? ", in place of " + spec.node(plan.alias_of[i]).name : "");
    std::string shape = rectangle(r, 2, fill(in_place ? kBlues[1] : kBlues[2]) + stroke(kSheet, 0.8));
    if (r.h >= 12 && text_width(spec.nodes[i].name, 9, false) <= r.w - 6)
      shape += written(spec.nodes[i].name, {r.x + 4, r.y + 10.5}, 9, "start", kInk, false);
    text += tip(words, shape);
  }
  const double peak = plot.at(0, static_cast<double>(plan.peak_bytes)).y;
  text += "<path" + attribute("d", "M" + number(kLeft) + " " + number(peak) + "H" + number(right)) +
          stroke(kAccent, 1.4) + attribute("stroke-dasharray", "5 4") + "/>";
  const std::string arena = "arena " + core::bytes_text(plan.peak_bytes);
  text += written(arena, {right, 26}, 10.5, "end", kAccent, true) + "\n";
  std::vector<std::string> names;
  for (const arch::Node& node : spec.nodes) names.push_back(node.name);
  text += nodes_axis.names(names, plot.area.bottom(), peak_node);
  const double width =
      std::max(nodes_axis.width, 16 + text_width(title, 13, true) + 24 + text_width(arena, 10.5, true) + 20);
  return svg_document(width, kTop + kHeight + NodeAxis::kNameHeight, title, text);
}

std::string noise_svg(const std::vector<quant::NodeReport>& reports) {
  constexpr double kHeight = 190;
  double low = 0, high = 0;
  bool any = false;
  size_t noisiest = reports.size();
  std::vector<std::string> names;
  for (const quant::NodeReport& r : reports) {
    names.push_back(r.node);
    if (!std::isfinite(r.snr_db)) continue;
    if (!any || r.snr_db < low) {
      low = r.snr_db;
      noisiest = names.size() - 1;
    }
    high = any ? std::max(high, r.snr_db) : r.snr_db;
    any = true;
  }
  if (!any) return "";
  const NodeAxis nodes_axis(reports.size());
  const double right = nodes_axis.left(reports.size());
  const Plot plot{{kLeft, kTop, right - kLeft, kHeight},
                  {0, static_cast<double>(reports.size()), 1},
                  axis_of(std::min(0.0, low), std::max(high, 1.0), false)};
  const std::string title = "Signal to int8 noise at every node, dB (higher is better)";
  std::string text = title_text(title);
  for (const double v : plot.y.ticks()) {
    const double y = plot.at(0, v).y;
    text += "<path" + attribute("d", "M" + number(kLeft) + " " + number(y) + "H" + number(right)) + stroke(kFaint, 1) +
            "/>" + written(plot.y.text(v), {kLeft - 6, y + 3.5}, 10, "end", kMuted, false) + "\n";
  }
  for (size_t k = 0; k < reports.size(); ++k) {
    const quant::NodeReport& r = reports[k];
    if (!std::isfinite(r.snr_db)) continue;
    const double zero = plot.at(0, 0).y, end = plot.at(0, r.snr_db).y;
    const double bar = std::max(2.0, nodes_axis.cell - 4);
    text += tip(r.node + ": " + core::fixed(r.snr_db, 1) + " dB, " + core::fixed(100 * r.saturated_fraction, 3) +
                    " % saturated",
                rectangle({nodes_axis.left(k) + (nodes_axis.cell - bar) / 2, std::min(zero, end), bar,
                           std::max(1.0, std::abs(zero - end))},
                          1.5, fill(k == noisiest ? kAccent : kBlues[4])));
  }
  text += nodes_axis.names(names, plot.area.bottom(), noisiest);
  const double width = std::max(nodes_axis.width, 16 + text_width(title, 13, true) + 20);
  return svg_document(width, kTop + kHeight + NodeAxis::kNameHeight, title, text);
}

}  // namespace condenser::report
