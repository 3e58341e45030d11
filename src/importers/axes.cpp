#include "importers/axes.hpp"

namespace condenser::importers {
namespace {

void append(Axis& axis, Atom atom) {
  if (atom.size == 1) return;
  if (!axis.empty() && axis.back().axis == atom.axis && axis.back().stride == atom.stride * atom.size) {
    axis.back().size *= atom.size;
    axis.back().stride = atom.stride;
  } else {
    axis.push_back(atom);
  }
}

}  // namespace

int64_t extent(const Axis& axis) {
  int64_t product = 1;
  for (const Atom& atom : axis) product *= atom.size;
  return product;
}

std::vector<int64_t> extents(const Axes& axes) {
  std::vector<int64_t> result;
  for (const Axis& axis : axes) result.push_back(extent(axis));
  return result;
}

Axes standard_axes(const core::Shape& shape, int64_t batch, size_t rank) {
  Axes axes(rank);
  if (rank > 0) append(axes[0], {'n', batch, 1});
  if (rank > 1) append(axes[1], {'c', shape.c, 1});
  if (rank > 3) append(axes[2], {'h', shape.h, 1});
  if (rank > 2) append(axes[rank - 1], {'w', shape.w, 1});
  return axes;
}

bool is_whole(const Axis& axis, char which, int64_t size) {
  return size == 1 ? axis.empty() : axis == Axis{{which, size, 1}};
}

bool is_standard(const Axes& axes, const core::Shape& shape, int64_t batch) {
  return axes.size() >= 2 && axes.size() <= 4 && axes == standard_axes(shape, batch, axes.size()) &&
         (axes.size() > 3 || shape.h == 1) && (axes.size() > 2 || shape.w == 1);
}

std::optional<Axes> regrouped(const Axes& axes, const std::vector<int64_t>& extents) {
  std::vector<Atom> rest;  // the last is next
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) rest.insert(rest.end(), axis->rbegin(), axis->rend());
  Axes result;
  for (const int64_t wanted : extents) {
    Axis& axis = result.emplace_back();
    for (int64_t missing = wanted; missing != 1;) {
      if (rest.empty()) return std::nullopt;
      Atom& next = rest.back();
      if (missing % next.size == 0) {
        append(axis, next);
        missing /= next.size;
        rest.pop_back();
      } else if (missing > 0 && next.size % missing == 0) {
        const int64_t inner = next.size / missing;
        append(axis, {next.axis, missing, next.stride * inner});
        next.size = inner;
        missing = 1;
      } else {
        return std::nullopt;
      }
    }
  }
  if (!rest.empty()) return std::nullopt;
  return result;
}

Axes permuted(const Axes& axes, const std::vector<size_t>& order) {
  Axes result;
  for (const size_t from : order) result.push_back(axes.at(from));
  return result;
}

std::string to_string(const Axes& axes) {
  std::string text;
  for (const Axis& axis : axes) {
    std::string names;
    for (const Atom& atom : axis) names += atom.axis;
    text += axis.empty() ? "1" : names.size() == 1 ? names : "(" + names + ")";
  }
  return text;
}

}  // namespace condenser::importers
