// What each kernel does how often. The loops are those of src/runtime/kernels/cnd_<kernel>.c.

#include <algorithm>
#include <utility>

#include "arch/conv_rows.hpp"
#include "arch/round_up.hpp"
#include "condenser/arch/machine_model.hpp"

namespace condenser::arch {
namespace {

using Shapes = std::span<const Shape>;

double real(int64_t n) { return static_cast<double>(n); }
int64_t ceil_div(int64_t n, int64_t by) { return (n + by - 1) / by; }

class Tally {
 public:
  explicit Tally(double* to) : to_(to) {}
  void add(double count) { *to_++ = count; }
  void add(int64_t count) { add(real(count)); }
  // A loop over `length` values that is entered `times` times: so that what is done at once for sixteen or four values
  // can cost less than for one.
  void loop(double times, int64_t length) { loops(times, length, 0, 0); }
  // Two such loops that are one and the same code.
  void loops(double times, int64_t length, double others, int64_t other) {
    add(times + others);
    add(times * real(length / 16) + others * real(other / 16));
    add(times * real(length % 16 / 4) + others * real(other % 16 / 4));
    add(times * real(length % 4) + others * real(other % 4));
  }

 private:
  double* to_;
};

#define LOOP(name) name, name "_16s", name "_4s", name "_1s"

// Along one axis, of all windows together: extents that meet the input, and windows that lie inside it.
struct Windows {
  int64_t covered = 0, inside = 0;
};

Windows windows(int64_t in, int64_t out, int kernel, int stride, int before) {
  Windows w;
  for (int64_t o = 0; o < out; ++o) {
    const int64_t begin = o * stride - before, end = begin + kernel;
    w.covered += std::max<int64_t>(0, std::min(end, in) - std::max<int64_t>(begin, 0));
    w.inside += begin >= 0 && end <= in;
  }
  return w;
}

// The DSP form: columns of the output by twos, a few rows at once. Lines of patches of two pixels, and the weights of
// two channels, are widened together; lines that meet the padding, and groups, are written value by value.
void count_rows_of_conv(const Conv2d& conv, const Shape& in, const Shape& out, Tally& t) {
  const bool upright = keeps_pixels(conv, in, out);
  const int64_t rows = conv_column(conv, in, out), at_once = conv_rows(conv, in, out);
  const int64_t width = upright ? 1 : out.w, columns = ceil_div(width, 2), bands = ceil_div(rows, at_once);
  int64_t inside = 0, outside = 0;  // lines of a column, of all bands
  for (int64_t band = 0; band < bands; ++band) {
    const int64_t begin = band * at_once * conv.stride.h - conv.pad.top;
    const int64_t lines = (std::min(at_once, rows - band * at_once) - 1) * conv.stride.h + conv.kernel.h;
    const int64_t in_h = upright ? in.h * in.w : in.h;
    const int64_t met = std::max<int64_t>(0, std::min(begin + lines, in_h) - std::max<int64_t>(begin, 0));
    inside += met;
    outside += lines - met;
  }
  int64_t whole = 0;  // pairs of columns that do not meet the padding
  for (int64_t x = 0; x < width && conv.groups == 1; x += 2) {
    const int64_t last = std::min(x + 1, width - 1) * conv.stride.w - conv.pad.left;
    whole += x * conv.stride.w >= conv.pad.left && (upright || last + conv.kernel.w <= in.w);
  }
  const int64_t channels = in.c / conv.groups, run = channels * conv.kernel.w;
  const int64_t pairs = columns * bands * conv.groups * ceil_div(out.c / conv.groups, 2);
  const int64_t tiles = columns * rows * conv.groups * ceil_div(out.c / conv.groups, 2);
  const int64_t steps = conv.kernel.h * ceil_div(run, 4), puts = 2 * inside * (columns - whole) * conv.groups;
  const bool one = upright && run % 4 == 0;  // run for the lines of a band
  const int64_t lines = one ? bands : whole * inside;
  const int64_t weights = run % 4 == 0 ? pairs : pairs * conv.kernel.h;
  t.add(columns * bands * conv.groups);
  t.loops(real(lines), one ? run * rows / bands : run, real(weights), run % 4 == 0 ? run * conv.kernel.h : run);
  t.add(run % 4 != 0 ? lines + weights : 0);
  t.add(puts);
  t.loop(real(conv.groups == 1 ? puts : puts * conv.kernel.w), conv.groups == 1 ? run : channels);
  t.add(channels % 4 != 0 ? real(puts * conv.kernel.w) * real(channels / 4) : 0.0);
  t.add(2 * outside * columns * conv.groups);
  t.add(2 * outside * columns * conv.groups * ceil_div(run, 4));
  t.add(pairs);
  t.add(tiles);
  t.add(tiles * ceil_div(steps, 8));
  t.add(tiles * steps);
}

// Rows at once of the form for Helium: scratch holds bytes, and weights only if they are unpacked; windows that are
// runs of the input need none.
int64_t byte_rows_of_conv(const Conv2d& conv, const Shape& in, const Shape& out, bool runs) {
  const int64_t rows = conv_column(conv, in, out);
  const bool all = runs && conv.pad.top == 0 && conv.pad.left == 0 && (out.h - 1) * conv.stride.h < in.h &&
                   (out.w - 1) * conv.stride.w + conv.kernel.w <= in.w;
  if (all) return rows;
  const int64_t lines = 2 * ((conv_rows(conv, in, out) - 1) * conv.stride.h + 2 * conv.kernel.h);
  const int64_t unpacked = conv.weight_bits == 4 ? conv.kernel.h : 0;
  const int64_t most = (lines - unpacked - conv.kernel.h) / conv.stride.h + 1;
  return ceil_div(rows, ceil_div(rows, most));
}

// The form for Helium: the same columns, whose lines are copied as bytes, and products of up to 16 values a step.
void count_bytes_of_conv(const Conv2d& conv, const Shape& in, const Shape& out, Tally& t) {
  const bool upright = keeps_pixels(conv, in, out);
  const bool runs = conv.kernel.h == 1 && (conv.groups == 1 || conv.kernel.w == 1);
  const int64_t rows = conv_column(conv, in, out), at_once = byte_rows_of_conv(conv, in, out, runs);
  const int64_t width = upright ? 1 : out.w, columns = ceil_div(width, 2), bands = ceil_div(rows, at_once);
  const int64_t channels = in.c / conv.groups, run = channels * conv.kernel.w;
  const auto inside = [&](int64_t x) {
    const int64_t left = x * conv.stride.w - conv.pad.left;
    return upright || (left >= 0 && left + conv.kernel.w <= in.w);
  };
  int64_t copied = 0, dense = 0;  // columns that are copied; those whose lines are runs of values
  for (int64_t x = 0; x < width; x += 2) {
    const bool first = inside(x), second = inside(std::min(x + 1, width - 1));
    if (runs && first && second && conv.pad.top == 0) continue;
    copied += 2;
    if (conv.groups == 1) dense += first + second;
  }
  const int64_t lines = (rows - bands) * conv.stride.h + bands * conv.kernel.h;
  const int64_t others = (copied - dense) * lines * conv.groups;
  const int64_t pairs = columns * conv.groups * ceil_div(out.c / conv.groups, 2);
  t.add(columns * bands * conv.groups);
  t.add(copied * bands * conv.groups);
  t.add(dense * lines);
  t.add(dense * lines * ceil_div(run, 16));
  t.add(others);
  t.add(others * (conv.groups == 1 ? ceil_div(run, 16) : conv.kernel.w * ceil_div(channels, 16)));
  t.add(pairs * bands);
  t.add(pairs * rows * ceil_div(run * conv.kernel.h, 16));
}

void count_conv2d(const Op& op, Shapes ins, const Shape& out, double* to) {
  const auto& conv = std::get<Conv2d>(op);
  const Shape& in = ins[0];
  const int64_t channels = in.c / conv.groups, pixels = out.h * out.w, twos = ceil_div(pixels, 2);
  const int64_t depth = channels * conv.kernel.h * conv.kernel.w;
  const Windows rows = windows(in.h, out.h, conv.kernel.h, conv.stride.h, conv.pad.top);
  const Windows columns = windows(in.w, out.w, conv.kernel.w, conv.stride.w, conv.pad.left);
  const int64_t run = conv.groups == 1 ? channels * conv.kernel.w : channels;
  const int64_t patches = 2 * twos * conv.groups;
  const int64_t met = rows.covered * (conv.groups == 1 ? out.w : columns.covered);  // runs, of all pixels
  const double runs = real(met * patches) / real(pixels);
  const int64_t borders = (pixels - rows.inside * columns.inside) * conv.groups;
  const double pairs = real(twos * conv.groups * ceil_div(out.c / conv.groups, 2));
  Tally t(to);
  t.add(1.0);
  t.add(twos);
  t.add(patches);
  t.add(borders);
  t.add(borders * conv.kernel.h);
  t.add((pixels * conv.kernel.h * conv.kernel.w - rows.covered * columns.covered) * in.c);
  t.loop(runs, run);
  t.add(run % 4 != 0 ? runs * real(run / 4) : 0.0);
  t.loop(pairs, depth);
  t.add(depth % 4 != 0 ? pairs : 0.0);
  t.add(conv.clamp == Clamp::Relu ? pairs : 0.0);
  t.add(conv.clamp == Clamp::Relu6 ? pairs : 0.0);
  count_rows_of_conv(conv, in, out, t);
  count_bytes_of_conv(conv, in, out, t);
}

// One direction of the map of a depthwise convolution.
struct Axis {
  int64_t in, out;
  int kernel, stride, before;
};

// Of one channel: rows of scratch that are read from the input, and those that are filled because they lie outside.
struct Rows {
  int64_t read = 0, filled = 0;
};

Rows rows_of(const Axis& across, int64_t lines) {
  Rows rows;
  int64_t kept = 0;
  for (int64_t line = 0; line < across.out; line += lines) {
    const int64_t first = line * across.stride - across.before;
    const int64_t begin = first + kept;
    const int64_t end = first + (std::min(lines, across.out - line) - 1) * across.stride + across.kernel;
    const int64_t inside = std::max<int64_t>(0, std::min(end, across.in) - std::max<int64_t>(begin, 0));
    rows.read += inside;
    rows.filled += lines < across.out ? std::max<int64_t>(0, end - begin) - inside : 0;
    kept = std::max(0, across.kernel - across.stride);
  }
  return rows;
}

void count_depthwise(const Op& op, Shapes ins, const Shape& out, double* to) {
  const auto& conv = std::get<Conv2d>(op);
  const Shape& in = ins[0];
  Axis across{in.h, out.h, conv.kernel.h, conv.stride.h, conv.pad.top};
  Axis along{in.w, out.w, conv.kernel.w, conv.stride.w, conv.pad.left};
  if (out.h > out.w && (out.w - 1) * conv.stride.w <= kDepthwiseRowsAhead) std::swap(across, along);
  const int64_t taps = round_up(along.kernel, 2);
  const int64_t row = round_up((round_up(along.out, 4) - 1) * along.stride + taps, 2);
  const int64_t at_once = std::min(kDepthwiseRowsAhead / across.stride + 1, across.out);
  const int64_t fillings = ceil_div(across.out, at_once);
  const int64_t width = std::max<int64_t>(0, std::min(along.in, row - along.before));
  const Rows rows = rows_of(across, at_once);
  const bool narrow = along.kernel == 3 && along.stride <= 2, wide = !narrow;
  const bool nine = narrow && across.kernel == 3;
  const double one = narrow && !nine && along.stride == 1, two = narrow && !nine && along.stride == 2;
  const double lines = real(out.c * across.out), quads = lines * real(ceil_div(along.out, 4));
  const double values = lines * real(along.out), height = across.kernel, kernel = along.kernel;
  Tally t(to);
  t.add(1.0);
  t.add(((at_once - 1) * across.stride + across.kernel) * row + across.kernel * taps);
  t.add(out.c);
  t.add(out.c * across.kernel);
  t.add(out.c * across.kernel * along.kernel);
  t.add(out.c * fillings);
  t.loop(real(out.c * rows.read), width);
  t.add(out.c * rows.filled);
  t.add(out.c * rows.filled * width);
  t.add(out.c * (fillings - 1) * std::max(0, across.kernel - across.stride) * row);
  t.add(lines);
  t.add(along.out % 4 != 0 ? lines : 0.0);
  t.add(one * quads);
  t.add(one * quads * height);
  t.add(two * quads);
  t.add(two * quads * height);
  t.add(wide * values);
  t.add(wide * values * height);
  t.add(wide * values * height * real(taps / 2));
  t.add(narrow * values);
  t.add(narrow * values * height);
  t.add(values * height * kernel);
  t.add(quads);
  t.add(quads * height);
  t.add(along.stride == 1 ? quads * height * kernel : 0.0);
  t.add(along.stride > 1 ? quads * height * kernel : 0.0);
  t.add(conv.clamp == Clamp::Relu ? quads : 0.0);
  t.add(conv.clamp == Clamp::Relu6 ? quads : 0.0);
  t.add(nine ? real(out.c * fillings) : 0.0);
  t.add(nine ? lines : 0.0);
  t.add(nine && along.stride == 1 ? quads : 0.0);
  t.add(nine && along.stride == 2 ? quads : 0.0);
  const double any = nine ? 0 : quads;  // of Helium, which has a form of its own for those alone
  t.add(any);
  t.add(any * height);
  t.add(along.stride == 1 ? any * height * kernel : 0.0);
  t.add(along.stride > 1 ? any * height * kernel : 0.0);
}

void count_linear(const Op&, Shapes in, const Shape& out, double* to) {
  Tally t(to);
  t.add(1.0);
  t.add(out.c);
  t.loop(real(out.c / 4), in[0].c);
  t.loop(real(out.c % 4), in[0].c);
  t.loop(in[0].c % 4 != 0 ? real(out.c / 4) : 0.0, in[0].c);
  t.add(out.c / 4 * ceil_div(in[0].c, 16));
  t.add(out.c % 4 * ceil_div(in[0].c, 16));
}

const std::vector<const char*> kDepthwiseNames = {
    "calls",      "cleared",         "channels",    "weight_rows", "weights",       "fillings",
    LOOP("rows"), "filled",          "fill_values", "moved",       "lines",         "short_lines",
    "quads_1",    "quad_rows_1",     "quads_2",     "quad_rows_2", "wide_values",   "wide_rows",
    "wide_pairs", "values",          "value_rows",  "taps",        "quads",         "quad_rows",
    "quad_taps",  "quad_taps_apart", "relu_quads",  "relu6_quads", "nine_fillings", "nine_lines",
    "nines_1",    "nines_2",         "any_quads",   "any_rows",    "any_taps",      "any_taps_apart"};
const std::vector<const char*> kConvNames = {
    "calls",      "twos",        "patches",      "border_patches", "border_lines",  "cleared",       LOOP("runs"),
    "odd_fours",  LOOP("pairs"), "broken_pairs", "relu_pairs",     "relu6_pairs",   "bands",         LOOP("widened"),
    "rests",      "put_lines",   LOOP("puts"),   "odd_puts",       "outside_lines", "outside_fours", "weight_pairs",
    "tiles",      "tile_loops",  "tile_steps",   "byte_bands",     "byte_columns",  "copies",        "copy_steps",
    "edge_lines", "edge_steps",  "byte_pairs",   "tile_vectors"};

// Weights of 4 bits: as those of 8, and how often bytes of two weights are unpacked. The DSP form does so once for a
// band of rows of the output, that for Helium for one of its own, others for every two pixels.
void count_conv2d_w4(const Op& op, Shapes ins, const Shape& out, double* to) {
  const auto& conv = std::get<Conv2d>(op);
  const Shape& in = ins[0];
  count_conv2d(op, ins, out, to);
  const bool upright = keeps_pixels(conv, in, out);
  const bool runs = conv.kernel.h == 1 && (conv.groups == 1 || conv.kernel.w == 1);
  const int64_t run = in.c / conv.groups * conv.kernel.w, depth = run * conv.kernel.h;
  const int64_t rows = conv_column(conv, in, out), columns = ceil_div(upright ? 1 : out.w, 2);
  const int64_t pairs = conv.groups * ceil_div(out.c / conv.groups, 2);
  const int64_t bands = ceil_div(rows, conv_rows(conv, in, out));
  const int64_t byte_bands = ceil_div(rows, byte_rows_of_conv(conv, in, out, runs));
  Tally t(to + kConvNames.size());
  t.loop(real(columns * bands * pairs * (run % 4 == 0 ? 1 : conv.kernel.h)), run % 4 == 0 ? depth : run);
  t.add(columns * byte_bands * pairs);
  t.add(columns * byte_bands * pairs * ceil_div(depth, 16));
  t.add(real(ceil_div(out.h * out.w, 2) * pairs) * real(depth));
}

std::vector<const char*> conv_w4_names() {
  std::vector<const char*> names = kConvNames;
  for (const char* more : {LOOP("unpacked"), "byte_unpacked", "byte_unpacked_vectors", "tile_unpacked"})
    names.push_back(more);
  return names;
}

void count_linear_w4(const Op&, Shapes in, const Shape& out, double* to) {
  const int64_t pairs = ceil_div(out.c, 2);
  Tally t(to);
  t.add(1.0);
  t.loop(real(pairs), in[0].c);
  t.add(pairs * ceil_div(in[0].c, 16));
}

// Kernels that visit every value in one loop.
void count_values(const Op&, Shapes, const Shape& out, double* to) {
  Tally t(to);
  t.loop(1, out.elements());
}

// Kernels that visit the channels of every pixel of the output.
void count_pixels(const Op&, Shapes, const Shape& out, double* to) {
  Tally t(to);
  t.add(1.0);
  t.loop(real(out.h * out.w), out.c);
}

void count_add(const Op& op, Shapes, const Shape& out, double* to) {
  Tally t(to);
  t.loop(1, out.elements());
  t.add(std::get<Add>(op).clamp != Clamp::None ? out.elements() : 0);
}

// Rescaled ones drop fewer bits at the end, which takes a longer product.
void count_softmax_mul(const Op& op, Shapes, const Shape& out, double* to) {
  const bool channels = std::get<SoftmaxMul>(op).axis == SoftmaxAxis::Channels;
  const int64_t pixels = out.h * out.w;
  Tally t(to);
  t.add(1.0);
  t.loop(real(channels ? pixels : out.c), channels ? out.c : pixels);
  t.add(std::get<SoftmaxMul>(op).rescale ? out.elements() : 0);
}

void count_concat(const Op&, Shapes in, const Shape& out, double* to) {
  std::fill_n(to, 5, 0.0);
  for (const Shape& input : in) {
    double one[5];
    count_pixels({}, {}, {input.c, out.h, out.w}, one);
    for (int i = 0; i < 5; ++i) to[i] += one[i];
  }
}

void count_upsample(const Op& op, Shapes in, const Shape& out, double* to) {
  count_pixels(op, in, out, to);
  to[5] = real(out.h);
}

void count_channel_shuffle(const Op& op, Shapes, const Shape& out, double* to) {
  const int64_t groups = std::get<ChannelShuffle>(op).groups;
  Tally t(to);
  t.add(1.0);
  t.add(out.h * out.w);
  t.loop(real(out.h * out.w * groups), out.c / groups);
}

// Windows of pools: pixels, blocks of 32 channels, and what is added for each pixel of a window.
template <class Pool>
void count_pool(const Op& op, Shapes ins, const Shape& out, double* to) {
  const auto& pool = std::get<Pool>(op);
  const Windows rows = windows(ins[0].h, out.h, pool.kernel.h, pool.stride.h, pool.pad.top);
  const Windows columns = windows(ins[0].w, out.w, pool.kernel.w, pool.stride.w, pool.pad.left);
  const double pixels = real(out.h * out.w), blocks = real(ceil_div(out.c, 32));
  const double met = real(rows.covered * columns.covered), lines = real(rows.covered * out.w);
  const double fours = real(out.c / 4), rest = out.c % 4 != 0;
  Tally t(to);
  t.add(1.0);
  t.add(pixels * blocks);
  t.add(pixels * real(out.c));
  t.add(pixels * fours);
  t.add(lines);
  t.add(lines * fours);
  t.add(met * fours);
  t.add(rest * pixels);
  t.add(rest * lines);
  t.add(rest * met);
  t.add(met * real(out.c % 4));
  t.add(met * blocks);
  t.loop(met, out.c);
}

void count_global_avg_pool(const Op&, Shapes in, const Shape& out, double* to) {
  const int64_t pixels = in[0].h * in[0].w;
  Tally t(to);
  t.add(1.0);
  t.add(ceil_div(out.c, 32));
  t.add(out.c);
  t.add(pixels * ceil_div(out.c, 32));
  t.loop(real(pixels), out.c);
}

void count_blur_pool(const Op& op, Shapes, const Shape& out, double* to) {
  const int64_t taps = std::get<BlurPool>(op).taps, pixels = out.h * out.w;
  Tally t(to);
  t.add(1.0);
  t.add(pixels * ceil_div(out.c, 32));
  t.add(pixels * out.c);
  t.add(pixels * ceil_div(out.c, 32) * taps);
  t.add(pixels * ceil_div(out.c, 32) * taps * taps);
  t.loop(real(pixels * taps * taps), out.c);
}

const std::vector<const char*> kPixelNames = {"calls", LOOP("pixels")};
const std::vector<const char*> kPoolNames = {
    "calls", "blocks",     "values",       "fours",       "lines",         "line_fours",   "window_fours",
    "rest",  "rest_lines", "rest_windows", "rest_values", "window_blocks", LOOP("windows")};

const std::vector<KernelCounts>& table() {
  static const std::vector<KernelCounts> rows = {
      {"linear_w4", {"calls", LOOP("pairs"), "pair_vectors"}, count_linear_w4},
      {"depthwise_w4", kDepthwiseNames, count_depthwise},  // unpacking is one of the steps of a weight
      {"conv2d_w4", conv_w4_names(), count_conv2d_w4},
      {"linear",
       {"calls", "values", LOOP("fours"), LOOP("rest"), LOOP("broken_fours"), "four_vectors", "rest_vectors"},
       count_linear},
      {"depthwise", kDepthwiseNames, count_depthwise},
      {"conv2d", kConvNames, count_conv2d},
      {"activation", {LOOP("values")}, count_values},
      {"prelu", kPixelNames, count_pixels},
      {"softmax_mul", {"calls", LOOP("lines"), "rescaled"}, count_softmax_mul},
      {"add", {LOOP("values"), "clamped"}, count_add},
      {"mul", kPixelNames, count_pixels},
      {"avg_pool", kPoolNames, count_pool<AvgPool>},
      {"max_pool", kPoolNames, count_pool<MaxPool>},
      {"global_avg_pool", {"calls", "blocks", "values", "pixel_blocks", LOOP("pixels")}, count_global_avg_pool},
      {"blur_pool", {"calls", "blocks", "values", "tap_rows", "taps", LOOP("windows")}, count_blur_pool},
      {"upsample", {"calls", LOOP("pixels"), "rows"}, count_upsample},
      {"concat", kPixelNames, count_concat},
      {"slice", kPixelNames, count_pixels},
      {"channel_shuffle", {"calls", "pixels", LOOP("groups")}, count_channel_shuffle},
  };
  return rows;
}

}  // namespace

const KernelCounts& kernel_counts(const Kernel& kernel) {
  const auto place = static_cast<size_t>(&kernel - kernels().data());
  return table()[place];  // in the order of kernels(); tested
}

}  // namespace condenser::arch
