// The data set of clips. Features of unchanged clips are computed when first asked for and then kept: evaluation goes
// over them every epoch.
#include "data/formats/wav_clips.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <type_traits>

#include "condenser/core/error.hpp"
#include "condenser/core/text.hpp"

namespace condenser::data {
namespace {

bool is_whole(float x) { return x >= -32768 && x <= 32767 && x == std::floor(x); }

// One slot per item. Whoever claims a slot fills it; others compute for themselves until it is full.
class Kept {
 public:
  Kept(int64_t items, int64_t elements)
      : elements_(elements), states_(items), values_(static_cast<size_t>(items * elements)) {}

  bool copy(int64_t i, std::span<float> out) const {
    if (states_[i].load(std::memory_order_acquire) != kFull) return false;
    std::copy_n(values_.begin() + i * elements_, elements_, out.begin());
    return true;
  }

  void keep(int64_t i, std::span<const float> values) {
    int expected = kEmpty;
    if (!states_[i].compare_exchange_strong(expected, kClaimed, std::memory_order_relaxed)) return;
    std::ranges::copy(values, values_.begin() + i * elements_);
    states_[i].store(kFull, std::memory_order_release);
  }

 private:
  enum : int { kEmpty, kClaimed, kFull };
  const int64_t elements_;
  std::vector<std::atomic<int>> states_;
  std::vector<float> values_;
};

class ClipDataset : public Dataset {
 public:
  ClipDataset(const AudioOptions& options, std::vector<std::string> classes, Normalization normalization, Clips clips)
      : rate_(options.sample_rate),
        front_end_(options),
        classes_(std::move(classes)),
        normalization_(std::move(normalization)),
        clips_(std::move(clips)),
        kept_(size(), shape().elements()) {
    if (normalization_.mean.empty()) normalization_ = {{0.0}, {1.0}};
  }

  int64_t size() const override { return std::ssize(clips_.labels); }
  ItemShape shape() const override { return front_end_.shape(); }
  const std::vector<std::string>& classes() const override { return classes_; }
  const Normalization& normalization() const override { return normalization_; }
  int label(int64_t i) const override { return clips_.labels[checked(i)]; }
  std::string name(int64_t i) const override { return clips_.names[checked(i)]; }

  std::vector<float> clip(int64_t i) const override {
    std::vector<float> wave(static_cast<size_t>(front_end_.samples()));
    clips_.waves.copy(checked(i), wave);
    return wave;
  }

  void get(int64_t i, std::span<float> out) const override {
    if (kept_.copy(checked(i), out)) return;
    finish(leveled(i), out);
    kept_.keep(i, out);
  }

  void draw(int64_t i, const SampleAugment& augment, core::Rng& rng, std::span<float> out) const override {
    if (augment.time_shift_ms == 0 && augment.noise_probability == 0) return get(i, out);
    std::vector<float> wave = leveled(i);
    shift(augment.time_shift_ms, rng, wave);
    if (augment.noise_probability > 0) add_noise(augment, rng, wave);
    finish(wave, out);
  }

 private:
  int64_t checked(int64_t i) const {
    if (i >= 0 && i < size()) return i;
    throw core::Error("data set: item " + std::to_string(i) + " asked for; it holds " + std::to_string(size()));
  }

  std::vector<float> leveled(int64_t i) const {
    std::vector<float> wave = clip(i);
    const float gain = front_end_.gain(wave);
    for (float& x : wave) x *= gain;
    return wave;
  }

  void shift(int largest_ms, core::Rng& rng, std::vector<float>& wave) const {
    const int64_t n = std::ssize(wave);
    const int64_t largest = std::min<int64_t>(n, static_cast<int64_t>(largest_ms) * rate_ / 1000);
    const int64_t by = static_cast<int64_t>(rng.below(static_cast<uint64_t>(2 * largest + 1))) - largest;
    if (by > 0) {
      std::move_backward(wave.begin(), wave.end() - by, wave.end());
      std::fill_n(wave.begin(), by, 0.0f);
    } else if (by < 0) {
      std::move(wave.begin() - by, wave.end(), wave.begin());
      std::fill(wave.end() + by, wave.end(), 0.0f);
    }
  }

  // A recording shorter than the clip is repeated.
  void add_noise(const SampleAugment& augment, core::Rng& rng, std::vector<float>& wave) const {
    if (clips_.noises.empty()) {
      throw core::Error("augment: noise_probability = " + core::number(augment.noise_probability) +
                        ", but the data set has no background noise: neither a folder _background_noise_ nor training "
                        "clips of a class _silence_; set it to 0");
    }
    if (rng.uniform() >= augment.noise_probability) return;
    const std::vector<float>& noise = clips_.noises[rng.below(clips_.noises.size())];
    const size_t start = rng.below(noise.size());
    const double volume = rng.uniform(0.0, augment.noise_volume);
    float largest = 1;
    for (size_t k = 0; k < wave.size(); ++k) largest = std::max(largest, std::abs(noise[(start + k) % noise.size()]));
    const auto gain = static_cast<float>(volume / static_cast<double>(largest));
    for (size_t k = 0, at = start; k < wave.size(); ++k) {
      wave[k] = std::clamp(wave[k] + gain * noise[at], -1.0f, 1.0f);
      if (++at == noise.size()) at = 0;
    }
  }

  void finish(const std::vector<float>& wave, std::span<float> out) const {
    front_end_.run(wave, out);
    const auto mean = static_cast<float>(normalization_.mean[0]), std = static_cast<float>(normalization_.std[0]);
    for (float& value : out) value = (value - mean) / std;
  }

  const int rate_;
  const FrontEnd front_end_;
  const std::vector<std::string> classes_;
  Normalization normalization_;
  const Clips clips_;
  mutable Kept kept_;
};

}  // namespace

void Waves::append(std::span<const float> samples) {
  const auto kept = samples.first(std::min<size_t>(samples.size(), static_cast<size_t>(length_)));
  if (!is_fine_ && !std::ranges::all_of(kept, is_whole)) {
    fine_.assign(whole_.begin(), whole_.end());
    whole_ = {};
    is_fine_ = true;
  }
  const auto add = [&](auto& to) {
    const size_t begin = to.size();
    to.resize(begin + static_cast<size_t>(length_), 0);
    for (size_t k = 0; k < kept.size(); ++k)
      to[begin + k] = static_cast<typename std::decay_t<decltype(to)>::value_type>(kept[k]);
  };
  if (is_fine_)
    add(fine_);
  else
    add(whole_);
}

void Waves::copy(int64_t i, std::span<float> out) const {
  const auto from = [&](const auto& all) { std::copy_n(all.begin() + i * length_, length_, out.begin()); };
  if (is_fine_)
    from(fine_);
  else
    from(whole_);
}

std::shared_ptr<const Dataset> make_clip_dataset(const AudioOptions& options, std::vector<std::string> classes,
                                                 Normalization normalization, Clips clips) {
  return std::make_shared<ClipDataset>(options, std::move(classes), std::move(normalization), std::move(clips));
}

}  // namespace condenser::data
