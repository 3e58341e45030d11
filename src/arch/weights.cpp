// Named tensors, the parameters a Spec needs, and the safetensors form of both
// (https://github.com/huggingface/safetensors, "Format"). Leaves whole-file reads and atomic writes to core/files.

#include "condenser/arch/weights.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <tuple>

#include "condenser/arch/analysis.hpp"
#include "condenser/core/config.hpp"
#include "condenser/core/error.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/hash.hpp"
#include "condenser/core/rng.hpp"

namespace condenser::arch {
namespace {

// Tensors are kept in the file's byte order, so that reading and writing are copies.
static_assert(std::endian::native == std::endian::little);

using nlohmann::json;

constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the limit of the format's reference reader
constexpr size_t kAlignment = 8;
constexpr const char* kMetadata = "__metadata__";
constexpr DType kAllTypes[] = {DType::F32, DType::I8, DType::I32, DType::I64, DType::U8};

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

// Product of the extents, or nothing when one is negative or the product does not fit.
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

// A name from a foreign file as it may stand in a message: quoted, ASCII, not endless.
std::string shown(const std::string& name) {
  std::string text = json(name).dump(-1, ' ', true, json::error_handler_t::replace);
  if (text.size() > 100) text = text.substr(0, 96) + "...\"";
  return text;
}

}  // namespace

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

// --- what a Spec needs --------------------------------------------------------------------------------------------

std::vector<ParamInfo> parameters(const Spec& spec) {
  const Analysis analysis = analyze(spec);
  std::vector<ParamInfo> all;
  for (const Node& node : spec.nodes) {
    const auto add = [&](const char* param, std::vector<int64_t> shape, bool trainable = true) {
      all.push_back({node.name + "." + param, std::move(shape), trainable});
    };
    const auto channels = [&] { return analysis.nodes[static_cast<size_t>(node.inputs.at(0))].shape.c; };
    const auto none = [](const auto&) {};
    std::visit(Overloaded{
                   [&](const Conv2d& op) {
                     add("weight", {op.out, channels() / op.groups, op.kernel.h, op.kernel.w});
                     if (op.bias) add("bias", {op.out});
                   },
                   [&](const BatchNorm&) {
                     const int64_t c = channels();
                     add("weight", {c});
                     add("bias", {c});
                     add("running_mean", {c}, false);
                     add("running_var", {c}, false);
                   },
                   [&](const Linear& op) {
                     add("weight", {op.out, channels()});
                     if (op.bias) add("bias", {op.out});
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
               },
               node.op);
  }
  return all;
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
    const std::string kind = param.name.substr(param.name.rfind('.') + 1);
    if (kind == "running_var" || (kind == "weight" && param.shape.size() == 1)) {
      std::ranges::fill(tensor.f32(), 1.0F);
    } else if (kind == "weight") {
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

// --- safetensors --------------------------------------------------------------------------------------------------

std::string to_safetensors(const Weights& weights) {
  // Data from wide to narrow types, then by name: every tensor is aligned to its element, as the reference writer does.
  std::vector<const std::pair<const std::string, Tensor>*> order;
  for (const auto& entry : weights.tensors) {
    const auto& [name, tensor] = entry;
    if (name == kMetadata) throw core::Error(std::string("weights: a tensor cannot be called ") + kMetadata);
    if (byte_count(tensor.dtype, tensor.shape) != static_cast<int64_t>(tensor.data.size())) {
      throw core::Error("weights: " + shown(name) + " holds " + std::to_string(tensor.data.size()) +
                        " bytes, which do not fill shape " + shape_text(tensor.shape));
    }
    order.push_back(&entry);
  }
  std::ranges::stable_sort(
      order, [](const auto* a, const auto* b) { return dtype_bytes(a->second.dtype) > dtype_bytes(b->second.dtype); });

  std::string header = "{";
  size_t offset = 0;
  try {
    if (!weights.metadata.empty()) header += json(kMetadata).dump() + ":" + json(weights.metadata).dump();
    for (const auto* entry : order) {
      const auto& [name, tensor] = *entry;
      header += (header.size() > 1 ? "," : "") + json(name).dump() + ":{\"dtype\":\"" + to_string(tensor.dtype) +
                "\",\"shape\":" + json(tensor.shape).dump() + ",\"data_offsets\":[" + std::to_string(offset) + "," +
                std::to_string(offset + tensor.data.size()) + "]}";
      offset += tensor.data.size();
    }
  } catch (const json::exception&) {
    throw core::Error("weights: a tensor name or metadata text is not UTF-8");
  }
  header += "}";
  header.resize((header.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  if (header.size() > kMaxHeaderBytes) throw core::Error("weights: header exceeds 100 MB; expected fewer tensors");

  std::string bytes(8, '\0');
  const uint64_t length = header.size();
  std::memcpy(bytes.data(), &length, 8);
  bytes.reserve(8 + header.size() + offset);
  bytes += header;
  for (const auto* entry : order) {
    const auto& data = entry->second.data;
    bytes.append(reinterpret_cast<const char*>(data.data()), data.size());
  }
  return bytes;
}

namespace {

// Reads one file's bytes. Every number in the header is checked before it is used as an offset or a size.
class SafetensorsReader {
 public:
  SafetensorsReader(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  Weights read() {
    const json header = parse_header();
    Weights weights;
    struct Extent {
      uint64_t begin, end;
      const std::string* name;
    };
    std::vector<Extent> extents;
    for (const auto& [key, value] : header.items()) {
      if (key == kMetadata) {
        weights.metadata = read_metadata(value);
        continue;
      }
      auto [tensor, begin] = read_tensor(key, value);
      const uint64_t end = begin + tensor.data.size();
      const auto place = weights.tensors.emplace(key, std::move(tensor)).first;
      extents.push_back({begin, end, &place->first});
    }
    std::ranges::sort(
        extents, [](const Extent& a, const Extent& b) { return std::tie(a.begin, a.end) < std::tie(b.begin, b.end); });
    uint64_t at = 0;
    for (const Extent& extent : extents) {
      if (extent.begin != at) {
        fail("tensor " + shown(*extent.name) + " begins at byte " + std::to_string(extent.begin) +
             " of the data; expected " + std::to_string(at) + ": tensors must neither overlap nor leave holes");
      }
      at = extent.end;
    }
    if (at != data_.size()) {
      fail("tensors cover " + std::to_string(at) + " of " + std::to_string(data_.size()) +
           " bytes of data; expected all");
    }
    return weights;
  }

 private:
  [[noreturn]] void fail(const std::string& message) const { throw core::Error(name_ + ": " + message); }

  json parse_header() {
    if (bytes_.size() < 8) fail("truncated: " + std::to_string(bytes_.size()) + " bytes; expected a safetensors file");
    uint64_t length = 0;
    std::memcpy(&length, bytes_.data(), 8);
    if (length > kMaxHeaderBytes) {
      fail("header of " + std::to_string(length) + " bytes; expected at most 100 MB (is this a safetensors file?)");
    }
    if (length > bytes_.size() - 8) {
      fail("truncated: the header has " + std::to_string(length) + " bytes, " + std::to_string(bytes_.size() - 8) +
           " are there");
    }
    const std::string_view text = bytes_.substr(8, static_cast<size_t>(length));
    data_ = bytes_.substr(8 + static_cast<size_t>(length));
    if (text.empty() || text.front() != '{') fail("the header does not begin with '{'; expected a safetensors file");

    // JSON keeps the last of equal keys; the format forbids them, so they are looked for while parsing. The parser
    // reports the keys of the header with depth 1 and those of a tensor with depth 2.
    std::vector<std::set<std::string>> seen(4);
    const auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
      const auto level = static_cast<size_t>(std::max(depth, 0));
      if (level >= seen.size()) fail("the header nests too deep; expected tensors by name");
      if (event == json::parse_event_t::object_start) {
        if (level + 1 < seen.size()) seen[level + 1].clear();
      } else if (event == json::parse_event_t::key) {
        const auto& key = parsed.get_ref<const std::string&>();
        if (!seen[level].insert(key).second) fail("name " + shown(key) + " appears twice in the header");
      }
      return true;
    };
    try {
      json header = json::parse(text.begin(), text.end(), watch);
      if (!header.is_object()) fail("the header is not a JSON object");
      return header;
    } catch (const json::parse_error& error) {
      fail("the header is not valid JSON in UTF-8, near byte " + std::to_string(error.byte) + " of it");
    } catch (const json::exception&) {
      fail("the header is not valid JSON");
    }
  }

  std::map<std::string, std::string> read_metadata(const json& value) const {
    if (!value.is_object()) fail("__metadata__ is not a map of texts");
    std::map<std::string, std::string> metadata;
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) fail("__metadata__." + shown(key) + " is not a text");
      metadata[key] = text.get<std::string>();
    }
    return metadata;
  }

  DType read_type(const std::string& tensor, const json& value) const {
    if (!value.is_string()) fail("tensor " + shown(tensor) + ": dtype is not a text");
    const auto& text = value.get_ref<const std::string&>();
    for (DType type : kAllTypes) {
      if (text == to_string(type)) return type;
    }
    fail("tensor " + shown(tensor) + " has type " + shown(text) + "; expected F32, I8, I32, I64 or U8");
  }

  // A list of non-negative integers.
  std::vector<int64_t> read_numbers(const std::string& tensor, const char* what, const json& value) const {
    const auto bad = [&] {
      fail("tensor " + shown(tensor) + ": " + what + " is not a list of integers from 0 to 2^63 - 1");
    };
    if (!value.is_array()) bad();
    std::vector<int64_t> numbers;
    for (const json& item : value) {
      if (!item.is_number_unsigned()) bad();
      const auto number = item.get<uint64_t>();
      if (number > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) bad();
      numbers.push_back(static_cast<int64_t>(number));
    }
    return numbers;
  }

  std::pair<Tensor, uint64_t> read_tensor(const std::string& name, const json& entry) const {
    if (!entry.is_object() || entry.size() != 3 || !entry.contains("dtype") || !entry.contains("shape") ||
        !entry.contains("data_offsets")) {
      fail("tensor " + shown(name) + " must have dtype, shape and data_offsets, nothing else");
    }
    Tensor tensor;
    tensor.dtype = read_type(name, entry.at("dtype"));
    tensor.shape = read_numbers(name, "shape", entry.at("shape"));
    const auto offsets = read_numbers(name, "data_offsets", entry.at("data_offsets"));
    if (offsets.size() != 2 || offsets[0] > offsets[1]) {
      fail("tensor " + shown(name) + ": data_offsets must be [begin, end] with begin <= end");
    }
    const auto begin = static_cast<uint64_t>(offsets[0]), end = static_cast<uint64_t>(offsets[1]);
    if (end > data_.size()) {
      fail("tensor " + shown(name) + " ends at byte " + std::to_string(end) + " of the data, which has " +
           std::to_string(data_.size()) + " (truncated?)");
    }
    const auto bytes = byte_count(tensor.dtype, tensor.shape);
    if (!bytes || static_cast<uint64_t>(*bytes) != end - begin) {
      fail("tensor " + shown(name) + " of type " + to_string(tensor.dtype) + " and " +
           std::to_string(tensor.shape.size()) + " dimensions does not fill its " + std::to_string(end - begin) +
           " bytes");
    }
    const auto* source = reinterpret_cast<const std::byte*>(data_.data());
    tensor.data.assign(source + begin, source + end);
    return {std::move(tensor), begin};
  }

  std::string_view bytes_, data_;
  const std::string& name_;
};

}  // namespace

Weights from_safetensors(std::string_view bytes, const std::string& name) {
  return SafetensorsReader(bytes, name).read();
}

void save_weights(const std::filesystem::path& path, const Weights& weights) {
  core::write_atomic(path, to_safetensors(weights));
}

Weights load_weights(const std::filesystem::path& path) {
  return from_safetensors(core::read_file(path), path.string());
}

}  // namespace condenser::arch
