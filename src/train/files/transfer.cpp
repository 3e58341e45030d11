// Fine-tuning and teachers: which tensors of a file go where.
#include "train/files/transfer.hpp"

#include <algorithm>

#include "condenser/arch/analysis.hpp"
#include "condenser/arch/check_finite.hpp"
#include "condenser/arch/spec_io.hpp"
#include "condenser/arch/zoo.hpp"
#include "condenser/core/log.hpp"

namespace condenser::train {
namespace {

namespace fs = std::filesystem;

std::string described(const std::string& name, const std::vector<int64_t>& shape) {
  std::string text = name + " [";
  for (size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

std::string joined(const std::vector<std::string>& items) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "" : ", ") + item;
  return text;
}

std::string node_of(const std::string& tensor) { return tensor.substr(0, tensor.find('.')); }

}  // namespace

Transfer transfer(const arch::Spec& spec, const arch::Weights& source, const std::string& source_name,
                  arch::Weights& weights) {
  Transfer done;
  const auto parameters = arch::parameters(spec);
  const std::string head = parameters.empty() ? "" : node_of(parameters.back().name);
  for (const auto& parameter : parameters) {
    const auto found = source.tensors.find(parameter.name);
    const bool there = found != source.tensors.end();
    if (there && found->second.shape == parameter.shape && found->second.dtype == arch::DType::F32) {
      weights.tensors[parameter.name] = found->second;
      done.loaded.push_back(described(parameter.name, parameter.shape));
    } else if (node_of(parameter.name) == head) {
      done.fresh.push_back(described(parameter.name, parameter.shape));
    } else {
      throw core::ConfigError(
          source_name + ": " +
          (there ? "has " + described(parameter.name, found->second.shape) : "lacks " + parameter.name) + "; network " +
          spec.name + " has " + described(parameter.name, parameter.shape) + ", and only its head (" + head +
          ") may differ; expected weights of a network that is the same up to there");
    }
  }
  for (const auto& entry : source.tensors)
    if (std::none_of(parameters.begin(), parameters.end(), [&](const auto& p) { return p.name == entry.first; }))
      done.unused.push_back(described(entry.first, entry.second.shape));
  return done;
}

fs::path weights_file(const fs::path& path) { return fs::is_directory(path) ? path / "weights.safetensors" : path; }

arch::Weights initial_weights(const arch::Spec& spec, const TrainOptions& options) {
  arch::Weights weights = arch::random_weights(spec, options.seed);
  if (options.init.empty()) return weights;
  const fs::path file = weights_file(options.init);
  const arch::Weights source = arch::load_weights(file);
  arch::check_finite(source, file.string());
  const Transfer done = transfer(spec, source, file.string(), weights);
  core::log::info("weights from " + file.string() + ": " + std::to_string(done.loaded.size()) +
                  " tensors loaded: " + joined(done.loaded));
  if (!done.fresh.empty()) core::log::info("random, as the file has no such tensors: " + joined(done.fresh));
  if (!done.unused.empty()) core::log::info("in the file only, not used: " + joined(done.unused));
  return weights;
}

arch::Spec teacher_spec(const DistillOptions& o, const arch::Spec& student) {
  if (o.spec.empty()) {
    const fs::path winner = o.teacher / "winner.arch.json";
    if (!fs::exists(winner))
      throw core::ConfigError("train.distill.teacher = " + o.teacher.string() + ": no " + winner.string() +
                              "; expected the folder of a run, or its network in train.distill.spec");
    return arch::read_spec(winner);
  }
  if (fs::exists(o.spec)) return arch::read_spec(o.spec);
  const auto classes = static_cast<int>(arch::sole_output_shape(student, "training").c);
  return arch::find_zoo(o.spec).make(student.input, classes);
}

Teacher load_teacher(const DistillOptions& o, const arch::Spec& student) {
  Teacher teacher{teacher_spec(o, student), arch::load_weights(weights_file(o.teacher))};
  const auto output = [](const arch::Spec& spec) { return arch::sole_output_shape(spec, "training"); };
  if (!(teacher.spec.input == student.input) || !(output(teacher.spec) == output(student)))
    throw core::ConfigError("teacher " + teacher.spec.name + " maps " + arch::to_string(teacher.spec.input) + " to " +
                            arch::to_string(output(teacher.spec)) + "; expected " + arch::to_string(student.input) +
                            " to " + arch::to_string(output(student)) + " as network " + student.name);
  arch::check_weights(teacher.spec, teacher.weights);
  arch::check_finite(teacher.weights, weights_file(o.teacher).string());
  return teacher;
}

}  // namespace condenser::train
