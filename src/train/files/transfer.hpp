#pragma once
// Weights from earlier runs: to start from, or as a teacher.

#include "condenser/arch/weights.hpp"
#include "condenser/train/options.hpp"

namespace condenser::train {

// What came from the file and what did not, by name.
struct Transfer {
  std::vector<std::string> loaded, fresh, unused;  // unused: in the file only
};

// Copies `source` into `weights`, which fit the spec. Strict: only the head (the last node with parameters) may be
// missing or have another shape, and then stays as it is. Throws ConfigError naming the tensor otherwise.
Transfer transfer(const arch::Spec&, const arch::Weights& source, const std::string& source_name,
                  arch::Weights& weights);

// The file of weights that a path of the options means: itself, or weights.safetensors in the folder of a run.
std::filesystem::path weights_file(const std::filesystem::path&);

struct Teacher {
  arch::Spec spec;
  arch::Weights weights;
};
// The teacher of options.distill, which must have the input and output of `student`. Throws ConfigError.
Teacher load_teacher(const DistillOptions&, const arch::Spec& student);
arch::Spec teacher_spec(const DistillOptions&, const arch::Spec& student);

}  // namespace condenser::train
