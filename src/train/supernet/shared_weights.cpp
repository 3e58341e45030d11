#include "train/supernet/shared_weights.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "condenser/core/hash.hpp"
#include "condenser/core/rng.hpp"

namespace condenser::train {
namespace {

const arch::Op& op_of(const arch::Spec& spec, const std::string& parameter) {
  return spec.node(arch::find_node(spec, parameter.substr(0, parameter.find('.')))).op;
}

std::string key_of(const arch::Spec& spec, const std::string& parameter) {
  return std::string(arch::op_name(op_of(spec, parameter))) + "/" + parameter;
}

// Outputs, inputs, rows, columns; 1 where a parameter has fewer dimensions.
using Extents = std::array<int64_t, 4>;
Extents extents(const std::vector<int64_t>& shape) {
  Extents e{1, 1, 1, 1};
  std::copy(shape.begin(), shape.end(), e.begin());
  return e;
}

int64_t size_of(const Extents& e) { return e[0] * e[1] * e[2] * e[3]; }

// Inputs of the whole convolution.
int64_t all_inputs(const nn::Segment& s) { return extents(s.shape)[1] * s.groups; }

bool one_input(const nn::Segment& s) { return s.shape.size() == 4 && s.shape[1] == 1; }

// use(offset in the part, offset in the whole, count) for every run of numbers that both have.
template <class Use>
void each_run(const nn::Segment& part, const std::vector<int64_t>& whole_shape, bool diagonal, const Use& use) {
  const Extents p = extents(part.shape), w = extents(whole_shape);
  const int64_t per_group = p[0] / part.groups;
  const auto before = [](int64_t larger, int64_t smaller) { return (larger - smaller) / 2; };
  // Of a kernel that is larger than the whole one, the centre is shared.
  const int64_t row_shift = p[2] <= w[2] ? before(w[2], p[2]) : -before(p[2], w[2]);
  const int64_t column_shift = p[3] <= w[3] ? before(w[3], p[3]) : -before(p[3], w[3]);
  const int64_t column = std::max<int64_t>(0, -column_shift), count = std::min(p[3], w[3]);
  for (int64_t o = 0; o < std::min(p[0], w[0]); ++o) {
    const int64_t first = diagonal ? 0 : o / per_group * p[1];
    for (int64_t i = 0; i < p[1] && first + i < w[1]; ++i)
      for (int64_t y = std::max<int64_t>(0, -row_shift); y < p[2] && y + row_shift < w[2]; ++y)
        use(((o * p[1] + i) * p[2] + y) * p[3] + column,
            ((o * w[1] + first + i) * w[2] + y + row_shift) * w[3] + column + column_shift, count);
  }
}

uint64_t stream_of(const std::string& key) {
  const core::Hash128 id = core::hash128(key);
  uint64_t stream = 0;
  std::memcpy(&stream, id.bytes.data(), sizeof stream);
  return stream;
}

}  // namespace

void SharedWeights::cover(const arch::Spec& spec) {
  std::map<std::string, std::optional<float>> initial;
  for (const arch::ParamInfo& info : arch::parameters(spec)) initial[info.name] = info.initial;
  for (const nn::Segment& s : nn::block_layout(spec).segments) {
    if (!s.trainable) continue;
    const std::string key = key_of(spec, s.name);
    const auto [entry, fresh] = wholes_.try_emplace(key);
    if (fresh) order_.push_back(key);
    Whole& whole = entry->second;
    std::vector<int64_t> shape = s.shape;
    if (shape.size() == 4) shape[1] = all_inputs(s);
    if (fresh) whole = {.shape = shape, .decay = s.decay, .initial = initial.at(s.name)};
    for (size_t d = 0; d < shape.size(); ++d) whole.shape[d] = std::max(whole.shape[d], shape[d]);
    whole.diagonal = whole.diagonal && one_input(s);
    whole.fan_in = std::max(whole.fan_in, s.size / s.shape[0]);
  }
}

void SharedWeights::start(const arch::Spec& last, uint64_t seed) {
  std::vector<std::string> behind;
  for (const nn::Segment& s : nn::block_layout(last).segments)
    if (s.trainable) behind.push_back(key_of(last, s.name));
  std::erase_if(order_, [&](const std::string& key) { return std::ranges::find(behind, key) != behind.end(); });
  order_.insert(order_.end(), behind.begin(), behind.end());
  constexpr int64_t kAlign = 16;  // as blocks of networks
  for (const std::string& key : order_) {
    Whole& whole = wholes_.at(key);
    if (whole.diagonal) whole.shape[1] = 1;
    whole.segment = layout_.segments.size();
    nn::Segment s{.name = key, .shape = whole.shape, .offset = layout_.size, .decay = whole.decay};
    s.size = size_of(extents(s.shape));
    layout_.size += (s.size + kAlign - 1) / kAlign * kAlign;
    layout_.segments.push_back(std::move(s));
  }
  layout_.trainable_size = layout_.size;
  values_.assign(static_cast<size_t>(layout_.size), 0.0f);
  for (const nn::Segment& s : layout_.segments) {
    const Whole& whole = wholes_.at(s.name);
    const std::span<float> values = this->values().subspan(static_cast<size_t>(s.offset), static_cast<size_t>(s.size));
    core::Rng rng(seed, stream_of(s.name));
    const double deviation = std::sqrt(2.0 / static_cast<double>(whole.fan_in));
    for (float& v : values) v = whole.initial ? *whole.initial : static_cast<float>(deviation * rng.normal());
  }
}

const SharedWeights::Whole* SharedWeights::find(const arch::Spec& spec, const nn::Segment& s) const {
  const auto found = wholes_.find(key_of(spec, s.name));
  if (found == wholes_.end() || found->second.shape.size() != s.shape.size()) return nullptr;
  return found->second.diagonal && !one_input(s) ? nullptr : &found->second;
}

bool SharedWeights::covers(const arch::Spec& spec) const {
  const nn::BlockLayout own = nn::block_layout(spec);
  return std::ranges::all_of(own.segments, [&](const nn::Segment& s) {
    if (!s.trainable) return true;
    const Whole* whole = find(spec, s);
    if (whole == nullptr) return false;
    Extents e = extents(s.shape), w = extents(whole->shape);
    if (!whole->diagonal) e[1] *= s.groups;
    return e[0] <= w[0] && e[1] <= w[1] && e[2] <= w[2] && e[3] <= w[3];
  });
}

int64_t SharedWeights::inherit(const arch::Spec& spec, arch::Weights& weights) const {
  int64_t own = 0;
  for (const nn::Segment& s : nn::block_layout(spec).segments) {
    if (!s.trainable) continue;
    own += s.size;
    const Whole* whole = find(spec, s);
    if (whole == nullptr) continue;
    const float* from = values_.data() + layout_.segments[whole->segment].offset;
    float* to = weights.tensors.at(s.name).f32().data();
    each_run(s, whole->shape, whole->diagonal, [&](int64_t in_part, int64_t in_whole, int64_t count) {
      std::copy_n(from + in_whole, count, to + in_part);
      own -= count;
    });
  }
  return own;
}

void SharedWeights::add_gradients(const arch::Spec& spec, const nn::BlockLayout& layout, std::span<const float> own,
                                  float factor, std::span<float> gradients, std::vector<bool>& touched) const {
  for (const nn::Segment& s : layout.segments) {
    if (!s.trainable) continue;
    const Whole* whole = find(spec, s);
    if (whole == nullptr)
      throw core::Error("shared weights: network " + spec.name + " has a " + s.name + " of its own");
    const float* from = own.data() + s.offset;
    float* to = gradients.data() + layout_.segments[whole->segment].offset;
    each_run(s, whole->shape, whole->diagonal, [&](int64_t in_part, int64_t in_whole, int64_t count) {
      for (int64_t i = 0; i < count; ++i) to[in_whole + i] += factor * from[in_part + i];
    });
    touched[whole->segment] = true;
  }
}

}  // namespace condenser::train
