#pragma once
// Named tensors and their file form, safetensors (bounds-checked reader, no code execution).

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "condenser/arch/spec.hpp"

namespace condenser::arch {

enum class DType { F32, I8, I32, I64, U8 };  // safetensors names F32, I8, I32, I64, U8
size_t dtype_bytes(DType);
const char* to_string(DType);

struct Tensor {
  DType dtype = DType::F32;
  std::vector<int64_t> shape;
  std::vector<std::byte> data;  // little-endian, row-major

  int64_t elements() const;
  std::span<const float> f32() const;  // each throws core::Error on another dtype
  std::span<float> f32();
  std::span<const int8_t> i8() const;
  std::span<int8_t> i8();
  std::span<const int32_t> i32() const;
  std::span<int32_t> i32();
  std::span<const int64_t> i64() const;
  std::span<int64_t> i64();
  bool operator==(const Tensor&) const = default;
};

Tensor make_tensor(DType, std::vector<int64_t> shape);  // zeros
Tensor make_f32(std::vector<int64_t> shape, std::span<const float> values);

struct Weights {
  std::map<std::string, Tensor> tensors;            // "<node>.<param>"
  std::map<std::string, std::string> metadata;      // safetensors __metadata__ (hashes, versions)
  const Tensor& at(const std::string& name) const;  // throws core::Error naming the nearest
  bool operator==(const Weights&) const = default;
};

struct ParamInfo {
  std::string name;  // "<node>.<param>"
  std::vector<int64_t> shape;
  bool trainable = true;         // false: running_mean, running_var
  std::optional<float> initial;  // none: He-normal
};

// The float parameters a Spec needs, in node order.
std::vector<ParamInfo> parameters(const Spec&);

// Throws core::Error naming the first missing, unexpected or misshapen tensor.
void check_weights(const Spec&, const Weights&);

// He-normal convolutions and linears, everything else at its initial value; deterministic by seed. For tests, untrained
// costs and initialisation.
Weights random_weights(const Spec&, uint64_t seed);

std::string to_safetensors(const Weights&);  // deterministic bytes
// Throws core::Error; never reads out of bounds; time grows with the size only.
Weights from_safetensors(std::string_view bytes, const std::string& name);

// Files carry a checksum of themselves in the metadata (core/seal.hpp), which Weights do not show.
std::string save_weights(const std::filesystem::path&, const Weights&);  // atomic; returns the checksum
struct WeightsFile {
  Weights weights;
  std::string checksum;  // empty: the file has none, another program wrote it
};
WeightsFile load_weights_file(const std::filesystem::path&);  // throws core::Error also when the checksum is wrong
Weights load_weights(const std::filesystem::path&);

}  // namespace condenser::arch
