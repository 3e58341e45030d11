// Plain data to FlatBuffers.
#include "exporters/tflite_file.hpp"

#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <map>

#include "condenser/core/error.hpp"

namespace condenser::exporters::tflite_file {
namespace {

namespace format = core::tflite;
using flatbuffers::Offset;
using flatbuffers::Table;

constexpr size_t kAlignment = 16;  // of constants, as kernels read them

flatbuffers::voffset_t place(size_t field) {
  return static_cast<flatbuffers::voffset_t>(4 + 2 * field);  // behind two sizes
}

class Writer {
 public:
  std::string run(const Model& model) {
    builder_.ForceDefaults(true);
    std::vector<Offset<Table>> buffers{buffer("")}, tensors, operators;  // buffer 0 is that of values
    for (const Tensor& row : model.tensors) {
      uint32_t at = 0;
      if (!row.data.empty()) {
        at = static_cast<uint32_t>(buffers.size());
        buffers.push_back(buffer(row.data));
      }
      tensors.push_back(tensor(row, at));
    }
    for (const Operator& row : model.operators) operators.push_back(op(row));
    std::vector<Offset<Table>> codes;
    for (const format::Operator* known : codes_) codes.push_back(code(*known));
    const auto graphs = builder_.CreateVector(std::vector{subgraph(model, tensors, operators)});
    const auto all_codes = builder_.CreateVector(codes), all_buffers = builder_.CreateVector(buffers);
    const auto description = builder_.CreateString(model.description);
    const auto start = builder_.StartTable();
    builder_.AddElement<uint32_t>(place(format::ModelTable::kVersion), format::kVersion, 0);
    builder_.AddOffset(place(format::ModelTable::kOperatorCodes), all_codes);
    builder_.AddOffset(place(format::ModelTable::kSubgraphs), graphs);
    builder_.AddOffset(place(format::ModelTable::kDescription), description);
    builder_.AddOffset(place(format::ModelTable::kBuffers), all_buffers);
    builder_.Finish(end(start), format::kIdentifier);
    return {reinterpret_cast<const char*>(builder_.GetBufferPointer()), builder_.GetSize()};
  }

 private:
  Offset<Table> end(flatbuffers::uoffset_t start) { return Offset<Table>(builder_.EndTable(start)); }

  Offset<Table> buffer(const std::string& data) {
    Offset<flatbuffers::Vector<uint8_t>> bytes;
    if (!data.empty()) {
      builder_.ForceVectorAlignment(data.size(), 1, kAlignment);
      bytes = builder_.CreateVector(reinterpret_cast<const uint8_t*>(data.data()), data.size());
    }
    const auto start = builder_.StartTable();
    if (!data.empty()) builder_.AddOffset(place(format::BufferTable::kData), bytes);
    return end(start);
  }

  Offset<Table> quantization(const Tensor& row) {
    const auto scales = builder_.CreateVector(row.scales);
    const auto zero_points = builder_.CreateVector(row.zero_points);
    const auto start = builder_.StartTable();
    builder_.AddOffset(place(format::QuantizationTable::kScale), scales);
    builder_.AddOffset(place(format::QuantizationTable::kZeroPoint), zero_points);
    builder_.AddElement<int32_t>(place(format::QuantizationTable::kDimension), row.axis, 0);
    return end(start);
  }

  Offset<Table> tensor(const Tensor& row, uint32_t buffer) {
    const auto shape = builder_.CreateVector(row.shape);
    const auto name = builder_.CreateString(row.name);
    Offset<Table> scales;
    if (!row.scales.empty()) scales = quantization(row);
    const auto start = builder_.StartTable();
    builder_.AddOffset(place(format::TensorTable::kShape), shape);
    builder_.AddElement<int8_t>(place(format::TensorTable::kType), static_cast<int8_t>(row.type), 0);
    builder_.AddElement<uint32_t>(place(format::TensorTable::kBuffer), buffer, 0);
    builder_.AddOffset(place(format::TensorTable::kName), name);
    if (!row.scales.empty()) builder_.AddOffset(place(format::TensorTable::kQuantization), scales);
    return end(start);
  }

  uint32_t code_of(const format::Operator& known) {
    const auto found = std::ranges::find(codes_, &known);
    const auto at = static_cast<uint32_t>(found - codes_.begin());
    if (found == codes_.end()) codes_.push_back(&known);
    return at;
  }

  Offset<Table> code(const format::Operator& known) {
    const auto start = builder_.StartTable();
    builder_.AddElement<int8_t>(place(format::OperatorCodeTable::kOldCode),
                                static_cast<int8_t>(std::min(known.code, format::kPlaceholder)), 0);
    builder_.AddElement<int32_t>(place(format::OperatorCodeTable::kVersion), known.version, 0);
    builder_.AddElement<int32_t>(place(format::OperatorCodeTable::kCode), known.code, 0);
    return end(start);
  }

  Offset<Table> options(const format::Operator& known, const Operator& row) {
    const auto value = [&](const char* name) {
      const auto found =
          std::ranges::find_if(row.options, [&](const auto& entry) { return std::string_view(entry.first) == name; });
      return found == row.options.end() ? 0.0 : found->second;
    };
    const auto start = builder_.StartTable();
    for (size_t k = 0; k < known.fields.size(); ++k) {
      const format::Field& field = known.fields[k];
      switch (field.kind) {
        case format::Kind::Byte:
          builder_.AddElement<int8_t>(place(k), static_cast<int8_t>(value(field.name)), 0);
          break;
        case format::Kind::Int:
          builder_.AddElement<int32_t>(place(k), static_cast<int32_t>(value(field.name)), 0);
          break;
        case format::Kind::Float: builder_.AddElement<float>(place(k), static_cast<float>(value(field.name)), 0); break;
        case format::Kind::Ints: break;  // tensors say it
      }
    }
    return end(start);
  }

  Offset<Table> op(const Operator& row) {
    const format::Operator* known = format::find_operator(row.name);
    if (known == nullptr) throw core::Error(std::string("no operator of TensorFlow Lite is called ") + row.name);
    const uint32_t code = code_of(*known);
    const auto inputs = builder_.CreateVector(row.inputs), outputs = builder_.CreateVector(row.outputs);
    Offset<Table> table;
    if (known->options != 0) table = options(*known, row);
    const auto start = builder_.StartTable();
    builder_.AddElement<uint32_t>(place(format::OperatorTable::kCode), code, 0);
    builder_.AddOffset(place(format::OperatorTable::kInputs), inputs);
    builder_.AddOffset(place(format::OperatorTable::kOutputs), outputs);
    if (known->options != 0) {
      builder_.AddElement<uint8_t>(place(format::OperatorTable::kOptionsType), static_cast<uint8_t>(known->options), 0);
      builder_.AddOffset(place(format::OperatorTable::kOptions), table);
    }
    return end(start);
  }

  Offset<Table> subgraph(const Model& model, const std::vector<Offset<Table>>& tensors,
                         const std::vector<Offset<Table>>& operators) {
    const auto all_tensors = builder_.CreateVector(tensors), all_operators = builder_.CreateVector(operators);
    const auto inputs = builder_.CreateVector(model.inputs), outputs = builder_.CreateVector(model.outputs);
    const auto name = builder_.CreateString("main");
    const auto start = builder_.StartTable();
    builder_.AddOffset(place(format::SubgraphTable::kTensors), all_tensors);
    builder_.AddOffset(place(format::SubgraphTable::kInputs), inputs);
    builder_.AddOffset(place(format::SubgraphTable::kOutputs), outputs);
    builder_.AddOffset(place(format::SubgraphTable::kOperators), all_operators);
    builder_.AddOffset(place(format::SubgraphTable::kName), name);
    return end(start);
  }

  flatbuffers::FlatBufferBuilder builder_;
  std::vector<const format::Operator*> codes_;  // those that are used, in the order of their use
};

}  // namespace

std::string to_bytes(const Model& model) { return Writer().run(model); }

}  // namespace condenser::exporters::tflite_file
