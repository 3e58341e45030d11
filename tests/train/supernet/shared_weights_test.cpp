// What networks of a space have in common, against places written out by hand; for all spaces, that a gradient goes
// back to where the weights came from.
#include "train/supernet/shared_weights.hpp"

#include "condenser/arch/builder.hpp"
#include "condenser/core/rng.hpp"
#include "support/catch.hpp"
#include "train/supernet/draws.hpp"

namespace condenser::train {
namespace {

struct Sizes {
  int width = 4, out = 8, kernel = 3, groups = 1;
};

// stem 1x1 -> conv -> batch norm -> mean over pixels -> linear with 3 classes
arch::Spec net(const Sizes& s) {
  const int pad = s.kernel / 2;
  arch::Builder b("net", {2, 6, 6});
  int x = b.add("stem", arch::Conv2d{.out = s.width, .kernel = {1, 1}, .stride = {1, 1}}, {b.input()});
  x = b.add("conv",
            arch::Conv2d{.out = s.out,
                         .kernel = {s.kernel, s.kernel},
                         .stride = {1, 1},
                         .pad = {pad, pad, pad, pad},
                         .groups = s.groups,
                         .bias = true},
            {x});
  x = b.add("bn", arch::BatchNorm{}, {x});
  x = b.add("gap", arch::GlobalAvgPool{}, {x});
  b.add("fc", arch::Linear{.out = 3, .bias = true}, {x});
  return b.finish();
}

// Every shared number is its own place.
SharedWeights numbered(std::initializer_list<Sizes> covered) {
  SharedWeights shared;
  for (const Sizes& s : covered) shared.cover(net(s));
  shared.start(net(*covered.begin()), 1);
  for (size_t i = 0; i < shared.values().size(); ++i) shared.values()[i] = static_cast<float>(i);
  return shared;
}

const nn::Segment& segment(const SharedWeights& shared, const std::string& name) {
  const auto& all = shared.layout().segments;
  const auto found = std::ranges::find(all, name, &nn::Segment::name);
  REQUIRE(found != all.end());
  return *found;
}

arch::Weights inherited(const SharedWeights& shared, const arch::Spec& spec, int64_t own = 0) {
  arch::Weights weights = arch::random_weights(spec, 1);
  CHECK(shared.inherit(spec, weights) == own);
  return weights;
}

std::vector<std::unique_ptr<search::Space>> spaces() {
  std::vector<std::unique_ptr<search::Space>> made;
  for (const search::SpaceRow& row : search::spaces()) {
    if (row.name == "table") continue;
    auto reader = core::config::Reader::from_text("{}", "test");
    made.push_back(search::make_space(row, reader, {{1, 32, 32}, 4}));
  }
  return made;
}

bool any(const search::Candidate&) { return true; }

}  // namespace

TEST_CASE("a kernel is the centre of the shared one, its groups the blocks of a dense one", "[train][supernet]") {
  const SharedWeights shared = numbered({{.width = 8, .out = 8, .kernel = 5}});
  const nn::Segment& whole = segment(shared, "conv2d/conv.weight");
  REQUIRE(whole.shape == std::vector<int64_t>{8, 8, 5, 5});
  const arch::Weights part = inherited(shared, net({.width = 4, .out = 6, .kernel = 3, .groups = 2}));
  const auto values = part.at("conv.weight").f32();
  REQUIRE(values.size() == 6 * 2 * 3 * 3);
  for (int64_t o = 0, at = 0; o < 6; ++o)
    for (int64_t i = 0; i < 2; ++i)
      for (int64_t y = 0; y < 3; ++y)
        for (int64_t x = 0; x < 3; ++x, ++at) {
          const int64_t input = (o < 3 ? 0 : 2) + i;
          CHECK(values[static_cast<size_t>(at)] ==
                static_cast<float>(whole.offset + ((o * 8 + input) * 5 + y + 1) * 5 + x + 1));
        }
}

TEST_CASE("biases, batch norms and matrices are the first of the shared ones", "[train][supernet]") {
  const SharedWeights shared = numbered({{.out = 8}});
  const arch::Weights part = inherited(shared, net({.out = 5}));
  for (const auto& [name, own] : {std::pair{"conv2d/conv.bias", "conv.bias"},
                                  {"batch_norm/bn.weight", "bn.weight"},
                                  {"batch_norm/bn.bias", "bn.bias"}})
    for (size_t i = 0; i < 5; ++i)
      CHECK(part.at(own).f32()[i] == static_cast<float>(segment(shared, name).offset + static_cast<int64_t>(i)));
  for (size_t o = 0; o < 3; ++o)
    for (size_t i = 0; i < 5; ++i)
      CHECK(part.at("fc.weight").f32()[o * 5 + i] ==
            static_cast<float>(segment(shared, "linear/fc.weight").offset + static_cast<int64_t>(o * 8 + i)));
  CHECK(part.at("bn.running_mean").f32()[0] == 0.0f);
  CHECK(part.at("bn.running_var").f32()[0] == 1.0f);
}

TEST_CASE("a gradient goes where the weight came from, and nowhere else", "[train][supernet]") {
  const SharedWeights shared = numbered({{.width = 8, .out = 8, .kernel = 5}, {.width = 4, .out = 4}});
  const arch::Spec small = net({.width = 4, .out = 6, .kernel = 3, .groups = 2});
  const nn::BlockLayout layout = nn::block_layout(small);
  std::vector<float> own(static_cast<size_t>(layout.trainable_size)), gradients(shared.values().size());
  for (size_t i = 0; i < own.size(); ++i) own[i] = static_cast<float>(i + 1);
  std::vector<bool> touched(shared.layout().segments.size());
  shared.add_gradients(small, layout, own, 0.5f, gradients, touched);

  const arch::Weights places = inherited(shared, small);
  size_t reached = 0;
  for (const nn::Segment& s : layout.segments) {
    if (!s.trainable) continue;
    const auto place = places.at(s.name).f32();
    for (size_t i = 0; i < place.size(); ++i, ++reached)
      CHECK(gradients[static_cast<size_t>(place[i])] == 0.5f * own[static_cast<size_t>(s.offset) + i]);
  }
  CHECK(static_cast<size_t>(std::ranges::count_if(gradients, [](float g) { return g != 0; })) == reached);
  CHECK(std::ranges::count(touched, true) == std::ssize(touched));
}

TEST_CASE("kernels that are depthwise in every network share one input per output", "[train][supernet]") {
  const SharedWeights shared = numbered({{.width = 8, .out = 8, .groups = 8}, {.width = 4, .out = 4, .groups = 4}});
  const nn::Segment& whole = segment(shared, "conv2d/conv.weight");
  CHECK(whole.shape == std::vector<int64_t>{8, 1, 3, 3});
  const arch::Weights part = inherited(shared, net({.width = 6, .out = 6, .groups = 6}));
  CHECK(part.at("conv.weight").f32()[5 * 9 + 2] == static_cast<float>(whole.offset + 5 * 9 + 2));
  CHECK_FALSE(shared.covers(net({.width = 4, .out = 4, .groups = 2})));
}

TEST_CASE("parameters of one name but another operator are not shared", "[train][supernet]") {
  arch::Builder b("other", {8, 1, 1});
  b.add("conv", arch::Linear{.out = 4, .bias = true}, {b.input()});
  const arch::Spec other = b.finish();
  SharedWeights shared;
  shared.cover(net({}));
  shared.cover(other);
  shared.start(net({}), 1);
  CHECK(segment(shared, "conv2d/conv.bias").shape == std::vector<int64_t>{8});
  CHECK(segment(shared, "linear/conv.bias").shape == std::vector<int64_t>{4});
  CHECK(shared.layout().segments.back().name == "linear/fc.bias");  // the head of the network named stays the last
}

TEST_CASE("what is larger than the shared tensors keeps its own values there", "[train][supernet]") {
  const SharedWeights shared = numbered({{.out = 4, .kernel = 3}});
  const arch::Spec large = net({.out = 6, .kernel = 5});
  CHECK_FALSE(shared.covers(large));
  const int64_t own = 4 * 4 * (25 - 9) + 2 * 4 * 25 + 2 + 2 * 2 + 3 * 2;  // kernel; bias, batch norm, matrix
  const arch::Weights start = arch::random_weights(large, 1), part = inherited(shared, large, own);
  const nn::Segment& whole = segment(shared, "conv2d/conv.weight");
  const auto values = part.at("conv.weight").f32(), before = start.at("conv.weight").f32();
  CHECK(values[0] == before[0]);
  CHECK(values[6] == static_cast<float>(whole.offset));
  CHECK(values[4 * 4 * 25 + 6] == before[4 * 4 * 25 + 6]);
}

TEST_CASE("in every space weights and gradients take the same ways", "[train][supernet]") {
  for (const auto& space : spaces()) {
    const Extremes ends = extremes(*space, any, 3);
    SharedWeights shared = cover_space(*space, ends, 3);
    shared.start(space->expand(ends.widest).spec, 3);
    core::Rng rng(5);
    int covered = 0;
    constexpr int kNetworks = 10;
    for (int k = 0; k < kNetworks; ++k) {
      const search::Candidate c = space->expand(search::sample(*space, rng));
      INFO(c.spec.name);
      covered += shared.covers(c.spec);
      if (!shared.covers(c.spec)) continue;
      const nn::BlockLayout layout = nn::block_layout(c.spec);
      const arch::Weights weights = inherited(shared, c.spec);
      std::vector<float> own(static_cast<size_t>(layout.trainable_size), 0.0f);
      double here = 0, there = 0;
      for (const nn::Segment& s : layout.segments) {
        if (!s.trainable) continue;
        const auto values = weights.at(s.name).f32();
        for (size_t i = 0; i < values.size(); ++i) {
          own[static_cast<size_t>(s.offset) + i] = static_cast<float>(rng.normal());
          here += static_cast<double>(values[i]) * own[static_cast<size_t>(s.offset) + i];
        }
      }
      std::vector<float> gradients(shared.values().size());
      std::vector<bool> touched(shared.layout().segments.size());
      shared.add_gradients(c.spec, layout, own, 1, gradients, touched);
      for (size_t i = 0; i < gradients.size(); ++i) there += static_cast<double>(gradients[i]) * shared.values()[i];
      CHECK(there == Approx(here).margin(1e-3));
    }
    CHECK(covered == kNetworks);
  }
}

TEST_CASE("the widest and the narrowest are allowed and lie at the ends", "[train][supernet]") {
  for (const auto& space : spaces()) {
    const auto params = [&](const search::Genotype& g) { return space->expand(g).cost.params; };
    core::Rng rng(6);
    std::vector<int64_t> drawn;
    for (int i = 0; i < 100; ++i) drawn.push_back(params(search::sample(*space, rng)));
    std::ranges::sort(drawn);
    const int64_t limit = drawn[50];
    const Extremes ends = extremes(*space, any, 3);
    CHECK(params(ends.widest) >= drawn.back());
    CHECK(params(ends.narrowest) <= drawn.front());
    const Extremes bounded = extremes(
        *space, [&](const auto& c) { return c.cost.params <= limit; }, 3);
    CHECK(params(bounded.widest) <= limit);
    CHECK(params(bounded.widest) >= drawn[25]);
    CHECK(extremes(*space, any, 3).widest == ends.widest);
  }
}

TEST_CASE("networks are drawn from those that are allowed", "[train][supernet]") {
  const auto space = std::move(spaces().front());
  const Extremes ends = extremes(*space, any, 3);
  const SharedWeights shared = [&] {
    SharedWeights s = cover_space(*space, ends, 3);
    s.start(space->expand(ends.widest).spec, 3);
    return s;
  }();
  const int64_t limit = (space->expand(ends.widest).cost.params + space->expand(ends.narrowest).cost.params) / 2;
  const Allowed small = [&](const search::Candidate& c) { return c.cost.params <= limit; };
  const auto drawn = draw(*space, small, shared, 20, 7);
  CHECK(drawn.size() == 20);
  for (const search::Genotype& g : drawn) CHECK(space->expand(g).cost.params <= limit);
  CHECK(draw(*space, small, shared, 20, 7) == drawn);
  CHECK(draw(*space, small, shared, 20, 8) != drawn);
  CHECK_THROWS_WITH(draw(
                        *space, [](const auto&) { return false; }, shared, 1, 7),
                    Catch::Contains("passes the gate"));
}

}  // namespace condenser::train
