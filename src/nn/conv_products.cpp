// Registers hold channels x vectors of pixels (forward) or channels x sources (weight gradient).
#include "nn/conv_products.hpp"

#include <cstddef>
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

template <int Lanes, std::size_t... I>
inline Vector<Lanes / 2> fold(const Vector<Lanes>& v, std::index_sequence<I...>) {
  return __builtin_shufflevector(v, v, I...) + __builtin_shufflevector(v, v, (I + Lanes / 2)...);
}

template <int Lanes>
inline float horizontal_sum(const Vector<Lanes>& v) {
  if constexpr (Lanes == 1)
    return v[0];
  else if constexpr (Lanes == 2)
    return v[0] + v[1];
  else
    return horizontal_sum<Lanes / 2>(fold<Lanes>(v, std::make_index_sequence<Lanes / 2>{}));
}

template <int Lanes, int Channels, int Sources>
inline void weight_block(const WeightProduct& p, const float* dy, const float* const* sources, float* d_weight) {
  Vector<Lanes> sum[Channels][Sources] = {};
  typename Vectors<Lanes>::Bits mask;
  for (int i = 0; i < Lanes; ++i) mask[i] = i < p.tiling->overlap ? 0 : -1;
  const float* source[Sources];
  for (int j = 0; j < Sources; ++j) source[j] = sources[j];
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
  for (int64_t i = 0; i < p.images; ++i) {
    for (const auto& tile : p.tiling->whole) add(tile, [](const float* from) { return load<Lanes>(from); });
    for (const auto& tile : p.tiling->last)
      add(tile,
          [&](const float* from) { return (Vector<Lanes>)((typename Vectors<Lanes>::Bits)load<Lanes>(from) & mask); });
    dy += p.dy_image;
    for (int j = 0; j < Sources; ++j) source[j] += p.source_image;
  }
  for (int c = 0; c < Channels; ++c)
    for (int j = 0; j < Sources; ++j) d_weight[c * p.count + j] += horizontal_sum<Lanes>(sum[c][j]);
}

template <int Lanes, int Registers>
inline void run_weight_product(const WeightProduct& p) {
  using B = Blocks<Registers>;
  const int64_t blocks = (p.channels + B::kWeightChannels - 1) / B::kWeightChannels;
  for (int64_t b = 0; b < blocks; ++b) {
    const int64_t begin = block_begin(p.channels, blocks, b), end = block_begin(p.channels, blocks, b + 1);
    const float* dy = p.dy + begin * p.dy_plane;
    float* d_weight = p.d_weight + begin * p.count;
    with_constant<B::kWeightChannels>(end - begin, [&](auto channels) {
      constexpr int kMost = B::sources(channels);
      const int64_t turns = (p.count + kMost - 1) / kMost;
      for (int64_t i = 0; i < turns; ++i) {
        const int64_t j = block_begin(p.count, turns, i);
        with_constant<kMost>(block_begin(p.count, turns, i + 1) - j,
                             [&](auto n) { weight_block<Lanes, channels, n>(p, dy, p.sources + j, d_weight + j); });
      }
    });
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
