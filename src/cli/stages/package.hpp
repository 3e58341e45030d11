#pragma once
// What `export` writes and `verify` compares: the int8 network as a package, test images and the integers that the
// framework's int8 executor answers.

#include "cli/stages/stages.hpp"
#include "condenser/runtime/int8_executor.hpp"

namespace condenser::cli {

// For these targets: with the network in floats, if one of them writes it.
exporters::Package make_package(RunContext&, const arch::Design& winner, const Int8Network&,
                                const std::vector<std::string>& targets);

// What the executor answers to these items of the data set; none is called right or wrong.
exporters::KnownAnswers known_integers(runtime::Int8Executor&, const data::Dataset&, const std::vector<int64_t>& items);
// `count` items of the run's test data, as equal per class as possible, in the set's order; with their sounds where the
// package makes its input from them.
exporters::KnownAnswers make_known_answers(RunContext&, const Int8Network&, const exporters::Package&, int count);

}  // namespace condenser::cli
