#pragma once
// Points of several values, each better when higher: which of them no other beats, and in which order the rest follows.

#include <span>
#include <vector>

namespace condenser::search {

using Point = std::vector<double>;  // one value for each goal; all points of a call have as many

// At least as good everywhere and better somewhere.
bool dominates(const Point& a, const Point& b);

// Which front each point is on: 0 for those that nothing dominates, 1 for those only front 0 dominates, and so on (fast
// non-dominated sorting, Deb et al. 2002). Equal points share a front. Takes n^2 comparisons.
std::vector<int> fronts(std::span<const Point>);

// Places of all points, best first: by front; within one those with the larger crowding distance first (Deb et al.
// 2002: the sum over goals of the distance between both neighbours, as share of the front's range; ends are infinitely
// far); then as given. For a single goal this is: highest first.
std::vector<size_t> best_first(std::span<const Point>);

// The point of balance among points that do not dominate each other: the nearest to the best values of all goals, each
// goal counted in shares of its range over the points. The first of several.
size_t balanced(std::span<const Point>);

// A tenth of the front's range below its worst value in every goal, or `step` below where all are equal: points at the
// front's ends count for something, and nothing below is worth anything.
Point reference_below(std::span<const Point> front, double step);

}  // namespace condenser::search
