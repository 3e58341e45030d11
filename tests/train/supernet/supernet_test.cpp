// The one training of shared weights, and what candidates do with their part.
#include <ATen/ops/empty.h>

#include "condenser/core/files.hpp"
#include "condenser/nn/spec_net.hpp"
#include "support/catch.hpp"
#include "train/quick_run.hpp"
#include "train/supernet/inherited.hpp"
#include "train/supernet/training.hpp"
#include "train/temporary_folder.hpp"

// LibTorch has a CHECK of its own, which ends the process.
#undef CHECK
#define CHECK(...) INTERNAL_CATCH_TEST("CHECK", Catch::ResultDisposition::ContinueOnFailure, __VA_ARGS__)

namespace condenser::train {
namespace {

namespace fs = std::filesystem;
using search::Findings;

constexpr const char* kColumns =
    "{stages: [2], stem_width: [8], merge_stage: [1, 2], stem_stride: 1, s1: {width: [8, 16], depth: [1, 2]}, "
    "s2: {width: [16, 24], depth: [1]}}";
constexpr const char* kStages = "{}";
constexpr const char* kCondenser = "{blocks: [3], width: [7, 8], stem_stride: [1], last_stride: [1]}";

std::unique_ptr<search::Space> space_of(const std::string& name, const std::string& yaml) {
  auto reader = core::config::Reader::from_text("{space: " + name + ", " + yaml.substr(1), "test");
  return search::make_space(reader, {{1, 8, 8}, 3});
}

struct Shared {
  std::unique_ptr<search::Space> space;
  std::shared_ptr<const data::Dataset> train = testing::stripes(90, 1), validation = testing::stripes(60, 2);
  TrainOptions options = testing::quick();
  SupernetRequest request;

  explicit Shared(const std::string& name = "columns", const std::string& yaml = kColumns, int epochs = 2)
      : space(space_of(name, yaml)) {
    options.optimizer = "adamw", options.lr = 0.01;
    request = {.options = {.epochs = epochs, .candidates = 1},
               .space = space.get(),
               .allowed = [](const search::Candidate&) { return true; },
               .train = train,
               .folder = {}};
  }
  std::unique_ptr<search::Probe> probe() const {
    return testing::backend().make_probe(
        {.name = "inherited", .train = train, .validation = validation, .options = options, .supernet = request});
  }
  // `steps`: of the shared training, as far as it was told.
  Findings ask(const search::Genotype& genotype, int* steps = nullptr, int stop_at = -1) const {
    Findings found;
    int count = 0;
    probe()->ask(space->expand(genotype),
                 {.genotype = genotype,
                  .seed = 9,
                  .folder = {},
                  .on_progress =
                      [&](double, const std::string& doing) {
                        count += doing.starts_with("shared weights, epoch");
                        if (count == stop_at) core::request_stop(SIGINT);
                      }},
                 found);
    if (steps != nullptr) *steps = count;
    return found;
  }
  Extremes ends() const { return extremes(*space, request.allowed, options.seed); }
  SharedWeights learned() const {
    return learned_weights(request, options, [](const std::string&) {});
  }
};

search::Genotype some(const search::Space& space) {
  core::Rng rng(11);
  return search::sample(space, rng);
}

std::vector<float> values(const SharedWeights& shared) { return {shared.values().begin(), shared.values().end()}; }

}  // namespace

TEST_CASE("shared weights teach the widest, the narrowest and any other network", "[train][supernet]") {
  const auto [name, yaml, epochs] = GENERATE(std::tuple("columns", kColumns, 12), std::tuple("stages", kStages, 6),
                                             std::tuple("condenser_kws", kCondenser, 24));
  INFO(name);
  Shared short_one(name, yaml, 1), long_one(name, yaml, epochs);
  const Extremes ends = long_one.ends();
  for (const search::Genotype& g : {ends.widest, ends.narrowest, some(*long_one.space)}) {
    INFO(search::to_text(*long_one.space, g));
    const Findings before = short_one.ask(g), after = long_one.ask(g);
    CHECK(after.metrics.at("inherited_loss") < before.metrics.at("inherited_loss"));
    CHECK(after.metrics.at("inherited_accuracy") > 60);
  }
}

TEST_CASE("shared weights are the same bits every time", "[train][supernet]") {
  Shared shared;
  const std::vector<float> first = values(shared.learned());
  CHECK(values(shared.learned()) == first);
  shared.options.threads = 2;
  CHECK(values(shared.learned()) == first);
  shared.options.seed = 6;
  CHECK(values(shared.learned()) != first);
}

TEST_CASE("shared tensors that no network of the steps has stay as they began", "[train][supernet]") {
  Shared shared;
  shared.request.options.candidates = 0;
  shared.request.allowed = [](const search::Candidate& c) {
    return std::ranges::none_of(c.spec.nodes, [](const arch::Node& n) { return n.name.starts_with("s1b2"); });
  };
  const Extremes ends = shared.ends();
  SharedWeights start = cover_space(*shared.space, ends, shared.options.seed);
  start.start(shared.space->expand(ends.widest).spec, shared.options.seed);
  const std::vector<float> before = values(start), after = values(shared.learned());
  REQUIRE(before.size() == after.size());
  int rested = 0;
  for (const nn::Segment& s : start.layout().segments) {
    const auto first = s.offset, last = s.offset + s.size;
    const bool same = std::equal(before.begin() + first, before.begin() + last, after.begin() + first);
    const bool second_block = s.name.find("/s1b2") != std::string::npos;
    INFO(s.name);
    if (second_block) CHECK(same);
    if (s.name.find("/stem") != std::string::npos) CHECK_FALSE(same);
    rested += second_block;
  }
  CHECK(rested > 2);
}

TEST_CASE("shared weights are kept, and made again where they are lost or others", "[train][supernet]") {
  Shared shared;
  const search::Genotype g = some(*shared.space);
  const Findings expected = shared.ask(g);
  const testing::TemporaryFolder folder("supernet");
  shared.request.folder = folder.path() / "supernet";
  const fs::path file = shared.request.folder / "shared.safetensors";
  {
    const testing::ClearStop clear;
    CHECK_THROWS_AS(shared.ask(g, nullptr, 3), core::Stopped);
  }
  CHECK_FALSE(fs::exists(file));
  int steps = 0;
  CHECK(shared.ask(g, &steps) == expected);
  CHECK(steps == 10);
  REQUIRE(fs::exists(file));
  CHECK(shared.ask(g, &steps) == expected);
  CHECK(steps == 0);

  std::string bytes = core::read_file(file);
  bytes[bytes.size() - 5] = static_cast<char>(bytes[bytes.size() - 5] ^ 1);
  core::write_atomic(file, bytes);
  CHECK(shared.ask(g, &steps) == expected);
  CHECK(steps == 10);

  shared.request.options.candidates = 2;
  CHECK_FALSE(shared.ask(g, &steps) == expected);
  CHECK(steps == 10);
  shared.request.options.candidates = 1;
  CHECK(shared.ask(g, &steps) == expected);
  CHECK(steps == 10);
}

TEST_CASE("recalibrated statistics are those of the batches", "[train][supernet]") {
  const arch::Spec spec = testing::small_net();
  arch::Weights weights = arch::random_weights(spec, 4);
  const auto images = testing::stripes(48, 3);
  std::vector<at::Tensor> batches;
  for (int64_t first : {0, 24}) {
    batches.push_back(at::empty({24, 1, 8, 8}));
    for (int64_t k = 0; k < 24; ++k) images->get(first + k, {batches.back().mutable_data_ptr<float>() + k * 64, 64});
  }
  // Of the first batch norm: means and variances of its input, by hand.
  nn::SpecNet plain(spec, weights, nn::Kernels::Library);
  std::vector<double> mean, var;
  for (const at::Tensor& x : batches)
    plain.forward(x, nn::Mode::Training, [&](const arch::Node& node, const at::Tensor& value) {
      if (node.name != "stem") return;
      mean.push_back(value.select(1, 2).mean().item<double>());
      var.push_back(value.select(1, 2).var(true).item<double>());
    });
  REQUIRE(mean.size() == 2);
  recalibrate(spec, batches, weights);
  CHECK(weights.at("stem_bn.running_mean").f32()[2] == Approx((mean[0] + mean[1]) / 2).epsilon(1e-4));
  CHECK(weights.at("stem_bn.running_var").f32()[2] == Approx((var[0] + var[1]) / 2).epsilon(1e-4));
}

}  // namespace condenser::train
