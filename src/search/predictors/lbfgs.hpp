#pragma once
// Limited-memory BFGS for smooth functions of a few variables (Nocedal and Wright 2006, algorithm 7.4; backtracking to
// sufficient decrease). A function of its arguments alone.

#include <Eigen/Core>
#include <deque>

namespace condenser::search {

// `f(x, gradient)` gives the value and fills the gradient. Returns the best x after at most `iterations` steps.
template <class Function>
Eigen::VectorXd minimize(const Function& f, Eigen::VectorXd x, int iterations) {
  constexpr size_t kMemory = 8;
  constexpr double kLongestStep = 2, kEnough = 1e-4, kNoChange = 1e-5;
  struct Pair {
    Eigen::VectorXd s, y;
  };
  std::deque<Pair> memory;
  Eigen::VectorXd gradient;
  double value = f(x, gradient);
  for (int i = 0; i < iterations; ++i) {
    Eigen::VectorXd step = -gradient;
    std::vector<double> a(memory.size());
    for (size_t k = memory.size(); k-- > 0;) {
      a[k] = memory[k].s.dot(step) / memory[k].s.dot(memory[k].y);
      step -= a[k] * memory[k].y;
    }
    if (memory.empty())
      step /= std::max(1.0, gradient.norm());
    else
      step *= memory.back().s.dot(memory.back().y) / memory.back().y.squaredNorm();
    for (size_t k = 0; k < memory.size(); ++k) {
      const double b = memory[k].y.dot(step) / memory[k].s.dot(memory[k].y);
      step += (a[k] - b) * memory[k].s;
    }
    if (step.norm() > kLongestStep) step *= kLongestStep / step.norm();
    const double slope = gradient.dot(step);
    if (!(slope < -1e-9)) break;

    Eigen::VectorXd next, next_gradient;
    double length = 1, next_value = 0;
    int halvings = 0;
    for (; halvings < 10; ++halvings, length /= 2) {
      next = x + length * step;
      next_value = f(next, next_gradient);
      if (next_value <= value + kEnough * length * slope) break;
    }
    if (halvings == 10) break;
    Pair pair{next - x, next_gradient - gradient};
    if (pair.s.dot(pair.y) > 1e-10) memory.push_back(std::move(pair));
    if (memory.size() > kMemory) memory.pop_front();
    const bool done = value - next_value < kNoChange;
    x = next;
    gradient = next_gradient;
    value = next_value;
    if (done) break;
  }
  return x;
}

}  // namespace condenser::search
