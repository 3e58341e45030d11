// The safetensors form of Weights (https://github.com/huggingface/safetensors, "Format"): deterministic writer, checked
// reader. Whole-file reads and atomic writes are core/files'.

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <tuple>
#include <unordered_set>

#include "arch/tensor_shape.hpp"
#include "condenser/arch/weights.hpp"
#include "condenser/core/error.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/seal.hpp"

namespace condenser::arch {
namespace {

// Tensors are kept in the file's byte order, so that reading and writing are copies.
static_assert(std::endian::native == std::endian::little);

using nlohmann::json;

constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the limit of the format's reference reader
constexpr size_t kAlignment = 8;
constexpr const char* kMetadata = "__metadata__";
constexpr const char* kChecksum = "condenser_checksum";
constexpr std::string_view kChecksumLabel = "\"condenser_checksum\":\"";
constexpr DType kAllTypes[] = {DType::F32, DType::I8, DType::I32, DType::I64, DType::U8};

// A name from a foreign file as it may stand in a message: quoted, ASCII, not endless.
std::string shown(const std::string& name) {
  std::string text = json(name).dump(-1, ' ', true, json::error_handler_t::replace);
  if (text.size() > 100) text = text.substr(0, 96) + "...\"";
  return text;
}

}  // namespace

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

// Looks for keys that appear twice in the header (depth 1) or in one tensor (depth 2).
struct RepeatedKeys : json::json_sax_t {
  std::string fault;

  bool start_object(size_t) override {
    if (open_.size() == kDeepest) return stop("the header nests too deep; expected tensors by name");
    open_.emplace_back();
    return true;
  }
  bool end_object() override {
    open_.pop_back();
    return true;
  }
  bool key(std::string& name) override {
    return open_.back().insert(name).second || stop("name " + shown(name) + " appears twice in the header");
  }
  bool parse_error(size_t position, const std::string&, const json::exception&) override {
    return stop("the header is not valid JSON in UTF-8, near byte " + std::to_string(position) + " of it");
  }
  bool start_array(size_t) override {
    if (++arrays_ > kDeepest) return stop("the header nests too deep; expected tensors by name");
    return true;
  }
  bool end_array() override {
    --arrays_;
    return true;
  }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(json::number_integer_t) override { return true; }
  bool number_unsigned(json::number_unsigned_t) override { return true; }
  bool number_float(json::number_float_t, const std::string&) override { return true; }
  bool string(std::string&) override { return true; }
  bool binary(json::binary_t&) override { return true; }

 private:
  static constexpr size_t kDeepest = 3;
  bool stop(const std::string& message) {
    fault = message;
    return false;
  }
  std::vector<std::unordered_set<std::string>> open_;
  size_t arrays_ = 0;
};

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

    // JSON keeps the last of equal keys; the format forbids them. A pass of its own: the parser's callback would search
    // all siblings at the end of every object.
    RepeatedKeys keys;
    if (!json::sax_parse(text.begin(), text.end(), &keys)) fail(keys.fault);
    try {
      json header = json::parse(text.begin(), text.end());
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

std::string save_weights(const std::filesystem::path& path, const Weights& weights) {
  Weights with_place = weights;
  with_place.metadata[kChecksum] = core::kUnsealed;
  const std::string bytes = core::sealed(to_safetensors(with_place), kChecksumLabel);
  core::write_atomic(path, bytes);
  return core::look_at_seal(bytes, kChecksumLabel).digits;
}

WeightsFile load_weights_file(const std::filesystem::path& path) {
  const std::string bytes = core::read_file(path);
  const core::Seal seal = core::look_at_seal(bytes, kChecksumLabel);
  if (seal.state == core::SealState::Broken)
    throw core::Error(path.string() + ": damaged: its checksum is not that of its bytes; expected the file as it was " +
                      "written. Copy it again, or make it anew");
  WeightsFile file{from_safetensors(bytes, path.string()), seal.digits};
  file.weights.metadata.erase(kChecksum);
  return file;
}

Weights load_weights(const std::filesystem::path& path) { return load_weights_file(path).weights; }

}  // namespace condenser::arch
