// Registers hold channels x vectors of pixels (forward) or channels x sources (weight gradient).
#include "nn/products.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

namespace condenser::nn {
namespace {

template <int Lanes>
struct Vectors {
  typedef float Aligned __attribute__((vector_size(Lanes * 4)));
  typedef float Unaligned __attribute__((vector_size(Lanes * 4), aligned(4), may_alias));
  typedef int32_t Bits __attribute__((vector_size(Lanes * 4)));
};
template <int Lanes>
using Vector = typename Vectors<Lanes>::Aligned;

template <int Lanes>
inline Vector<Lanes> load(const float* from) {
  return *reinterpret_cast<const typename Vectors<Lanes>::Unaligned*>(from);
}
template <int Lanes>
inline void store(float* to, const Vector<Lanes>& v) {
  *reinterpret_cast<typename Vectors<Lanes>::Unaligned*>(to) = v;
}

// Calls use(std::integral_constant<int, n>) for 1 <= n <= Most.
template <int Most, class Use>
inline void with_constant(int64_t n, const Use& use) {
  if constexpr (Most > 0) {
    if (n == Most) return use(std::integral_constant<int, Most>{});
    with_constant<Most - 1>(n, use);
  }
}

// What fits into so many vector registers: channels x tiles for the product, channels x sources for the weights.
// Weights take six channels at most: planes are often 4096 bytes apart, and as many lines of them share a set of the
// first cache, which holds eight.
template <int Registers>
struct Blocks {
  static constexpr bool kMany = Registers == 32;
  static constexpr int kChannels = kMany ? 8 : 4;
  static constexpr int tiles(int channels) { return kMany && channels <= 6 ? 4 : 3; }
  static constexpr int kWeightChannels = kMany ? 6 : 4;
  static constexpr int sources(int channels) {
    constexpr int kSources[] = {0, 9, 9, 8, 6, 5, 4};
    if (kMany) return kSources[channels];
    return channels == 1 ? 9 : channels == 2 ? 5 : 3;
  }
};

// Splits `channels` into `blocks` of nearly equal size; the same for vectors and sources.
inline int64_t block_begin(int64_t channels, int64_t blocks, int64_t i) { return channels * i / blocks; }

template <int Lanes, int Channels, int Tiles>
inline void product_block(const Product& p, const float* weights, int64_t channel, const Tiling::Tile* tiles) {
  Vector<Lanes> sum[Channels][Tiles];
  for (int c = 0; c < Channels; ++c) {
    const float bias = p.bias != nullptr ? p.bias[channel + c] : 0.0f;
    for (int t = 0; t < Tiles; ++t) sum[c][t] = Vector<Lanes>{} + bias;
  }
  int64_t from[Tiles];
  for (int t = 0; t < Tiles; ++t) from[t] = tiles[t].from + p.source_offset;
  for (int64_t j = 0; j < p.count; ++j, weights += Channels) {
    const float* source = p.sources[j];
    Vector<Lanes> x[Tiles];
    for (int t = 0; t < Tiles; ++t) x[t] = load<Lanes>(source + from[t]);
    for (int c = 0; c < Channels; ++c)
      for (int t = 0; t < Tiles; ++t) sum[c][t] += weights[c] * x[t];
  }
  for (int c = 0; c < Channels; ++c)
    for (int t = 0; t < Tiles; ++t) store<Lanes>(p.out + (channel + c) * p.out_plane + tiles[t].to, sum[c][t]);
}

template <int Lanes, int Registers>
inline void product_tiles(const Product& p, const Tiling::Tile* tiles, int64_t count) {
  using B = Blocks<Registers>;
  const int64_t blocks = (p.channels + B::kChannels - 1) / B::kChannels;
  for (int64_t b = 0; b < blocks; ++b) {
    const int64_t begin = block_begin(p.channels, blocks, b), end = block_begin(p.channels, blocks, b + 1);
    const float* weights = p.weights + begin * p.count;
    with_constant<B::kChannels>(end - begin, [&](auto channels) {
      with_constant<B::tiles(channels)>(count,
                                        [&](auto n) { product_block<Lanes, channels, n>(p, weights, begin, tiles); });
    });
  }
}

// Vectors of pixels outside, channels inside: the sources of a few vectors stay in the cache.
template <int Lanes, int Registers>
inline void run_product(const Product& p) {
  using B = Blocks<Registers>;
  const int64_t blocks = (p.channels + B::kChannels - 1) / B::kChannels;
  const int64_t most = (p.channels + blocks - 1) / blocks <= 6 ? B::tiles(6) : B::tiles(B::kChannels);
  for (const auto* list : {&p.tiling->whole, &p.tiling->last}) {
    const auto total = static_cast<int64_t>(list->size());
    const int64_t turns = (total + most - 1) / most;
    for (int64_t i = 0; i < turns; ++i) {
      const int64_t begin = block_begin(total, turns, i);
      product_tiles<Lanes, Registers>(p, list->data() + begin, block_begin(total, turns, i + 1) - begin);
    }
  }
}

// From groups of `Group` lanes of a and b their halves, a's before b's: the upper ones where `upper` is Group / 2.
template <int Lanes, int Group, std::size_t... I>
inline Vector<Lanes> halves(const Vector<Lanes>& a, const Vector<Lanes>& b, std::integral_constant<int, Group>,
                            std::index_sequence<I...>, auto upper) {
  constexpr int kHalf = Group / 2;
  return __builtin_shufflevector(a, b, (static_cast<int>(I) / kHalf * Group + static_cast<int>(I) % kHalf + upper)...);
}

// Sums of the lanes of v[0] ... v[Count - 1], in this order, in the lanes of v[0], v[1] ... Neighbours share a vector
// after each step: three instructions for two of them.
template <int Lanes, int Count, int Group = Lanes>
inline void sum_lanes(Vector<Lanes>* v) {
  if constexpr (Group > 1) {
    constexpr auto kAll = std::make_index_sequence<Lanes>{};
    constexpr std::integral_constant<int, Group> kGroup;
#pragma GCC unroll 32
    for (int i = 0; i < Count; i += 2) {
      const Vector<Lanes> next = i + 1 < Count ? v[i + 1] : Vector<Lanes>{};
      v[i / 2] = halves<Lanes>(v[i], next, kGroup, kAll, std::integral_constant<int, 0>{}) +
                 halves<Lanes>(v[i], next, kGroup, kAll, std::integral_constant<int, Group / 2>{});
    }
    sum_lanes<Lanes, (Count + 1) / 2, Group / 2>(v);
  }
}

// Part of a weight product that stays in the cache: some images and some of their tiles.
struct Part {
  int64_t image, images;
  std::span<const Tiling::Tile> whole, last;
};

template <int Lanes, int Channels, int Sources>
inline void weight_block(const WeightProduct& p, const Part& part, const float* dy, const float* const* sources,
                         float* d_weight) {
  Vector<Lanes> sum[Channels][Sources] = {};
  typename Vectors<Lanes>::Bits mask;
  for (int i = 0; i < Lanes; ++i) mask[i] = i < p.tiling->overlap ? 0 : -1;
  const float* source[Sources];
  for (int j = 0; j < Sources; ++j) source[j] = sources[j] + part.image * p.source_image;
  dy += part.image * p.dy_image;
  const auto add = [&](const Tiling::Tile& tile, const auto& gradient) {
    if constexpr (Channels <= Sources) {  // the fewer of the two wait in registers
      Vector<Lanes> g[Channels];
      for (int c = 0; c < Channels; ++c) g[c] = gradient(dy + c * p.dy_plane + tile.to);
      for (int j = 0; j < Sources; ++j) {
        const Vector<Lanes> x = load<Lanes>(source[j] + tile.from);
        for (int c = 0; c < Channels; ++c) sum[c][j] += g[c] * x;
      }
    } else {
      Vector<Lanes> x[Sources];
      for (int j = 0; j < Sources; ++j) x[j] = load<Lanes>(source[j] + tile.from);
      for (int c = 0; c < Channels; ++c) {
        const Vector<Lanes> g = gradient(dy + c * p.dy_plane + tile.to);
        for (int j = 0; j < Sources; ++j) sum[c][j] += g * x[j];
      }
    }
  };
  for (int64_t i = 0; i < part.images; ++i) {
    for (const auto& tile : part.whole) add(tile, [](const float* from) { return load<Lanes>(from); });
    for (const auto& tile : part.last)
      add(tile,
          [&](const float* from) { return (Vector<Lanes>)((typename Vectors<Lanes>::Bits)load<Lanes>(from) & mask); });
    dy += p.dy_image;
    for (int j = 0; j < Sources; ++j) source[j] += p.source_image;
  }
  constexpr int kSums = Channels * Sources, kVectors = (kSums + Lanes - 1) / Lanes;
  sum_lanes<Lanes, kSums>(&sum[0][0]);
  float sums[kVectors * Lanes];
  for (int k = 0; k < kVectors; ++k) store<Lanes>(sums + k * Lanes, (&sum[0][0])[k]);
  for (int c = 0; c < Channels; ++c)
    for (int j = 0; j < Sources; ++j) d_weight[c * p.count + j] += sums[c * Sources + j];
}

// Adds one part for the sources first .. first + count - 1. A block's tiles of dy stay in the first cache, those of the
// sources in the second.
template <int Lanes, int Registers>
inline void weight_part(const WeightProduct& p, const Part& part, int64_t first, int64_t count) {
  using B = Blocks<Registers>;
  const int64_t blocks = (p.channels + B::kWeightChannels - 1) / B::kWeightChannels;
  for (int64_t b = 0; b < blocks; ++b) {
    const int64_t begin = block_begin(p.channels, blocks, b), end = block_begin(p.channels, blocks, b + 1);
    const float* dy = p.dy + begin * p.dy_plane;
    float* d_weight = p.d_weight + begin * p.count;
    with_constant<B::kWeightChannels>(end - begin, [&](auto channels) {
      constexpr int kMost = B::sources(channels);
      const int64_t turns = (count + kMost - 1) / kMost;
      for (int64_t i = 0; i < turns; ++i) {
        const int64_t j = first + block_begin(count, turns, i);
        with_constant<kMost>(first + block_begin(count, turns, i + 1) - j, [&](auto n) {
          weight_block<Lanes, channels, n>(p, part, dy, p.sources + j, d_weight + j);
        });
      }
    });
  }
}

template <int Lanes, int Registers>
inline void run_weight_product(const WeightProduct& p) {
  constexpr int64_t kPixels = 1024, kSources = 128;  // 4 KiB of each plane, 512 KiB of sources
  const std::span whole(p.tiling->whole), last(p.tiling->last);
  const auto tiles = static_cast<int64_t>(whole.size() + last.size());
  const int64_t most = kPixels / Lanes, ranges = (tiles + most - 1) / most, images = std::max<int64_t>(1, most / tiles);
  const int64_t panels = (p.count + kSources - 1) / kSources;
  const auto range_of = [&](auto list, int64_t i) {
    const auto n = static_cast<int64_t>(list.size()), begin = block_begin(n, ranges, i);
    return list.subspan(static_cast<size_t>(begin), static_cast<size_t>(block_begin(n, ranges, i + 1) - begin));
  };
  for (int64_t image = 0; image < p.images; image += images)
    for (int64_t i = 0; i < ranges; ++i) {
      const Part part{image, std::min(images, p.images - image), range_of(whole, i), range_of(last, i)};
      for (int64_t k = 0; k < panels; ++k) {
        const int64_t first = block_begin(p.count, panels, k);
        weight_part<Lanes, Registers>(p, part, first, block_begin(p.count, panels, k + 1) - first);
      }
    }
}

}  // namespace

// clang-format off
#if defined(__x86_64__) && defined(__linux__)
#define CONDENSER_FOR(set) __attribute__((target(set), flatten))
namespace {
CONDENSER_FOR("arch=x86-64-v4") void multiply_16_32(const Product& p) { run_product<16, 32>(p); }
CONDENSER_FOR("arch=x86-64-v4") void multiply_8_32(const Product& p) { run_product<8, 32>(p); }
CONDENSER_FOR("arch=x86-64-v3") void multiply_8_16(const Product& p) { run_product<8, 16>(p); }
CONDENSER_FOR("arch=x86-64-v4") void weights_16_32(const WeightProduct& p) { run_weight_product<16, 32>(p); }
CONDENSER_FOR("arch=x86-64-v4") void weights_8_32(const WeightProduct& p) { run_weight_product<8, 32>(p); }
CONDENSER_FOR("arch=x86-64-v3") void weights_8_16(const WeightProduct& p) { run_weight_product<8, 16>(p); }
}  // namespace
#else
namespace {
void multiply_8_16(const Product& p) { run_product<8, 16>(p); }
void weights_8_16(const WeightProduct& p) { run_weight_product<8, 16>(p); }
constexpr auto multiply_16_32 = multiply_8_16, multiply_8_32 = multiply_8_16;
constexpr auto weights_16_32 = weights_8_16, weights_8_32 = weights_8_16;
}  // namespace
#endif
// clang-format on

namespace {
__attribute__((flatten)) void multiply_4_16(const Product& p) { run_product<4, 16>(p); }
__attribute__((flatten)) void multiply_1_16(const Product& p) { run_product<1, 16>(p); }
__attribute__((flatten)) void weights_4_16(const WeightProduct& p) { run_weight_product<4, 16>(p); }
__attribute__((flatten)) void weights_1_16(const WeightProduct& p) { run_weight_product<1, 16>(p); }
}  // namespace

void multiply(const Product& p) {
  const Tiling& t = *p.tiling;
  const bool many = t.registers == 32;
  if (t.lanes == 16) return multiply_16_32(p);
  if (t.lanes == 8) return many ? multiply_8_32(p) : multiply_8_16(p);
  if (t.lanes == 4) return multiply_4_16(p);
  multiply_1_16(p);
}

void add_weight_product(const WeightProduct& p) {
  const Tiling& t = *p.tiling;
  const bool many = t.registers == 32;
  if (t.lanes == 16) return weights_16_32(p);
  if (t.lanes == 8) return many ? weights_8_32(p) : weights_8_16(p);
  if (t.lanes == 4) return weights_4_16(p);
  weights_1_16(p);
}

std::vector<int64_t> block_ends(const Tiling& tiling, int64_t channels) {
  const int64_t most = tiling.registers == 32 ? Blocks<32>::kChannels : Blocks<16>::kChannels;
  const int64_t blocks = (channels + most - 1) / most;
  std::vector<int64_t> ends;
  for (int64_t b = 1; b <= blocks; ++b) ends.push_back(block_begin(channels, blocks, b));
  return ends;
}

}  // namespace condenser::nn
