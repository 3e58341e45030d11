// Known answers, made by the int8 executor.

#include "cli/known_answers.hpp"

#include "condenser/data/split.hpp"
#include "condenser/runtime/int8_executor.hpp"

namespace condenser::cli {

exporters::KnownAnswers make_known_answers(const Int8Network& network, const data::Dataset& data, int count) {
  runtime::Int8Executor executor(runtime::build_program(network.lowered, network.weights, network.quant));
  exporters::KnownAnswers answers;
  std::vector<float> image(data.shape().elements());
  std::vector<int8_t> input(image.size());
  for (const int64_t i : data::stratified_subset(data, count, 0)) {
    data.get(i, image);
    executor.quantize_input(image, input);
    const auto output = executor.run(input);
    answers.inputs.push_back(input);
    answers.outputs.emplace_back(output.begin(), output.end());
    answers.labels.push_back(data.label(i));
  }
  return answers;
}

}  // namespace condenser::cli
