#include "condenser/runtime/stream_executor.hpp"

#include <algorithm>
#include <cstring>

#include "condenser/runtime/int8_executor.hpp"
#include "runtime/call.hpp"

namespace condenser::runtime {
namespace {

int64_t values_of_row(const arch::Shape& shape) { return shape.w * shape.c; }

// Whole rows of the input.
int64_t count_rows(const arch::Spec& spec, std::span<const int8_t> rows) {
  const int64_t row = values_of_row(spec.input);
  if (std::ssize(rows) % row != 0)
    throw core::Error("stream of network '" + spec.name + "': " + std::to_string(rows.size()) +
                      " values; expected whole rows of " + std::to_string(row));
  return std::ssize(rows) / row;
}

}  // namespace

StreamExecutor::StreamExecutor(const arch::Spec& lowered, const arch::Weights& weights, const QuantParams& quant)
    : StreamExecutor(build_stream_program(lowered, weights, quant)) {}

StreamExecutor::StreamExecutor(Int8Program program)
    : program_(std::move(program)), arena_(static_cast<size_t>(program_.plan.peak_bytes)) {}

int64_t StreamExecutor::row_values() const { return values_of_row(program_.spec.input); }

// Moves older rows down; where the new one goes.
int8_t* StreamExecutor::newest_row(int node) {
  const auto i = static_cast<size_t>(node);
  int8_t* const begin = arena_.data() + program_.plan.offset[i];
  const int64_t row = values_of_row(program_.analysis.nodes[i].shape), older = program_.plan.bytes[i] - row;
  std::memmove(begin, begin + row, static_cast<size_t>(older));
  return begin + older;
}

bool StreamExecutor::push(std::span<const int8_t> row) {
  if (std::ssize(row) != row_values())
    throw core::Error("stream of network '" + program_.spec.name + "': a row of " + std::to_string(row.size()) +
                      " values; expected " + std::to_string(row_values()));
  const arch::Stream& stream = program_.stream;
  std::ranges::copy(row, newest_row(0));
  int shifted = 0;  // a concatenation takes several calls
  for (const Turn& turn : program_.order) {
    const auto node = static_cast<int>(turn.node);
    if (!stream.computes(node, frame_)) continue;
    if (node != shifted) newest_row(node);
    shifted = node;
    run_call(program_, turn, arena_.data());
  }
  const bool answered = stream.computes(program_.spec.output(), frame_);
  ++frame_;
  return answered;
}

std::span<const int8_t> StreamExecutor::answer() const {
  const auto i = static_cast<size_t>(program_.spec.output());
  const int64_t row = values_of_row(program_.analysis.nodes[i].shape);
  return {arena_.data() + program_.plan.offset[i] + program_.plan.bytes[i] - row, static_cast<size_t>(row)};
}

void StreamExecutor::restart() {
  std::ranges::fill(arena_, int8_t{0});
  frame_ = 0;
}

std::vector<std::vector<int8_t>> answers_at_once(const arch::Spec& lowered, const arch::Weights& weights,
                                                 const QuantParams& quant, std::span<const int8_t> rows) {
  const arch::Analysis analysis = arch::analyze(lowered);
  const arch::StreamNode last = arch::stream_of(lowered, analysis).nodes[static_cast<size_t>(lowered.output())];
  const int64_t frames = count_rows(lowered, rows);
  std::vector<std::vector<int8_t>> answers;
  if (frames <= last.first) return answers;
  arch::Weights reshaped = weights;
  const arch::Spec whole = arch::over_rows(lowered, analysis, frames, &reshaped);
  Int8Executor executor(build_program(whole, reshaped, quant));
  const std::span<const int8_t> map = executor.run(rows);
  const auto row = static_cast<size_t>(values_of_row(executor.program().output_shape()));
  for (int64_t frame = last.first; frame < frames; frame += last.period) {
    const auto n = static_cast<size_t>((frame - last.delay) / last.period);
    const std::span<const int8_t> answer = map.subspan(n * row, row);
    answers.emplace_back(answer.begin(), answer.end());
  }
  return answers;
}

std::vector<std::vector<int8_t>> answers_of_windows(const arch::Spec& lowered, const arch::Weights& weights,
                                                    const QuantParams& quant, std::span<const int8_t> rows,
                                                    int64_t hop) {
  Int8Executor executor(build_program(lowered, weights, quant));
  const auto row = static_cast<size_t>(values_of_row(lowered.input));
  const auto input = static_cast<size_t>(lowered.input.elements());
  std::vector<std::vector<int8_t>> answers;
  for (int64_t end = lowered.input.h, frames = count_rows(lowered, rows); end <= frames; end += hop) {
    const auto answer = executor.run(rows.subspan(static_cast<size_t>(end) * row - input, input));
    answers.emplace_back(answer.begin(), answer.end());
  }
  return answers;
}

}  // namespace condenser::runtime
