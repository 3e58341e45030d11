// Named tensors and the parameters a Spec needs. Their file form is in safetensors.cpp.

#include "condenser/arch/weights.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "arch/tensor_shape.hpp"
#include "condenser/arch/analysis.hpp"
#include "condenser/arch/check_finite.hpp"
#include "condenser/core/config.hpp"
#include "condenser/core/error.hpp"
#include "condenser/core/hash.hpp"
#include "condenser/core/rng.hpp"
#include "condenser/core/text.hpp"

namespace condenser::arch {
namespace {

template <class T>
std::span<T> view(std::vector<std::byte>& data, DType found, DType wanted) {
  if (found != wanted) {
    throw core::Error(std::string("tensor has type ") + to_string(found) + "; expected " + to_string(wanted));
  }
  return {reinterpret_cast<T*>(data.data()), data.size() / sizeof(T)};
}

template <class T>
std::span<const T> view(const std::vector<std::byte>& data, DType found, DType wanted) {
  return view<T>(const_cast<std::vector<std::byte>&>(data), found, wanted);
}

}  // namespace

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

std::optional<int64_t> product(const std::vector<int64_t>& shape) {
  int64_t n = 1;
  for (int64_t extent : shape) {
    if (extent < 0 || __builtin_mul_overflow(n, extent, &n)) return std::nullopt;
  }
  return n;
}

std::optional<int64_t> byte_count(DType type, const std::vector<int64_t>& shape) {
  const auto n = product(shape);
  int64_t bytes = 0;
  if (!n || __builtin_mul_overflow(*n, static_cast<int64_t>(dtype_bytes(type)), &bytes)) return std::nullopt;
  return bytes;
}

size_t dtype_bytes(DType type) {
  switch (type) {
    case DType::F32: return 4;
    case DType::I8: return 1;
    case DType::I32: return 4;
    case DType::I64: return 8;
    case DType::U8: return 1;
  }
  return 0;
}

const char* to_string(DType type) {
  switch (type) {
    case DType::F32: return "F32";
    case DType::I8: return "I8";
    case DType::I32: return "I32";
    case DType::I64: return "I64";
    case DType::U8: return "U8";
  }
  return "?";
}

int64_t Tensor::elements() const { return product(shape).value_or(0); }
std::span<const float> Tensor::f32() const { return view<float>(data, dtype, DType::F32); }
std::span<float> Tensor::f32() { return view<float>(data, dtype, DType::F32); }
std::span<const int8_t> Tensor::i8() const { return view<int8_t>(data, dtype, DType::I8); }
std::span<int8_t> Tensor::i8() { return view<int8_t>(data, dtype, DType::I8); }
std::span<const int32_t> Tensor::i32() const { return view<int32_t>(data, dtype, DType::I32); }
std::span<int32_t> Tensor::i32() { return view<int32_t>(data, dtype, DType::I32); }
std::span<const int64_t> Tensor::i64() const { return view<int64_t>(data, dtype, DType::I64); }
std::span<int64_t> Tensor::i64() { return view<int64_t>(data, dtype, DType::I64); }

Tensor make_tensor(DType type, std::vector<int64_t> shape) {
  const auto bytes = byte_count(type, shape);
  if (!bytes) throw core::Error("tensor shape " + shape_text(shape) + " is negative or too large");
  Tensor tensor{type, std::move(shape), {}};
  tensor.data.resize(static_cast<size_t>(*bytes));
  return tensor;
}

Tensor make_f32(std::vector<int64_t> shape, std::span<const float> values) {
  const auto n = product(shape);
  if (!n || *n != static_cast<int64_t>(values.size())) {
    throw core::Error("tensor shape " + shape_text(shape) + " does not hold " + std::to_string(values.size()) +
                      " values");
  }
  Tensor tensor = make_tensor(DType::F32, std::move(shape));
  std::copy(values.begin(), values.end(), tensor.f32().begin());
  return tensor;
}

const Tensor& Weights::at(const std::string& name) const {
  const auto found = tensors.find(name);
  if (found != tensors.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [known, tensor] : tensors) names.push_back(known);
  const std::string near = core::config::nearest(name, names);
  throw core::Error("weights: no tensor " + name + (near.empty() ? "" : "; nearest is " + near));
}

std::vector<ParamInfo> parameters(const Spec& spec) {
  const Analysis analysis = analyze(spec);
  std::vector<ParamInfo> all;
  for (const Node& node : spec.nodes) {
    const auto add = [&](const char* param, std::vector<int64_t> shape, std::optional<float> initial = {},
                         bool trainable = true) {
      all.push_back({node.name + "." + param, std::move(shape), trainable, initial});
    };
    const auto channels = [&] { return analysis.node(node.inputs[0]).shape.c; };
    const auto none = [](const auto&) {};
    arch::visit(node.op, Overloaded{
                             [&](const Conv2d& op) {
                               add("weight", {op.out, channels() / op.groups, op.kernel.h, op.kernel.w});
                               if (op.bias) add("bias", {op.out}, 0.0F);
                             },
                             [&](const BatchNorm&) {
                               const int64_t c = channels();
                               add("weight", {c}, 1.0F);
                               add("bias", {c}, 0.0F);
                               add("running_mean", {c}, 0.0F, false);
                               add("running_var", {c}, 1.0F, false);
                             },
                             [&](const Linear& op) {
                               add("weight", {op.out, channels()});
                               if (op.bias) add("bias", {op.out}, 0.0F);
                             },
                             [&](const Input& op) { none(op); },
                             [&](const Activation& op) { none(op); },
                             [&](const Softmax& op) { none(op); },
                             [&](const SoftmaxMul& op) { none(op); },
                             [&](const AvgPool& op) { none(op); },
                             [&](const MaxPool& op) { none(op); },
                             [&](const GlobalAvgPool& op) { none(op); },
                             [&](const Add& op) { none(op); },
                             [&](const Mul& op) { none(op); },
                             [&](const PRelu&) { add("weight", {channels()}, 0.25F); },
                             [&](const Scale&) { add("weight", {1}, 1.0F); },
                             [&](const BlurPool& op) { none(op); },
                             [&](const Upsample& op) { none(op); },
                             [&](const Concat& op) { none(op); },
                             [&](const Slice& op) { none(op); },
                             [&](const ChannelShuffle& op) { none(op); },
                         });
  }
  return all;
}

void check_finite(const Weights& weights, const std::string& what) {
  for (const auto& [name, tensor] : weights.tensors) {
    if (tensor.dtype != DType::F32) continue;
    const auto values = tensor.f32();
    const auto bad = std::find_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); });
    if (bad == values.end()) continue;
    throw core::Error(core::printable(what) + ": tensor " + core::printable(name) + " holds " + core::number(*bad) +
                      " at position " + std::to_string(bad - values.begin()) +
                      "; expected finite numbers. Train again, or take weights from before the training went wrong");
  }
}

void check_weights(const Spec& spec, const Weights& weights) {
  const std::vector<ParamInfo> expected = parameters(spec);
  std::set<std::string> names;
  for (const ParamInfo& param : expected) names.insert(param.name);
  std::vector<std::string> unexpected;
  for (const auto& [name, tensor] : weights.tensors) {
    if (!names.contains(name)) unexpected.push_back(name);
  }
  for (const ParamInfo& param : expected) {
    const auto found = weights.tensors.find(param.name);
    const std::string where = "weights: " + param.name;
    const std::string wanted = "; the network expects ";
    if (found == weights.tensors.end()) {
      const std::string near = core::config::nearest(param.name, unexpected);
      throw core::Error(where + " is missing" + wanted + shape_text(param.shape) +
                        (near.empty() ? "" : "; nearest is " + near));
    }
    const Tensor& tensor = found->second;
    if (tensor.shape != param.shape) {
      throw core::Error(where + " has shape " + shape_text(tensor.shape) + wanted + shape_text(param.shape));
    }
    if (tensor.dtype != DType::F32) {
      throw core::Error(where + " has type " + to_string(tensor.dtype) + wanted + "F32");
    }
    if (byte_count(tensor.dtype, tensor.shape) != static_cast<int64_t>(tensor.data.size())) {
      throw core::Error(where + " holds " + std::to_string(tensor.data.size()) + " bytes" + wanted +
                        shape_text(param.shape));
    }
  }
  if (unexpected.empty()) return;
  const std::string near =
      core::config::nearest(unexpected.front(), std::vector<std::string>(names.begin(), names.end()));
  throw core::Error("weights: " + unexpected.front() + " is unexpected; network " + spec.name +
                    " has no such parameter" + (near.empty() ? "" : "; nearest is " + near));
}

Weights random_weights(const Spec& spec, uint64_t seed) {
  Weights weights;
  for (const ParamInfo& param : parameters(spec)) {
    Tensor tensor = make_tensor(DType::F32, param.shape);
    if (param.initial) {
      std::ranges::fill(tensor.f32(), *param.initial);
    } else {
      // One stream per name: a tensor keeps its values whatever else the network holds.
      const core::Hash128 id = core::hash128(param.name);
      uint64_t stream = 0;
      std::memcpy(&stream, id.bytes.data(), sizeof stream);
      core::Rng rng(seed, stream);
      const double fan_in = static_cast<double>(tensor.elements()) / static_cast<double>(param.shape[0]);
      const double deviation = std::sqrt(2.0 / fan_in);  // He et al. 2015, arXiv 1502.01852
      for (float& value : tensor.f32()) value = static_cast<float>(deviation * rng.normal());
    }
    weights.tensors.emplace(param.name, std::move(tensor));
  }
  return weights;
}

}  // namespace condenser::arch
