// Steps, places and texts of axes.

#include "report/axes.hpp"

#include <algorithm>
#include <cmath>

#include "condenser/core/table.hpp"
#include "condenser/core/text.hpp"

namespace condenser::report {
namespace {

constexpr double kFlat = 1e-5;        // of the larger value: a smaller range is a flat line
constexpr double kMostOnTicks = 1e6;  // larger numbers get an exponent or a unit

int decade(double value) { return static_cast<int>(std::floor(std::log10(value) + 1e-9)); }

// 500000 -> "500 k", 1250000 -> "1.25 M"
std::string unit_text(double value) {
  constexpr struct {
    double size;
    const char* name;
  } kUnits[] = {{1e12, " T"}, {1e9, " G"}, {1e6, " M"}, {1e3, " k"}};
  for (const auto& unit : kUnits)
    if (value >= unit.size) return core::significant(value / unit.size, 6) + unit.name;
  return core::significant(value, 6);
}

}  // namespace

double Axis::place(double value) const {
  if (logarithmic) return std::log(value / low) / std::log(high / low);
  return (value - low) / (high - low);
}

std::vector<double> Axis::ticks() const {
  std::vector<double> list;
  if (!logarithmic) {
    const double first = std::ceil(low / step - 1e-9);
    for (double k = first; k * step <= high + step * 1e-9 && list.size() < 50; ++k) list.push_back(k * step);
    return list;
  }
  const bool few = high / low > 100;  // then only powers of ten
  for (int exponent = decade(low); exponent <= decade(high); ++exponent)
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double tick = factor * std::pow(10, exponent);
      if (tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9) && (!few || factor == 1.0)) list.push_back(tick);
    }
  return list;
}

// As many digits as tell a tick from its neighbours.
std::string Axis::text(double tick) const {
  if (logarithmic) return unit_text(tick);
  if (std::abs(tick) < step * 1e-6) return "0";
  const double size = std::max(std::abs(tick), step);
  if (size >= 1e-4 && size < kMostOnTicks) return core::fixed(tick, std::max(0, -decade(step)));
  return core::significant(tick, decade(size) - decade(step) + 1);
}

Axis axis_of(double low, double high, bool whole) {
  if (high - low <= kFlat * std::max(std::abs(low), std::abs(high))) {
    const double room = low == 0 ? 1 : std::abs(low) / 2;
    low -= room;
    high += room;
  }
  const double rough = (high - low) / 5, power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= rough * 0.999) {
      step = factor * power;
      break;
    }
  if (whole) return {low, high, std::max(1.0, step)};
  return {std::floor(low / step + 1e-9) * step, std::ceil(high / step - 1e-9) * step, step};
}

Axis log_axis(double low, double high) {
  if (!(low > 0) || high / low < 5) return axis_of(low, high, false);
  return {low / 1.15, high * 1.15, 1, true};
}

std::string grid_text(const Plot& plot, double size) {
  std::string text;
  for (const double v : plot.y.ticks()) {
    const double y = plot.at(plot.x.low, v).y;
    text += "<path" + attribute("d", "M" + number(plot.area.x) + " " + number(y) + "H" + number(plot.area.right())) +
            stroke(kFaint, 1) + "/>" +
            written(plot.y.text(v), {plot.area.x - 6, y + size * 0.35}, size, "end", kMuted, false) + "\n";
  }
  for (const double v : plot.x.ticks())
    text += written(plot.x.text(v), {plot.at(v, plot.y.low).x, plot.area.bottom() + 6 + size}, size, "middle", kMuted,
                    false);
  return text + "\n";
}

}  // namespace condenser::report
