// Spaces around a prototype that is given stage by stage, as in the product form of generative synthesis: every stage
// has a width, a depth, a kernel and an expansion, and a file with one option for each is one network (ResNet-50 and
// MobileNetV2 are tests). Two rows of the table are made here:
//
//   stages    residual networks on pictures
//   temporal  the same along time alone: windows are k x 1, features of a sound become the channels of the first layer
//
// Blocks by `block`, with width w, kernel k, expansion e (He et al. 2016, arXiv 1512.03385; Sandler et al. 2018, arXiv
// 1801.04381):
//   basic       kxk -> kxk                      + shortcut, to w channels
//   bottleneck  1x1 (w) -> kxk (w) -> 1x1 (e w) + shortcut, to e w channels
//   inverted    1x1 (e c) -> kxk depthwise -> 1x1 (w), + input where the shape stays; no activation behind it
// The first block of a stage has its stride: in the convolution, or as an average pool before it and before the
// shortcut's 1x1 (`downsampling: pool`, which the rules of anti-aliasing and of strided 1x1 convolutions ask for).

#include <algorithm>
#include <array>
#include <optional>

#include "search/spaces/options.hpp"
#include "search/tables.hpp"

namespace condenser::search {
namespace {

using core::config::Reader;

constexpr int kMaxStages = 8;
const std::vector<std::string> kBlocks = {"basic", "bottleneck", "inverted"};
enum Block { kBasic, kBottleneck, kInverted };
const std::vector<std::string> kDownsampling = {"stride", "pool"};
const std::vector<std::string> kStemPools = {"none", "avg", "max"};

// What spans the windows: a square, or time alone (as rows or as columns of the input).
enum class Span { Square, Rows, Columns };

arch::Size along(Span span, int k) { return {span == Span::Columns ? 1 : k, span == Span::Rows ? 1 : k}; }

struct StagePlaces {
  size_t width, depth, kernel;
  std::optional<size_t> expansion;  // none for basic blocks
};

// What is the same for all networks of the space.
struct Form {
  SpaceContext context;
  Span span = Span::Square;
  int block = kBasic;
  int stem_kernel = 3, stem_stride = 1;
  std::string stem_pool = "none";
  std::vector<int> strides;
};

struct Places {
  size_t stages, stem_width, activation, downsampling, head_width;
  std::optional<size_t> stem_kernel;  // of `temporal`
  std::vector<StagePlaces> stage;
};

struct Unit {
  int block, width, kernel, expansion, stride;
  bool pool;
  Span span;
  arch::ActivationKind activation;
};

struct Conv {
  int out;
  arch::Size kernel{1, 1}, stride{1, 1};
  int groups = 1;
  std::optional<arch::ActivationKind> activation;
};

int convolve(arch::Builder& b, int x, const std::string& name, const Conv& o) {
  const int rows = (o.kernel.h - 1) / 2, columns = (o.kernel.w - 1) / 2;
  x = b.add(name, arch::Conv2d{o.out, o.kernel, o.stride, {rows, rows, columns, columns}, o.groups}, {x});
  x = b.add(name + "_bn", arch::BatchNorm{}, {x});
  return o.activation ? b.add(name + "_act", arch::Activation{*o.activation}, {x}) : x;
}

int channels_of(const arch::Builder& b, int x) { return static_cast<int>(b.shape(x).c); }

int reduce(arch::Builder& b, int x, const std::string& name, const Unit& u) {
  const arch::Size window = along(u.span, u.stride);
  return u.pool && u.stride > 1 ? b.add(name, arch::AvgPool{window, window, {}, false}, {x}) : x;
}

int inverted(arch::Builder& b, int x, const Unit& u, arch::Size stride) {
  const int hidden = u.expansion * channels_of(b, x);
  int y = u.expansion == 1 ? x : convolve(b, x, "pw", {.out = hidden, .activation = u.activation});
  y = reduce(b, y, "pool", u);
  y = convolve(b, y, "dw", {hidden, along(u.span, u.kernel), stride, hidden, u.activation});
  y = convolve(b, y, "pwl", {.out = u.width});
  return b.shape(y) == b.shape(x) ? b.add("add", arch::Add{}, {x, y}) : y;
}

int residual(arch::Builder& b, int x, const Unit& u, arch::Size stride) {
  const arch::Size window = along(u.span, u.kernel);
  int y = x;
  if (u.block == kBasic) {
    y = convolve(b, reduce(b, y, "pool", u), "c1", {u.width, window, stride, 1, u.activation});
    y = convolve(b, y, "c2", {.out = u.width, .kernel = window});
  } else {
    y = convolve(b, y, "c1", {.out = u.width, .activation = u.activation});
    y = convolve(b, reduce(b, y, "pool", u), "c2", {u.width, window, stride, 1, u.activation});
    y = convolve(b, y, "c3", {.out = u.expansion * u.width});
  }
  int shortcut = x;
  if (u.stride > 1 || channels_of(b, x) != channels_of(b, y))
    shortcut = convolve(b, reduce(b, x, "scpool", u), "sc", {.out = channels_of(b, y), .stride = stride});
  return b.add("act", arch::Activation{u.activation}, {b.add("add", arch::Add{}, {y, shortcut})});
}

int unit(arch::Builder& b, int x, const std::string& name, const Unit& u) {
  const arch::Builder::Scope scope(b, name);
  const arch::Size stride = u.pool ? arch::Size{1, 1} : along(u.span, u.stride);
  return u.block == kInverted ? inverted(b, x, u, stride) : residual(b, x, u, stride);
}

class StagesSpace final : public Space {
 public:
  StagesSpace(Form form, Places places, std::vector<Decision> decisions)
      : form_(std::move(form)), places_(std::move(places)), decisions_(std::move(decisions)) {}

  const std::vector<Decision>& decisions() const override { return decisions_; }

  Candidate expand(const Genotype& genotype) const override {
    const Taken taken(*this, genotype);
    arch::Builder b(form_.span == Span::Square ? "stages" : "temporal", form_.context.input);
    const auto activation = activation_of(taken[places_.activation]);
    int x = stem(b, taken, activation);
    for (int i = 0; i < taken[places_.stages]; ++i) {
      const StagePlaces& stage = places_.stage[static_cast<size_t>(i)];
      Unit u{form_.block,
             taken[stage.width],
             taken[stage.kernel],
             1,
             form_.strides[static_cast<size_t>(i)],
             taken[places_.downsampling] == 1,
             form_.span,
             activation};
      if (stage.expansion) u.expansion = taken[*stage.expansion];
      for (int k = 1; k <= taken[stage.depth]; ++k) {
        x = unit(b, x, "s" + std::to_string(i + 1) + "b" + std::to_string(k), u);
        u.stride = 1;
      }
    }
    if (const int head = taken[places_.head_width]; head > 0)
      x = convolve(b, x, "head", {.out = head, .activation = activation});
    arch::classifier_head(b, x, form_.context.classes);
    return arch::design_of(b);
  }

 private:
  int stem(arch::Builder& b, const Taken& taken, arch::ActivationKind activation) const {
    const int width = taken[places_.stem_width];
    if (form_.span != Span::Square) return features_as_channels(b, width, taken[*places_.stem_kernel], activation);
    int x = convolve(b, b.input(), "stem",
                     {width, arch::square(form_.stem_kernel), arch::square(form_.stem_stride), 1, activation});
    if (form_.stem_pool == "max")
      x = b.add("pool", arch::MaxPool{arch::square(3), arch::square(2), arch::pad_all(1)}, {x});
    if (form_.stem_pool == "avg")
      x = b.add("pool", arch::AvgPool{arch::square(3), arch::square(2), arch::pad_all(1), false}, {x});
    return x;
  }

  // A window over all features and `kernel` moments: what is left is time alone.
  int features_as_channels(arch::Builder& b, int width, int kernel, arch::ActivationKind activation) const {
    const arch::Shape& in = form_.context.input;
    const int pad = (kernel - 1) / 2;
    const bool rows = form_.span == Span::Rows;
    const arch::Size window{rows ? kernel : static_cast<int>(in.h), rows ? static_cast<int>(in.w) : kernel};
    const arch::Pad padding = rows ? arch::Pad{pad, pad, 0, 0} : arch::Pad{0, 0, pad, pad};
    int x = b.add("stem", arch::Conv2d{width, window, along(form_.span, form_.stem_stride), padding}, {b.input()});
    x = b.add("stem_bn", arch::BatchNorm{}, {x});
    return b.add("stem_act", arch::Activation{activation}, {x});
  }

  Form form_;
  Places places_;
  std::vector<Decision> decisions_;
};

// Defaults that differ between pictures and sounds.
struct Defaults {
  std::vector<int> stem_width, kernel;
  std::array<std::vector<int>, kMaxStages> width;
};

const Defaults& defaults(Span span) {
  static const Defaults pictures{{8, 16, 24},
                                 {3, 5},
                                 {{{16, 24, 32},
                                   {24, 32, 48},
                                   {32, 48, 64},
                                   {48, 64, 96},
                                   {64, 96, 128},
                                   {96, 128, 160},
                                   {128, 160, 192},
                                   {160, 192, 256}}}};
  static const Defaults sounds{{16, 24, 32},
                               {3, 5, 7, 9},
                               {{{16, 24, 32},
                                 {16, 24, 32},
                                 {24, 32, 48},
                                 {24, 32, 48},
                                 {32, 48, 64},
                                 {32, 48, 64},
                                 {48, 64, 96},
                                 {48, 64, 96}}}};
  return span == Span::Square ? pictures : sounds;
}

void check_odd(const Reader& reader, const std::string& key, const std::vector<int>& kernels) {
  for (const int k : kernels)
    if (k % 2 == 0) throw reader.error(key, "odd sizes, which keep both paths of a block of one size");
}

StagePlaces read_stage(Reader reader, const std::string& prefix, int stage, const Form& form, DecisionList& list) {
  const Defaults& d = defaults(form.span);
  StagePlaces places;
  places.width = list.integers(reader, prefix, "width", d.width[static_cast<size_t>(stage)], 1, 4096,
                               "channels; a bottleneck gives `expansion` times as many");
  places.depth = list.integers(reader, prefix, "depth", {1, 2, 3}, 1, 64, "blocks");
  places.kernel = list.integers(reader, prefix, "kernel", d.kernel, 1, 15, "size of the spatial convolutions, odd");
  check_odd(reader, "kernel", list.decisions[places.kernel].options);
  if (form.block != kBasic)
    places.expansion = list.integers(reader, prefix, "expansion", {2, 4}, 1, 16,
                                     "inverted: inner channels for each of the input; bottleneck: output channels for "
                                     "each inner one");
  return places;
}

// Which axis is time: "rows" of 1 x frames x features, or "columns".
Span read_time(Reader& reader, const SpaceContext& context) {
  std::string time = context.frames || context.input.h >= context.input.w ? "rows" : "columns";
  reader.choice("time", time, {"rows", "columns"},
                "axis of time in the data; when left out the frames of sounds, else the longer one");
  return time == "rows" ? Span::Rows : Span::Columns;
}

int read_block(Reader& reader, int otherwise) {
  std::string block = kBlocks[static_cast<size_t>(otherwise)];
  reader.choice("block", block, kBlocks, "kind of every block");
  return static_cast<int>(std::find(kBlocks.begin(), kBlocks.end(), block) - kBlocks.begin());
}

int64_t side_after_stem(const Form& form) {
  const arch::Shape& in = form.context.input;
  const int pad = (form.stem_kernel - 1) / 2;
  const int64_t side = form.span == Span::Rows ? in.h : form.span == Span::Columns ? in.w : std::min(in.h, in.w);
  const int64_t left = arch::window_out(side, form.stem_kernel, form.stem_stride, pad, pad);
  return form.stem_pool == "none" ? left : arch::window_out(left, 3, 2, 1, 1);
}

std::unique_ptr<Space> make(Reader& reader, const SpaceContext& context, bool temporal) {
  check_context(temporal ? "temporal" : "stages", context);
  Form form;
  form.context = context;
  if (temporal) form.span = read_time(reader, context);
  const Defaults& d = defaults(form.span);
  DecisionList list;
  Places places;
  places.stages = list.integers(reader, "", "stages", {3}, 1, kMaxStages, "number of stages");
  const int stages = list.decisions[places.stages].options.back();
  form.block = read_block(reader, temporal ? kInverted : kBasic);
  places.stem_width = list.integers(reader, "", "stem_width", d.stem_width, 1, 4096, "channels of the stem");
  reader.integer("stem_stride", form.stem_stride, 1, 8, "stride of the stem");
  if (temporal) {
    places.stem_kernel =
        list.integers(reader, "", "stem_kernel", {3, 5, 9}, 1, 31, "moments of the stem's window, odd");
    check_odd(reader, "stem_kernel", list.decisions[*places.stem_kernel].options);
  } else {
    reader.integer("stem_window", form.stem_kernel, 1, 15, "size of the stem's convolution, odd");
    check_odd(reader, "stem_window", {form.stem_kernel});
    reader.choice("stem_pool", form.stem_pool, kStemPools, "3x3 pool with stride 2 behind the stem");
  }
  places.activation = list.names(reader, "", "activation", {0}, kActivationNames, "activation of every block");
  places.downsampling = list.names(reader, "", "downsampling", {1}, kDownsampling,
                                   "where a stage has a stride: in the convolution, or as an average pool before it");
  places.head_width =
      list.integers(reader, "", "head_width", {0}, 0, 8192, "channels of a 1x1 before the pool; 0: none");
  if (form.strides.empty()) form.strides.assign(1, temporal ? 2 : 1);
  read_strides(reader, form.strides, stages);
  for (int i = 0; i < stages; ++i) {
    const std::string name = "s" + std::to_string(i + 1);
    places.stage.push_back(
        read_stage(reader.section(name, "stage " + std::to_string(i + 1)), name + "_", i, form, list));
  }
  check_extent(reader, "stage_strides", form.strides, side_after_stem(form), context.input);
  return std::make_unique<StagesSpace>(std::move(form), std::move(places), std::move(list.decisions));
}

}  // namespace

std::unique_ptr<Space> make_stages_space(Reader& reader, const SpaceContext& context) {
  return make(reader, context, false);
}

std::unique_ptr<Space> make_temporal_space(Reader& reader, const SpaceContext& context) {
  return make(reader, context, true);
}

}  // namespace condenser::search
