// The picture of a confusion matrix. Sizes are chosen by the number of classes: counts in the cells of a dozen, names
// for a hundred, every n-th name beyond.

#include <algorithm>
#include <cmath>

#include "condenser/report/confusion.hpp"
#include "report/picture_parts.hpp"
#include "report/svg.hpp"

namespace condenser::report {
namespace {

constexpr double kMargin = 24, kSmallestFont = 8, kLongestName = 150;

// A share from which on the next colour of the ramp is taken. Few mistakes are what a good network makes, so small
// shares are told apart there, large ones on the diagonal.
constexpr std::array<double, 5> kRight{0.5, 0.7, 0.8, 0.9, 0.95};
constexpr std::array<double, 5> kWrong{0.01, 0.02, 0.05, 0.1, 0.2};

size_t place(const std::array<double, 5>& limits, double share) {
  return static_cast<size_t>(std::upper_bound(limits.begin(), limits.end(), share) - limits.begin());
}

const char* shade(bool right, double share) {
  return right ? kBlues[place(kRight, share)] : kOranges[place(kWrong, share)];
}

const char* ink_on(const char* colour) { return contrast(colour, kSheet) > contrast(colour, kInk) ? kSheet : kInk; }

struct Sizes {
  double cell = 0, font = 0;
  size_t every = 1;          // the n-th name is written
  double left = 0, top = 0;  // of the matrix
  double names = 0;          // width of the longest name
};

double cell_size(size_t classes) {
  if (classes <= 12) return 44;
  if (classes <= 20) return 32;
  if (classes <= 40) return 20;
  if (classes <= 60) return 14;
  if (classes <= 120) return 10;
  return std::max(2.0, std::floor(1200.0 / static_cast<double>(classes)));
}

Sizes sizes_of(const Confusion& c) {
  Sizes s;
  s.cell = cell_size(c.classes.size());
  s.font = std::clamp(s.cell - 1, kSmallestFont, 12.0);
  s.every = static_cast<size_t>(std::ceil((s.font + 1) / s.cell));
  for (const std::string& name : c.classes) s.names = std::max(s.names, text_width(name, s.font, false));
  s.names = std::min(s.names, kLongestName);
  s.left = kMargin + 20 + s.names + 8;
  s.top = 114 + 18 + s.names + 8;
  return s;
}

std::string turned(const std::string& text, Point at, double size, const char* anchor, const char* colour, bool bold) {
  const std::string turn = "rotate(-90 " + number(at.x) + " " + number(at.y) + ")";
  return "<g" + attribute("transform", turn) + ">" + written(text, at, size, anchor, colour, bold) + "</g>";
}

std::string percent_of(int64_t part, int64_t whole) {
  return percent_text(static_cast<double>(part) / static_cast<double>(whole));
}

std::string cell_text(const Confusion& c, const Sizes& s, size_t row, size_t column, int64_t support) {
  const int64_t count = c.counts[row][column];
  const char* colour = shade(row == column, static_cast<double>(count) / static_cast<double>(support));
  const double gap = s.cell >= 8 ? 1 : 0;
  const Rect r{s.left + static_cast<double>(column) * s.cell, s.top + static_cast<double>(row) * s.cell, s.cell - gap,
               s.cell - gap};
  const std::string words = c.classes[row] + " → " + c.classes[column] + ": " + std::to_string(count) + " of " +
                            std::to_string(support) + " (" + percent_of(count, support) + ")";
  std::string text = "<g><title>" + escaped(words) + "</title>" + rectangle(r, 0, fill(colour));
  const std::string digits = std::to_string(count);
  const double font = std::min(12.0, (s.cell - 6) / (0.6 * static_cast<double>(digits.size())));
  if (s.cell >= 30 && font >= kSmallestFont - 1)
    text +=
        written(digits, {r.x + r.w / 2, r.y + r.h / 2 + font * 0.36}, font, "middle", ink_on(colour), row == column);
  return text + "</g>\n";
}

std::string names_text(const Confusion& c, const Sizes& s) {
  std::string text;
  for (size_t k = 0; k < c.classes.size(); k += s.every) {
    const double middle = (static_cast<double>(k) + 0.5) * s.cell + s.font * 0.36;
    const std::string name = shorten(c.classes[k], kLongestName, s.font, false);
    text += written(name, {s.left - 8, s.top + middle}, s.font, "end", kInk, false) +
            turned(name, {s.left + middle, s.top - 8}, s.font, "start", kInk, false) + "\n";
  }
  return text;
}

std::string range_text(const std::array<double, 5>& limits, size_t k) {
  const auto percent = [&](size_t i) { return number(100 * limits[i]); };
  if (k == 0) return "under " + percent(0) + " %";
  return k == limits.size() ? "from " + percent(k - 1) + " %" : percent(k - 1) + "–" + percent(k) + " %";
}

// Two rows; returns the width that they take.
double legend(double x, double y, std::string& text) {
  double right = x;
  for (const bool of_right : {true, false}) {
    const auto& limits = of_right ? kRight : kWrong;
    double at = x + 46;
    text += written(of_right ? "right" : "wrong", {x, y}, 10, "start", kInk, true);
    for (size_t k = 0; k <= limits.size(); ++k) {
      const std::string label = range_text(limits, k);
      text += rectangle({at, y - 9, 16, 11}, 2, fill(of_right ? kBlues[k] : kOranges[k])) +
              written(label, {at + 21, y}, 10, "start", kMuted, false);
      at += 21 + text_width(label, 10, false) + 12;
    }
    const char* whole = "of the true class";
    text += written(whole, {at, y}, 10, "start", kMuted, false);
    right = std::max(right, at + text_width(whole, 10, false));
    y += 17;
    text += "\n";
  }
  return right;
}

}  // namespace

std::string confusion_svg(const Confusion& c, const std::string& title, const std::string& note) {
  const std::vector<ClassScores> scores = class_scores(c);
  const Sizes s = sizes_of(c);
  const double side = s.cell * static_cast<double>(c.classes.size());
  std::string text, key;
  const double width = std::max(s.left + side, legend(kMargin, 82, key)) + kMargin, height = s.top + side + kMargin;

  text += written(shorten(title, width - 2 * kMargin, 18, true), {kMargin, 36}, 18, "start", kInk, true) + "\n" +
          written(shorten(note, width - 2 * kMargin, 11, false), {kMargin, 55}, 11, "start", kMuted, false) + "\n" +
          key;
  text += written("predicted", {s.left, 122}, 11, "start", kMuted, true) +
          turned("true", {kMargin + 10, s.top}, 11, "end", kMuted, true) + "\n" + names_text(c, s);
  text += rectangle({s.left - 1, s.top - 1, side + 1, side + 1}, 0, fill("#f4f6f8")) + "\n";
  for (size_t row = 0; row < c.counts.size(); ++row)
    for (size_t column = 0; column < c.counts.size(); ++column)
      if (c.counts[row][column] > 0) text += cell_text(c, s, row, column, scores[row].support);
  return svg_document(width, height, title, text);
}

}  // namespace condenser::report
