// FlatBuffers to plain data. Every table, list and text is checked before it is touched, every size compared with the
// bytes that are there before anything is allocated.
#include "importers/tflite_model.hpp"

#include <flatbuffers/flatbuffers.h>

#include <bit>
#include <cstring>
#include <utility>

#include "condenser/arch/spec.hpp"
#include "condenser/core/text.hpp"

namespace condenser::importers::tflite_file {
namespace {

namespace format = core::tflite;
using Kind = format::Kind;

static_assert(std::endian::native == std::endian::little, "tensors are little-endian");

constexpr size_t kMostTensors = 100'000;
constexpr size_t kMostRank = 8;
constexpr size_t kMostReadings = 16;  // of the bytes of a file, on average

std::string named(const std::string& text) { return "'" + core::printable(text.substr(0, 200)) + "'"; }

// The file, and how much may still be taken out of it: lists, texts and tensors may share their place, so that a small
// file could ask for endless memory.
struct Source {
  flatbuffers::Verifier verifier;
  std::string name;
  std::string_view file;
  size_t left;

  [[noreturn]] void fail(const std::string& what) const { throw core::Error(name + ": " + what); }
  void expect(bool fine) const {
    if (!fine) fail("a damaged TensorFlow Lite model: a place in it lies outside of the file");
  }
  void spend(size_t bytes) {
    if (bytes > left) fail("its tables name the same bytes again and again; expected a model as converters write it");
    left -= bytes;
  }
};

// A table whose fields are read by place.
class Fields {
 public:
  Fields(const flatbuffers::Table* table, Source& source) : table_(table), source_(&source) {
    source_->expect(table_ != nullptr && table_->VerifyTableStart(source_->verifier));
    source_->verifier.EndTable();
  }

  bool has(uint16_t place) const { return table_->CheckField(offset(place)); }

  template <class T>
  T number(uint16_t place, T fallback) const {
    source_->expect(table_->VerifyField<T>(source_->verifier, offset(place), sizeof(T)));
    return table_->GetField<T>(offset(place), fallback);
  }

  template <class T, class Out = T>
  std::vector<Out> list(uint16_t place) const {
    const auto* values = checked<flatbuffers::Vector<T>>(place, sizeof(T));
    std::vector<Out> found(values == nullptr ? 0 : values->size());
    for (size_t i = 0; i < found.size(); ++i) {  // which may lie anywhere: only their count is aligned
      T value;
      std::memcpy(&value, values->Data() + i * sizeof(T), sizeof(T));
      found[i] = static_cast<Out>(value);
    }
    return found;
  }

  std::string_view bytes(uint16_t place) const {
    const auto* values = checked<flatbuffers::Vector<uint8_t>>(place, 1);
    if (values == nullptr) return {};
    return {reinterpret_cast<const char*>(values->data()), values->size()};
  }

  std::string text(uint16_t place) const {
    source_->expect(table_->VerifyOffset(source_->verifier, offset(place)));
    const auto* value = table_->GetPointer<const flatbuffers::String*>(offset(place));
    source_->expect(source_->verifier.VerifyString(value));
    if (value == nullptr) return "";
    source_->spend(value->size());
    return value->str();
  }

  Fields table(uint16_t place) const {
    source_->expect(table_->VerifyOffset(source_->verifier, offset(place)));
    return {table_->GetPointer<const flatbuffers::Table*>(offset(place)), *source_};
  }

  std::vector<Fields> tables(uint16_t place) const {
    using Offset = flatbuffers::Offset<flatbuffers::Table>;
    const auto* values = checked<flatbuffers::Vector<Offset>>(place, sizeof(Offset));
    std::vector<Fields> found;
    for (flatbuffers::uoffset_t i = 0; values != nullptr && i < values->size(); ++i)
      found.emplace_back(values->Get(i), *source_);
    return found;
  }

 private:
  static flatbuffers::voffset_t offset(uint16_t place) {
    return static_cast<flatbuffers::voffset_t>(4 + 2 * place);  // behind two sizes
  }

  template <class List>
  const List* checked(uint16_t place, size_t element) const {
    source_->expect(table_->VerifyOffset(source_->verifier, offset(place)));
    const auto* values = table_->GetPointer<const List*>(offset(place));
    source_->expect(source_->verifier.VerifyVector(values));
    if (values != nullptr) source_->spend(values->size() * element);
    return values;
  }

  const flatbuffers::Table* table_;
  Source* source_;
};

class Reader {
 public:
  explicit Reader(Source& source) : source_(source) {}

  Model model(const Fields& root) {
    const auto version = root.number<uint32_t>(format::ModelTable::kVersion, 0);
    if (version != format::kVersion)
      fail("is written in version " + std::to_string(version) + " of TensorFlow Lite's format; expected 3");
    buffers_ = root.tables(format::ModelTable::kBuffers);
    codes_ = root.tables(format::ModelTable::kOperatorCodes);
    const std::vector<Fields> graphs = root.tables(format::ModelTable::kSubgraphs);
    if (graphs.size() != 1)
      fail("has " + std::to_string(graphs.size()) + " subgraphs; expected one, without branches and loops");
    Model model;
    const std::vector<Fields> tensors = graphs[0].tables(format::SubgraphTable::kTensors),
                              operators = graphs[0].tables(format::SubgraphTable::kOperators);
    if (operators.empty()) fail("holds no network; expected a TensorFlow Lite model with operators");
    if (tensors.size() > kMostTensors || operators.size() > kMostTensors)
      fail("has " + std::to_string(tensors.size()) + " tensors and " + std::to_string(operators.size()) +
           " operators; expected at most " + std::to_string(kMostTensors));
    for (const Fields& fields : tensors) model.tensors.push_back(tensor(fields, model.tensors.size()));
    for (const Fields& fields : operators) {
      model.operators.push_back(op(fields, model.operators.size()));
      for (const auto* list : {&model.operators.back().inputs, &model.operators.back().outputs})
        check_places(*list, model.tensors.size(), list == &model.operators.back().inputs ? -1 : 0,
                     "operator " + std::to_string(model.operators.size() - 1) + " (" +
                         core::printable(model.operators.back().name) + ")");
    }
    model.inputs = graphs[0].list<int32_t, int>(format::SubgraphTable::kInputs);
    model.outputs = graphs[0].list<int32_t, int>(format::SubgraphTable::kOutputs);
    check_places(model.inputs, model.tensors.size(), 0, "the list of inputs");
    check_places(model.outputs, model.tensors.size(), 0, "the list of outputs");
    return model;
  }

 private:
  void check_places(const std::vector<int>& places, size_t size, int least, const std::string& where) const {
    for (const int place : places)
      if (place < least || std::cmp_greater_equal(place, size))
        fail(where + " names tensor " + std::to_string(place) + " of " + std::to_string(size));
  }

  Operator op(const Fields& fields, size_t number) const {
    const auto place = fields.number<uint32_t>(format::OperatorTable::kCode, 0);
    if (place >= codes_.size())
      fail("operator " + std::to_string(number) + " is of kind " + std::to_string(place) + " of " +
           std::to_string(codes_.size()));
    const Fields& row = codes_[place];
    const int old = row.number<int8_t>(format::OperatorCodeTable::kOldCode, 0);
    const int code = std::max(old, row.number<int32_t>(format::OperatorCodeTable::kCode, 0));
    Operator result;
    result.name = format::operator_name(code);
    result.version = row.number<int32_t>(format::OperatorCodeTable::kVersion, 1);
    if (result.name == "CUSTOM") {
      result.custom = true;
      result.name = row.text(format::OperatorCodeTable::kCustomCode).substr(0, 60);
    }
    result.inputs = fields.list<int32_t, int>(format::OperatorTable::kInputs);
    result.outputs = fields.list<int32_t, int>(format::OperatorTable::kOutputs);
    const format::Operator* known = result.custom ? nullptr : format::find_operator(code);
    if (known == nullptr || known->options == 0 || !fields.has(format::OperatorTable::kOptions)) return result;
    const int type = fields.number<uint8_t>(format::OperatorTable::kOptionsType, 0);
    if (type != known->options)
      fail("operator " + std::to_string(number) + " (" + result.name + ") has options of kind " + std::to_string(type) +
           "; expected " + std::to_string(known->options));
    const Fields options = fields.table(format::OperatorTable::kOptions);
    for (uint16_t k = 0; k < known->fields.size(); ++k) {
      const format::Field& field = known->fields[k];
      if (!options.has(k)) continue;
      switch (field.kind) {
        case Kind::Byte: result.options[field.name] = options.number<int8_t>(k, 0); break;
        case Kind::Int: result.options[field.name] = options.number<int32_t>(k, 0); break;
        case Kind::Float: result.options[field.name] = double{options.number<float>(k, 0)}; break;
        case Kind::Ints: result.lists[field.name] = options.list<int32_t, int64_t>(k); break;
      }
    }
    return result;
  }

  Tensor tensor(const Fields& fields, size_t number) const {
    Tensor tensor;
    tensor.name = fields.text(format::TensorTable::kName);
    const std::string where = "tensor " + std::to_string(number) + " " + named(tensor.name);
    tensor.type = fields.number<int8_t>(format::TensorTable::kType, 0);
    tensor.dims = fields.list<int32_t, int64_t>(format::TensorTable::kShape);
    tensor.signature = fields.list<int32_t, int64_t>(format::TensorTable::kShapeSignature);
    tensor.is_variable = fields.number<uint8_t>(format::TensorTable::kIsVariable, 0) != 0;
    int64_t count = 1;
    if (tensor.dims.size() > kMostRank)
      fail(where + ": " + std::to_string(tensor.dims.size()) + " axes; expected at most 8");
    for (const int64_t extent : tensor.dims)
      if (extent < 0 || __builtin_mul_overflow(count, extent, &count) || count > arch::kMaxElements)
        fail(where + ": extent " + std::to_string(extent) + "; expected at most " + std::to_string(arch::kMaxElements) +
             " values");
    if (fields.has(format::TensorTable::kSparsity)) tensor.trouble = "is sparse; expected a dense tensor";
    if (fields.has(format::TensorTable::kQuantization))
      quantization(fields.table(format::TensorTable::kQuantization), tensor);
    content(fields.number<uint32_t>(format::TensorTable::kBuffer, 0), count, tensor, where);
    return tensor;
  }

  static void quantization(const Fields& fields, Tensor& tensor) {
    if (fields.number<uint8_t>(format::QuantizationTable::kDetailsType, 0) != 0)
      tensor.trouble = "is quantized in a custom way; expected scales and zero points";
    tensor.scales = fields.list<float>(format::QuantizationTable::kScale);
    tensor.zero_points = fields.list<int64_t>(format::QuantizationTable::kZeroPoint);
    tensor.axis = fields.number<int32_t>(format::QuantizationTable::kDimension, 0);
  }

  void content(uint32_t place, int64_t count, Tensor& tensor, const std::string& where) const {
    if (place >= buffers_.size()) {
      if (place == 0) return;
      fail(where + ": lies in buffer " + std::to_string(place) + " of " + std::to_string(buffers_.size()));
    }
    const Fields& buffer = buffers_[place];
    const std::string_view bytes = bytes_of(buffer, where);
    tensor.is_constant = !bytes.empty();
    if (bytes.empty() || !tensor.trouble.empty()) return;
    const int64_t size = format::type_bytes(static_cast<format::Type>(tensor.type));
    if (size == 0) return;  // refused where it is read; its type is all that is known of it
    if (std::cmp_not_equal(bytes.size(), count * size))
      fail(where + ": " + std::to_string(bytes.size()) + " bytes; its shape and type need " +
           std::to_string(count * size));
    tensor.bytes = bytes;
  }

  // Inside of the tables, or behind them, where some writers put large ones.
  std::string_view bytes_of(const Fields& buffer, const std::string& where) const {
    const auto offset = buffer.number<uint64_t>(format::BufferTable::kOffset, 0),
               size = buffer.number<uint64_t>(format::BufferTable::kSize, 0);
    if (offset <= 1) return buffer.bytes(format::BufferTable::kData);  // 1 stands for none
    if (offset > source_.file.size() || size > source_.file.size() - offset)
      fail(where + ": lies at " + std::to_string(offset) + " with " + std::to_string(size) + " bytes, in a file of " +
           std::to_string(source_.file.size()));
    source_.spend(size);
    return source_.file.substr(offset, size);
  }

  [[noreturn]] void fail(const std::string& what) const { source_.fail(what); }

  Source& source_;
  std::vector<Fields> buffers_, codes_;
};

}  // namespace

Model read(std::string_view bytes, const std::string& name) {
  std::vector<uint64_t> aligned((bytes.size() + 7) / 8);  // as FlatBuffers reads its numbers
  if (!bytes.empty()) std::memcpy(aligned.data(), bytes.data(), bytes.size());
  const auto* begin = reinterpret_cast<const uint8_t*>(aligned.data());
  Source source{{begin, bytes.size(), 64, 10'000'000}, name, bytes, kMostReadings * bytes.size() + 1'000'000};
  if (bytes.size() < 8 || bytes.substr(4, 4) != format::kIdentifier)
    source.fail("no TensorFlow Lite model; expected one that begins with the mark TFL3");
  if (bytes.size() >= FLATBUFFERS_MAX_BUFFER_SIZE) source.fail("has more than 2 GB");
  source.expect(source.verifier.VerifyOffset(0) != 0);
  const Fields root(flatbuffers::GetRoot<flatbuffers::Table>(begin), source);
  return Reader(source).model(root);
}

}  // namespace condenser::importers::tflite_file
