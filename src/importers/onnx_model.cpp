// protobuf to plain data. Every size is compared with the bytes that are there before anything is allocated.
#include "importers/onnx_model.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/logging.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <set>

#include "condenser/arch/spec.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/text.hpp"

namespace condenser::importers::onnx_file {
namespace {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little, "raw tensors are little-endian");

constexpr size_t kMostNodes = 100'000;
constexpr int64_t kOldestOpset = 7, kNewestOpset = 26;  // 7 brought the broadcasting of today

std::string named(const std::string& text) { return "'" + core::printable(text.substr(0, 200)) + "'"; }

std::string type_name(int type) {
  const std::string name = onnx::TensorProto_DataType_Name(static_cast<onnx::TensorProto_DataType>(type));
  return name.empty() ? "type " + std::to_string(type) : name;
}

Kind kind_of(int type) {
  switch (type) {
    case onnx::TensorProto::FLOAT:
    case onnx::TensorProto::DOUBLE: return Kind::Float;
    case onnx::TensorProto::INT8: return Kind::Int8;
    case onnx::TensorProto::UINT8: return Kind::Uint8;
    case onnx::TensorProto::INT32: return Kind::Int32;
    case onnx::TensorProto::INT64: return Kind::Int64;
    default: return Kind::Other;
  }
}

class Reader {
 public:
  Reader(std::string name, fs::path folder) : name_(std::move(name)), folder_(std::move(folder)) {}

  Model model(const onnx::ModelProto& proto) const {
    Model model;
    model.opset = opset(proto);
    const onnx::GraphProto& graph = proto.graph();
    if (std::cmp_greater(graph.node_size(), kMostNodes))
      fail("has " + std::to_string(graph.node_size()) + " nodes; expected at most " + std::to_string(kMostNodes));
    if (proto.functions_size() > 0)
      fail("defines functions of its own (" + named(proto.functions(0).name()) +
           "); expected operators of ONNX only: export it with functions inlined");
    if (graph.sparse_initializer_size() > 0) fail("holds sparse tensors; expected dense ones");
    for (const onnx::TensorProto& tensor : graph.initializer())
      if (!model.constants.try_emplace(tensor.name(), array(tensor, "tensor " + named(tensor.name()))).second)
        fail("holds two tensors of the name " + named(tensor.name()));
    for (const onnx::NodeProto& node : graph.node()) model.nodes.push_back(this->node(node));
    for (const onnx::ValueInfoProto& info : graph.input())  // files of old versions list initializers here too
      if (!model.constants.contains(info.name())) model.inputs.push_back(value(info));
    for (const onnx::ValueInfoProto& info : graph.output()) model.outputs.push_back(value(info));
    return model;
  }

  [[noreturn]] void fail(const std::string& what) const { throw core::Error(name_ + ": " + what); }

 private:
  int64_t opset(const onnx::ModelProto& proto) const {
    if (!proto.has_graph() || proto.graph().node_size() == 0) fail("holds no network; expected an ONNX model");
    int64_t version = 0;
    for (const onnx::OperatorSetIdProto& set : proto.opset_import())
      if (set.domain().empty() || set.domain() == "ai.onnx") version = set.version();
    if (version < kOldestOpset || version > kNewestOpset)
      fail("is written in opset " + std::to_string(version) + " of ONNX; expected " + std::to_string(kOldestOpset) +
           ".." + std::to_string(kNewestOpset) + ", whose operators are known here. Export it with opset 17");
    return version;
  }

  Node node(const onnx::NodeProto& proto) const {
    Node node{proto.name(), proto.op_type(), proto.domain(), {}, {}, {}, ""};
    node.inputs.assign(proto.input().begin(), proto.input().end());
    node.outputs.assign(proto.output().begin(), proto.output().end());
    for (const onnx::AttributeProto& attribute : proto.attribute())
      node.attributes.insert_or_assign(attribute.name(), this->attribute(attribute, node));
    return node;
  }

  Attribute attribute(const onnx::AttributeProto& proto, const Node& node) const {
    Attribute result;
    switch (proto.type()) {
      case onnx::AttributeProto::INT: result.integer = proto.i(); break;
      case onnx::AttributeProto::FLOAT: result.number = proto.f(); break;
      case onnx::AttributeProto::STRING: result.text = proto.s(); break;
      case onnx::AttributeProto::INTS: result.integers.assign(proto.ints().begin(), proto.ints().end()); break;
      case onnx::AttributeProto::FLOATS: result.numbers.assign(proto.floats().begin(), proto.floats().end()); break;
      case onnx::AttributeProto::TENSOR:
        result.array = array(proto.t(), node.shown() + ": attribute " + named(proto.name()));
        break;
      default: result.has_graph = true; break;  // whoever asks for such an attribute does not find it
    }
    return result;
  }

  Value value(const onnx::ValueInfoProto& info) const {
    Value value{info.name(), "no tensor", false, {}};
    if (!info.type().has_tensor_type()) return value;
    const auto& tensor = info.type().tensor_type();
    value.type = type_name(tensor.elem_type());
    value.has_shape = tensor.has_shape();
    for (const auto& dim : tensor.shape().dim())
      value.dims.push_back(dim.has_dim_value() && dim.dim_value() >= 0 ? dim.dim_value() : kAnySize);
    return value;
  }

  Array array(const onnx::TensorProto& proto, const std::string& where) const {
    Array array;
    array.kind = kind_of(proto.data_type());
    int64_t count = 1;
    for (const int64_t extent : proto.dims()) {
      if (extent < 0 || __builtin_mul_overflow(count, extent, &count) || count > arch::kMaxElements)
        fail(where + ": extent " + std::to_string(extent) + "; expected at most " + std::to_string(arch::kMaxElements) +
             " values");
      array.dims.push_back(extent);
    }
    if (array.kind == Kind::Other) return array;  // refused where it is used; its type is all that is known of it
    if (proto.data_location() == onnx::TensorProto::EXTERNAL) {
      raw(external(proto, where), proto.data_type(), count, array, where);
    } else if (proto.has_raw_data()) {
      raw(proto.raw_data(), proto.data_type(), count, array, where);
    } else {
      typed(proto, count, array, where);
    }
    return array;
  }

  void expect(int64_t found, int64_t count, const char* what, const std::string& where) const {
    if (found != count)
      fail(where + ": " + std::to_string(found) + " " + what + "; its shape needs " + std::to_string(count));
  }

  template <class T, class Out>
  void copy(std::string_view bytes, int64_t count, std::vector<Out>& out, const std::string& where) const {
    expect(static_cast<int64_t>(bytes.size()), count * static_cast<int64_t>(sizeof(T)), "bytes", where);
    out.resize(static_cast<size_t>(count));
    for (size_t i = 0; i < out.size(); ++i) {
      T value;
      std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
      out[i] = static_cast<Out>(value);
    }
  }

  void raw(std::string_view bytes, int type, int64_t count, Array& array, const std::string& where) const {
    switch (type) {
      case onnx::TensorProto::FLOAT: return copy<float>(bytes, count, array.floats, where);
      case onnx::TensorProto::DOUBLE: return copy<double>(bytes, count, array.floats, where);
      case onnx::TensorProto::INT8: return copy<int8_t>(bytes, count, array.integers, where);
      case onnx::TensorProto::UINT8: return copy<uint8_t>(bytes, count, array.integers, where);
      case onnx::TensorProto::INT32: return copy<int32_t>(bytes, count, array.integers, where);
      default: return copy<int64_t>(bytes, count, array.integers, where);
    }
  }

  void typed(const onnx::TensorProto& proto, int64_t count, Array& array, const std::string& where) const {
    const auto take = [&](const auto& values, auto& out) {
      expect(values.size(), count, "values", where);
      out.assign(values.begin(), values.end());
    };
    switch (proto.data_type()) {
      case onnx::TensorProto::FLOAT: return take(proto.float_data(), array.floats);
      case onnx::TensorProto::DOUBLE: return take(proto.double_data(), array.floats);
      case onnx::TensorProto::INT64: return take(proto.int64_data(), array.integers);
      default: return take(proto.int32_data(), array.integers);
    }
  }

  // A tensor in a file of its own, which has to lie in the folder of the model.
  std::string external(const onnx::TensorProto& proto, const std::string& where) const {
    std::string location, offset = "0", length;
    for (const auto& entry : proto.external_data()) {
      if (entry.key() == "location") location = entry.value();
      if (entry.key() == "offset") offset = entry.value();
      if (entry.key() == "length") length = entry.value();
    }
    const fs::path relative = fs::path(location).lexically_normal();
    if (location.empty() || relative.is_absolute() || *relative.begin() == ".." || folder_.empty())
      fail(where + ": its values lie in file " + named(location) + "; expected one in the folder of the model");
    const std::string& bytes = file(folder_ / relative);
    const auto number = [&](const std::string& text) {
      if (text.empty() || text.size() > 18 || !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }))
        fail(where + ": place " + named(text) + " in file " + named(location) + "; expected a number of bytes");
      return static_cast<size_t>(std::stoull(text));
    };
    const size_t begin = number(offset);
    if (begin > bytes.size()) fail(where + ": begins behind the end of file " + named(location));
    const size_t count = length.empty() ? bytes.size() - begin : number(length);
    if (count > bytes.size() - begin) fail(where + ": ends behind the end of file " + named(location));
    return bytes.substr(begin, count);
  }

  const std::string& file(const fs::path& path) const {
    if (path_ != path) {
      bytes_ = core::read_file(path);
      path_ = path;
    }
    return bytes_;
  }

  std::string name_;
  fs::path folder_;
  mutable fs::path path_;  // the file that was read last: mostly there is one
  mutable std::string bytes_;
};

}  // namespace

std::string Node::shown() const {
  return "node " + named(!name.empty() || outputs.empty() ? name : outputs[0]) + " (" +
         core::printable((origin.empty() ? op : origin).substr(0, 60)) + ")";
}

Model read(std::string_view bytes, const std::string& name, const fs::path& folder) {
  const Reader reader(name, folder);
  onnx::ModelProto proto;
  google::protobuf::LogSilencer quiet;
  google::protobuf::io::ArrayInputStream stream(bytes.data(),
                                                static_cast<int>(std::min<size_t>(bytes.size(), INT32_MAX)));
  google::protobuf::io::CodedInputStream coded(&stream);
  if (std::cmp_greater(bytes.size(), INT32_MAX) || !proto.ParseFromCodedStream(&coded) ||
      !coded.ConsumedEntireMessage())
    reader.fail("no ONNX model, or a damaged one");
  return reader.model(proto);
}

}  // namespace condenser::importers::onnx_file
