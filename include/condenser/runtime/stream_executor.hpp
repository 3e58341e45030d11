#pragma once
// A network on a stream of input rows (arch/stream.hpp), and what it must answer.

#include <cstdint>
#include <span>
#include <vector>

#include "condenser/runtime/int8_program.hpp"

namespace condenser::runtime {

// The kernels that are shipped, a frame at a time, as an export calls them.
class StreamExecutor {
 public:
  // Throws SpecError naming the node that cannot go row by row.
  StreamExecutor(const arch::Spec& lowered, const arch::Weights& weights, const QuantParams& quant);
  explicit StreamExecutor(Int8Program);  // of build_stream_program()

  const Int8Program& program() const { return program_; }
  int64_t row_values() const;  // of the input
  // One more row of the input, [w, c]. Whether there is a new answer.
  bool push(std::span<const int8_t> row);
  std::span<const int8_t> answer() const;  // a row of the output; valid until the next one
  void restart();                          // as if nothing had been pushed

 private:
  int8_t* newest_row(int node);

  Int8Program program_;
  std::vector<int8_t> arena_;
  int64_t frame_ = 0;
};

// The same answers of the ordinary executor: it computes a network as long as the whole stream at once (over_rows()).
// For the proof of streams. `rows`: whole rows of the input, one after the other.
std::vector<std::vector<int8_t>> answers_at_once(const arch::Spec& lowered, const arch::Weights& weights,
                                                 const QuantParams& quant, std::span<const int8_t> rows);

// Answers of the network as it is to the last rows of the input, every `hop` rows.
std::vector<std::vector<int8_t>> answers_of_windows(const arch::Spec& lowered, const arch::Weights& weights,
                                                    const QuantParams& quant, std::span<const int8_t> rows,
                                                    int64_t hop);

}  // namespace condenser::runtime
