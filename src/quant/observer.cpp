// The observers, and the histogram under all but min_max.
#include "quant/observer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "condenser/core/error.hpp"
#include "condenser/core/text.hpp"

namespace condenser::quant {
namespace {

constexpr double kMinScale = 1e-6;  // of an activation; real ones are four orders of magnitude above

Range extremes_of(std::span<const float> values) {
  Range r;
  bool finite = true;
  for (float v : values) {
    finite &= std::isfinite(v);
    r.low = std::min(r.low, static_cast<double>(v));
    r.high = std::max(r.high, static_cast<double>(v));
  }
  if (!finite) throw core::Error("calibration met NaN or infinity; expected finite activations: check the weights");
  return r;
}

Range join(const Range& a, const Range& b) { return {std::min(a.low, b.low), std::max(a.high, b.high)}; }

class MinMaxObserver : public Observer {
 public:
  void observe(std::span<const float> values) override { range_ = join(range_, extremes_of(values)); }
  Range range() const override { return range_; }

 private:
  Range range_;
};

// Keeps `percentile` percent of |x|; a one-sided activation loses nothing on its short side.
class PercentileObserver : public Observer {
 public:
  explicit PercentileObserver(double percentile) : percentile_(percentile) {}
  void observe(std::span<const float> values) override { histogram_.add(values); }
  Range range() const override {
    const double wanted = percentile_ / 100.0 * static_cast<double>(histogram_.total());
    double seen = static_cast<double>(histogram_.zeros()), bound = 0;
    for (size_t i = 0; i < Histogram::kBins && seen < wanted; ++i) {
      const double count = static_cast<double>(histogram_.positive()[i] + histogram_.negative()[i]);
      if (count > 0) bound = (static_cast<double>(i) + std::min(1.0, (wanted - seen) / count)) * histogram_.width();
      seen += count;
    }
    const Range whole = histogram_.extremes();
    return {std::max(whole.low, -bound), std::min(whole.high, bound)};
  }

 private:
  double percentile_;
  Histogram histogram_;
};

// Shrinks the two ends of the observed range, first together and then each alone, to the least squared error. Rounding
// shrinks with the range, clipping grows; the optimum lies where outliers are rare enough to pay for.
class MseObserver : public Observer {
 public:
  void observe(std::span<const float> values) override { histogram_.add(values); }
  Range range() const override {
    const Range whole = histogram_.extremes();
    Range best = whole;
    double least = quantization_error(histogram_, affine(best));
    const auto consider = [&](const Range& r) {
      const double error = quantization_error(histogram_, affine(r));
      if (error < least) {
        least = error;
        best = r;
      }
    };
    for (int k = kSteps - 2; k > 0; k -= 2) consider({whole.low * k / kSteps, whole.high * k / kSteps});
    for (int round = 0; round < 2; ++round) {
      for (int k = kSteps; k > 0 && whole.high > 0; --k) consider({best.low, whole.high * k / kSteps});
      for (int k = kSteps; k > 0 && whole.low < 0; --k) consider({whole.low * k / kSteps, best.high});
      if (whole.low == 0 || whole.high == 0) break;  // one side: nothing changes in a second round
    }
    return best;
  }

 private:
  static constexpr int kSteps = 64;
  Histogram histogram_;
};

// The threshold that keeps most of what the distribution of |x| says: least Kullback-Leibler divergence of the values
// as int8 has them, clipped ones in the last bin, from those that were seen (Migacz 2017, "8-bit inference with
// TensorRT"). Levels finer than a bin are taken for exact, so that the threshold is at least about a quarter of the
// largest value of a one-sided activation, and an eighth of a two-sided one's.
class EntropyObserver : public Observer {
 public:
  void observe(std::span<const float> values) override { histogram_.add(values); }
  Range range() const override {
    const Range whole = histogram_.extremes();
    const size_t levels = whole.low < 0 && whole.high > 0 ? 128 : 256;  // of |x|
    std::vector<double> counts(Histogram::kBins);
    size_t used = 0;
    for (size_t i = 0; i < counts.size(); ++i) {
      counts[i] = static_cast<double>(histogram_.positive()[i] + histogram_.negative()[i]);
      if (counts[i] > 0) used = i + 1;
    }
    size_t best = used;
    double least = std::numeric_limits<double>::infinity();
    const size_t step = std::max<size_t>(1, used / kCandidates);
    for (size_t i = used; i >= std::min(levels, used) && i > 0; i -= std::min(step, i)) {
      const double divergence = divergence_at(counts, i, levels);
      if (divergence < least) {
        least = divergence;
        best = i;
      }
    }
    const double bound = static_cast<double>(best) * histogram_.width();
    return {std::max(whole.low, -bound), std::min(whole.high, bound)};
  }

 private:
  static constexpr size_t kCandidates = 128;

  // With the first `kept` bins as `levels` levels.
  static double divergence_at(std::span<const double> counts, size_t kept, size_t levels) {
    constexpr double kUnseen = 1e-4;  // of a sample: clipped values in a bin that had none
    const auto inside = counts.first(kept), outside = counts.subspan(kept);
    const double within = std::accumulate(inside.begin(), inside.end(), 0.0);
    const double clipped = std::accumulate(outside.begin(), outside.end(), 0.0);
    if (within == 0) return std::numeric_limits<double>::infinity();
    double sum = 0;
    levels = std::min(levels, kept);
    for (size_t level = 0; level < levels; ++level) {
      const size_t begin = level * kept / levels, end = (level + 1) * kept / levels;
      double total = 0, full = 0;
      for (size_t i = begin; i < end; ++i) {
        total += counts[i];
        full += counts[i] > 0 ? 1 : 0;
      }
      for (size_t i = begin; i < end; ++i) {
        const double seen = counts[i] + (i + 1 == kept ? clipped : 0);
        if (seen == 0) continue;
        const double said = counts[i] > 0 ? total / full : kUnseen;
        sum += seen / (within + clipped) * std::log(seen / (within + clipped) * within / said);
      }
    }
    return sum;
  }

  Histogram histogram_;
};

// Integral from 0 to t of (x - q(x))^2 dx in units of the scale, where q rounds to the nearest integer in [low, high]:
// every whole step adds 1/12, and beyond the ends the cube goes on growing. -255 <= low <= 0 <= high <= 255.
double error_integral(double t, double low, double high) {
  constexpr double kShift = 256.0;  // makes the number positive, so that a cast rounds down
  const double n = static_cast<int>(std::min(std::max(t, low), high) + (kShift + 0.5)) - kShift;
  const double f = t - n;
  return n * (1.0 / 12.0) + f * f * f * (1.0 / 3.0);
}

// Of one sign, whose values lie in bins of width `step` from 0 up, in units of the scale.
double side_error(const std::vector<int64_t>& counts, double step, double low, double high) {
  double sum = 0, before = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    const double after = error_integral(static_cast<double>(i + 1) * step, low, high);
    sum += static_cast<double>(counts[i]) * (after - before);
    before = after;
  }
  return sum / step;
}

}  // namespace

void Histogram::grow_to(double magnitude) {
  constexpr double kCount = static_cast<double>(kBins);
  if (width_ == 0) {
    int exponent = 0;
    std::frexp(magnitude, &exponent);  // magnitude < 2^exponent
    width_ = std::ldexp(1.0, exponent) / kCount;
  }
  while (magnitude >= width_ * kCount) {
    for (std::vector<int64_t>* bins : {&positive_, &negative_}) {
      for (size_t i = 0; i < kBins / 2; ++i) (*bins)[i] = (*bins)[2 * i] + (*bins)[2 * i + 1];
      std::fill(bins->begin() + kBins / 2, bins->end(), 0);
    }
    width_ *= 2;
  }
}

void Histogram::add(std::span<const float> values) {
  const Range r = extremes_of(values);
  extremes_ = join(extremes_, r);
  total_ += static_cast<int64_t>(values.size());
  const double magnitude = std::max(-r.low, r.high);
  if (magnitude == 0) {
    zeros_ += static_cast<int64_t>(values.size());
    return;
  }
  grow_to(magnitude);
  const double inverse = 1.0 / width_;  // exact, as the width is a power of two
  for (float v : values) {
    if (v == 0.0f) {
      ++zeros_;
    } else {
      ++(v > 0 ? positive_ : negative_)[static_cast<size_t>(std::abs(static_cast<double>(v)) * inverse)];
    }
  }
}

double single_precision(double scale) { return double{static_cast<float>(scale)}; }

double single_precision_above(double least) {
  const auto nearest = static_cast<float>(least);
  return double{double{nearest} >= least ? nearest : std::nextafter(nearest, HUGE_VALF)};
}

runtime::TensorQuant affine(const Range& r) {
  runtime::TensorQuant q;
  q.scale = single_precision(std::max((r.high - r.low) / 255.0, kMinScale));
  q.zero_point = static_cast<int>(std::clamp(std::round(-128.0 - r.low / q.scale), -128.0, 127.0));
  return q;
}

runtime::TensorQuant symmetric_16(const Range& r) {
  const double most = std::max(-r.low, r.high);
  return {.scale = single_precision_above(std::max(most / INT16_MAX, kMinScale)), .zero_point = 0, .bits = 16};
}

double quantization_error(const Histogram& histogram, const runtime::TensorQuant& q) {
  if (histogram.width() == 0) return 0;
  const double step = histogram.width() / q.scale;
  const double low = -128.0 - q.zero_point, high = 127.0 - q.zero_point;  // representable values, in scales
  const Range seen = histogram.extremes();
  double error = 0;
  if (seen.high > 0) error += side_error(histogram.positive(), step, low, high);
  if (seen.low < 0) error += side_error(histogram.negative(), step, -high, -low);
  return q.scale * q.scale * error;
}

const std::vector<std::string>& observer_names() {
  static const std::vector<std::string> names = {"min_max", "percentile", "mse", "entropy"};
  return names;
}

std::unique_ptr<Observer> make_observer(const QuantOptions& options) {
  if (options.observer == "min_max") return std::make_unique<MinMaxObserver>();
  if (options.observer == "percentile") return std::make_unique<PercentileObserver>(options.percentile);
  if (options.observer == "mse") return std::make_unique<MseObserver>();
  if (options.observer == "entropy") return std::make_unique<EntropyObserver>();
  throw core::Error("quantization observer \"" + options.observer + "\"; expected " +
                    core::join(observer_names(), ", "));
}

}  // namespace condenser::quant
