// What stands before the network as decisions of a space.

#include <set>

#include "condenser/arch/passes.hpp"
#include "condenser/search/gate.hpp"
#include "condenser/search/metrics.hpp"
#include "condenser/search/space.hpp"
#include "support/catch.hpp"

using namespace condenser;
using Catch::Matchers::Contains;

namespace {

// Pictures up to 32 pixels high; sounds of 1 s in frames of 30 ms, with a front-end that costs as it is wide.
search::PreparedInput prepared(const search::InputChoice& c) {
  if (c.size > 32) throw core::Error("at most 32 pixels");
  if (c.coefficients == 0 && c.stride_ms == 0) {
    const int64_t side = c.size > 0 ? c.size : 32;
    return {{c.colour == "grey" ? 1 : 3, side, side}};
  }
  const int coefficients = c.coefficients > 0 ? c.coefficients : 10, stride = c.stride_ms > 0 ? c.stride_ms : 20;
  return {{1, 1 + 970 / stride, coefficients}, 1000 + 100 * coefficients, 5000};
}

const search::SpaceContext kPictures{{3, 32, 32}, 10, prepared}, kWords{{1, 49, 10}, 12, prepared};

std::unique_ptr<search::Space> make(const std::string& yaml, const search::SpaceContext& context) {
  auto reader = core::config::Reader::from_text(yaml, "space.yaml");
  auto space = search::make_space(reader, context);
  reader.finish();
  return space;
}

std::string refusal(const std::string& yaml, const search::SpaceContext& context) {
  try {
    make(yaml, context);
  } catch (const core::Error& e) {
    return e.what();
  }
  return "";
}

search::Candidate expand(const search::Space& space, const std::string& genotype) {
  std::string first;  // every other decision takes its first option
  for (const search::Decision& d : space.decisions())
    if (genotype.find(d.name + "=") == std::string::npos) first += d.name + "=" + search::option_text(d, 0) + " ";
  return space.expand(search::parse_genotype(space, first + genotype));
}

double cost(const search::Candidate& candidate, const std::string& name) {
  return *search::cost(candidate, *search::find_metric(name));
}

const std::string kColumns = "space: columns\ninput: {size: [20, 28], colour: [grey, rgb]}\n";
const std::string kCondenser = "space: condenser_kws\nfront_end: {coefficients: [10, 20], stride_ms: [20, 40]}\n";

}  // namespace

TEST_CASE("size and colour are decisions of every space of pictures, and costs follow", "[search]") {
  for (const char* name : {"columns", "stages", "attendnext"}) {
    INFO(name);
    const auto space =
        make(std::string("space: ") + name + "\ninput: {size: [20, 28], colour: [grey, rgb]}\n", kPictures);
    CHECK(space->chooses_input());
    const size_t n = space->decisions().size();
    CHECK(space->decisions()[n - 2] == search::Decision{"input_size", {20, 28}, {}});
    CHECK(space->decisions()[n - 1] == search::Decision{"input_colour", {0, 1}, {"grey", "rgb"}});
    const search::Candidate small = expand(*space, "input_size=20 input_colour=grey"),
                            large = expand(*space, "input_size=28 input_colour=rgb");
    CHECK(small.spec.input == arch::Shape{1, 20, 20});
    CHECK(large.spec.input == arch::Shape{3, 28, 28});
    CHECK(small.input == search::InputChoice{.size = 20, .colour = "grey"});
    CHECK(cost(small, "macs") < cost(large, "macs"));
    CHECK(cost(small, "arena_bytes") < cost(large, "arena_bytes"));
    CHECK(large.plan.peak_bytes >= 3 * 28 * 28);  // the input is in the plan
    CHECK(small.costs.empty());
  }
  CHECK_FALSE(make("space: columns\n", kPictures)->chooses_input());
  CHECK_FALSE(make("space: columns\ninput: {size: []}\n", kPictures)->chooses_input());  // as it is spelt out
}

TEST_CASE("a front-end counts in flash, and in RAM where it needs more than the network", "[search]") {
  for (const std::string& yaml :
       {kCondenser, std::string("space: temporal\n") + kCondenser.substr(kCondenser.find('\n'))}) {
    const auto space = make(yaml, kWords);
    const search::Candidate c = expand(*space, "front_end_coefficients=20 front_end_stride_ms=40");
    CHECK(c.spec.input == arch::Shape{1, 25, 20});
    CHECK(cost(c, "constant_bytes") == c.lowered_cost.constant_bytes + 3000);
    CHECK(cost(c, "arena_bytes") == std::max<double>(c.plan.peak_bytes, 25 * 20 + 5000));
    CHECK(cost(c, "macs") == c.cost.macs);
    search::GateOptions o;
    o.max_arena_bytes = 5000;
    const auto verdicts = search::Gate(o).before_training(c);
    REQUIRE(verdicts.size() == 1);
    CHECK_FALSE(verdicts[0].passed);
    CHECK(verdicts[0].node == (c.plan.peak_bytes < 5500 ? "front_end" : c.peak_node()));
  }
}

TEST_CASE("networks on differently prepared data are never the same candidate", "[search]") {
  const auto context = search::SpaceContext{{1, 2, 10}, 12, [](const search::InputChoice&) {
                                              return search::PreparedInput{{1, 2, 10}, 0, 0};  // whatever the stride
                                            }};
  const auto plain = make("space: temporal\ntime: rows\nstage_strides: [1, 1, 1]\n", context),
             space = make("space: temporal\ntime: rows\nstage_strides: [1, 1, 1]\nfront_end: {stride_ms: [500, 600]}\n",
                          context);
  const search::Candidate a = expand(*space, "front_end_stride_ms=500"), b = expand(*space, "front_end_stride_ms=600"),
                          own = expand(*plain, "");
  CHECK(a.spec == b.spec);
  std::set<core::Hash128> names{search::identity(a), search::identity(b), search::identity(own)};
  CHECK(names.size() == 3);
  std::set<core::Fingerprint> prints{search::fingerprint(a), search::fingerprint(b), search::fingerprint(own)};
  CHECK(prints.size() == 3);
  CHECK(search::identity(a) == search::identity(expand(*space, "front_end_stride_ms=500")));
  CHECK(search::fingerprint(a) == search::fingerprint(expand(*space, "front_end_stride_ms=500")));
  CHECK(search::identity(own) == arch::hash(own.spec));
}

TEST_CASE("inputs that cannot be are refused where they stand", "[search]") {
  CHECK_THAT(refusal("space: columns\ninput: {size: [20, 64]}\n", kPictures),
             Contains("space.yaml:2: at most 32 pixels"));
  CHECK_THAT(refusal("space: columns\ninput: {size: [20, 20]}\n", kPictures), Contains("each once"));
  CHECK_THAT(refusal("space: columns\ninput: {colour: [red]}\n", kPictures), Contains("one of grey, rgb"));
  CHECK_THAT(refusal("space: columns\ninput: {size: [20]}\n", {{3, 32, 32}, 10}), Contains("is not known here"));
  const search::SpaceContext any{{3, 32, 32}, 10, [](const search::InputChoice& c) {
                                   return search::PreparedInput{{3, c.size, c.size}, 0, 0};
                                 }};
  // Two strides of the stem bring 224 pixels down, one does for 32.
  CHECK_THAT(refusal("space: columns\ninput: {size: [32, 224]}\n", any),
             Contains("stem_stride is not the same for inputs 3x32x32 and 3x224x224"));
  CHECK(refusal("space: columns\nstem_stride: 2\ninput: {size: [32, 224]}\n", any).empty());
  CHECK(refusal("space: columns\ninput: {size: [32, 64]}\n", any).empty());  // the stem follows
  // The axis of time would change with the shape.
  CHECK_THAT(refusal("space: temporal\nfront_end: {coefficients: [10, 40], stride_ms: [40]}\n", kWords),
             Contains("time is not the same for inputs 1x25x10 and 1x25x40"));
  const search::SpaceContext sounds{{1, 25, 10}, 12, prepared, true};  // whose frames are rows, however few
  CHECK(refusal("space: temporal\nfront_end: {coefficients: [10, 40], stride_ms: [40]}\n", sounds).empty());
}

TEST_CASE("forbidden combinations and beliefs reach what stands before the network", "[search]") {
  const auto space =
      make(kColumns + "forbid: [{input_size: 28, input_colour: rgb}]\nbeliefs: {input_size: {20: 9}}\n", kPictures);
  core::Rng rng(5);
  int small = 0;
  for (int i = 0; i < 200; ++i) {
    const search::Genotype g = search::sample(*space, rng);
    small += search::value(*space, g, "input_size") == 20;
    CHECK_FALSE((search::value(*space, g, "input_size") == 28 && search::value(*space, g, "input_colour") == 1));
  }
  CHECK(small > 150);
}
