// A network on a stream gives, row by row, the integers that the ordinary executor gives for the whole of it at once.

#include "condenser/arch/stream.hpp"

#include <algorithm>

#include "condenser/arch/passes.hpp"
#include "condenser/arch/zoo.hpp"
#include "condenser/core/rng.hpp"
#include "condenser/runtime/int8_executor.hpp"
#include "condenser/runtime/stream_executor.hpp"
#include "support/catch.hpp"
#include "support/exemplars.hpp"
#include "support/random_int8.hpp"
#include "support/random_spec.hpp"

using namespace condenser;
using testing::random_int8;
using testing::RandomInt8;

namespace {

std::vector<int8_t> random_rows(const arch::Spec& spec, int64_t rows, uint64_t seed) {
  core::Rng rng(seed, 0x57);
  std::vector<int8_t> values;
  for (int64_t i = 0; i < rows * spec.input.w * spec.input.c; ++i)
    values.push_back(static_cast<int8_t>(static_cast<int>(rng.below(256)) - 128));
  return values;
}

std::vector<std::vector<int8_t>> push_all(runtime::StreamExecutor& stream, std::span<const int8_t> rows) {
  std::vector<std::vector<int8_t>> answers;
  const auto row = static_cast<size_t>(stream.row_values());
  for (size_t at = 0; at < rows.size(); at += row)
    if (stream.push(rows.subspan(at, row))) answers.emplace_back(stream.answer().begin(), stream.answer().end());
  return answers;
}

// Whether the network goes row by row. Its stream is compared over five answers or more.
bool check_stream(const std::string& name, const arch::Spec& spec, uint64_t seed) {
  INFO(name);
  const RandomInt8 package = random_int8(spec, seed);
  std::optional<runtime::StreamExecutor> stream;
  try {
    stream.emplace(spec, package.weights, package.quant);
  } catch (const arch::SpecError& error) {
    CHECK_THAT(error.what(), Catch::Contains("cannot go row by row") || Catch::Contains("outputs"));
    return false;
  }
  const arch::StreamNode& last = stream->program().stream.nodes[static_cast<size_t>(spec.output())];
  const std::vector<int8_t> rows = random_rows(spec, last.first + 4 * last.period + 1, seed);
  const auto expected = runtime::answers_at_once(spec, package.weights, package.quant, rows);
  CHECK(expected.size() == 5);
  CHECK((push_all(*stream, rows) == expected));  // unprintable
  stream->restart();
  CHECK((push_all(*stream, rows) == expected));  // unprintable
  return true;
}

arch::Spec zoo_network(const std::string& name) {
  const arch::ZooCard& card = arch::find_zoo(name);
  return arch::lower(card.make(card.input, card.classes), nullptr);
}

}  // namespace

TEST_CASE("a stream gives the integers of the whole at once, for every exemplar that goes row by row", "[runtime]") {
  int found = 0;
  for (const testing::Exemplar& item : testing::exemplars()) {
    const arch::Spec spec = arch::lower(item.spec, nullptr);
    if (testing::runs_in_int8(spec)) found += check_stream(item.name, spec, 3);
  }
  CHECK(found > 20);
}

TEST_CASE("a stream of a random graph gives the integers of the whole at once", "[runtime]") {
  core::Rng rng(6);
  int found = 0;
  for (int round = 0; round < 300; ++round) {
    const arch::Spec spec =
        arch::lower(testing::random_spec(rng, 3 + static_cast<int>(rng.below(10)), testing::Operators::All), nullptr);
    if (testing::runs_in_int8(spec)) found += check_stream("round " + std::to_string(round), spec, rng.next());
  }
  CHECK(found > 50);
}

TEST_CASE("a keyword network of the zoo goes row by row", "[runtime]") {
  const arch::Spec spec = zoo_network("ds_cnn");
  CHECK(check_stream("ds_cnn", spec, 4));
  const arch::Analysis analysis = arch::analyze(spec);
  const arch::Stream stream = arch::stream_of(spec, analysis);
  // Windows of 10 rows, then four of 3 at every second row, and a mean of 25.
  CHECK(stream.nodes.back() ==
        arch::StreamNode{.period = 2, .first = 73, .delay = 61, .kept = 1, .lasting = true, .reaches = {{1, 0}}});
}

TEST_CASE("windows and shortcuts on a stream: when a node computes, what it keeps", "[runtime]") {
  // A window of 3 at every second row, then a block with a shortcut around a window of 5.
  arch::Spec spec{.name = "shortcut", .input = {4, 16, 1}, .nodes = {{"input", arch::Input{}, {}}}};
  spec.nodes.push_back({"stem", arch::Conv2d{.out = 4, .kernel = {3, 1}, .stride = {2, 1}, .pad = {1, 1, 0, 0}}, {0}});
  spec.nodes.push_back({"dw", arch::Conv2d{.out = 4, .kernel = {5, 1}, .pad = {2, 2, 0, 0}, .groups = 4}, {1}});
  spec.nodes.push_back({"add", arch::Add{}, {1, 2}});
  spec.nodes.push_back({"gap", arch::GlobalAvgPool{}, {3}});
  const arch::Stream stream = arch::stream_of(spec, arch::analyze(spec));
  using N = arch::StreamNode;
  CHECK(stream.nodes[0] == N{.period = 1, .first = 0, .delay = 0, .kept = 3, .lasting = true, .reaches = {}});
  // Row 0 would need row -1 of the input: row 1, of rows 1 to 3, is the first.
  CHECK(stream.nodes[1] == N{.period = 2, .first = 3, .delay = 1, .kept = 5, .lasting = true, .reaches = {{3, 0}}});
  CHECK(stream.nodes[2] == N{.period = 2, .first = 11, .delay = 5, .kept = 1, .lasting = false, .reaches = {{5, 0}}});
  CHECK(stream.nodes[3] ==
        N{.period = 2, .first = 11, .delay = 5, .kept = 8, .lasting = true, .reaches = {{1, 2}, {1, 0}}});
  CHECK(stream.nodes[4] == N{.period = 2, .first = 25, .delay = 19, .kept = 1, .lasting = true, .reaches = {{8, 0}}});
  CHECK(stream.steady() == 25);
  CHECK(stream.cycle() == 2);
  CHECK(check_stream("shortcut", spec, 9));
}

TEST_CASE("what cannot go row by row is refused by node and reason", "[runtime]") {
  const auto refusal = [](const char* exemplar) -> std::string {
    const arch::Spec spec = arch::lower(testing::exemplar(exemplar), nullptr);
    try {
      (void)arch::stream_of(spec, arch::analyze(spec));
      return "";
    } catch (const arch::SpecError& error) {
      return error.what();
    }
  };
  CHECK_THAT(refusal("output_two_heads"), Catch::Contains("outputs"));
  arch::Spec gate{.name = "gate", .input = {4, 8, 1}, .nodes = {{"input", arch::Input{}, {}}}};
  gate.nodes.push_back({"mean", arch::GlobalAvgPool{}, {0}});
  gate.nodes.push_back({"gated", arch::Mul{}, {0, 1}});
  CHECK_THROWS_WITH(arch::stream_of(gate, arch::analyze(gate)),
                    "node gated: cannot go row by row: every moment is multiplied by what all of them give");
}

TEST_CASE("the answer of a window is that of a clip", "[runtime]") {
  const arch::Spec spec = zoo_network("ds_cnn");
  const RandomInt8 package = random_int8(spec, 2);
  const std::vector<int8_t> rows = random_rows(spec, 49 + 12, 5);
  const auto answers = runtime::answers_of_windows(spec, package.weights, package.quant, rows, 4);
  REQUIRE(answers.size() == 4);
  runtime::Int8Executor clip(runtime::build_program(spec, package.weights, package.quant));
  const auto last = clip.run(std::span(rows).last(490));
  CHECK(std::ranges::equal(last, answers.back()));
}
