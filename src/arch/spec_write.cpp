// Writes Spec files, primitives only: JSON says everything, YAML leaves out defaults and shortens sizes. Reading is in
// spec_io.cpp.

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "arch/spec_file.hpp"
#include "condenser/arch/spec_io.hpp"
#include "condenser/core/files.hpp"

namespace condenser::arch {
namespace {

using Json = nlohmann::ordered_json;

enum class Form { Json, Yaml };  // JSON says everything; YAML leaves out defaults and shortens sizes

Json size_json(const Size& s, Form form) {
  if (form == Form::Yaml && s.h == s.w) return s.h;
  return Json::array({s.h, s.w});
}

Json pad_json(const Pad& p, Form form) {
  if (form == Form::Json || p.top != p.bottom || p.left != p.right) {
    return Json::array({p.top, p.bottom, p.left, p.right});
  }
  return p.top == p.left ? Json(p.top) : Json::array({p.top, p.left});
}

class Attributes {
 public:
  Attributes(Json& node, Form form) : node_(node), form_(form) {}

  // Adds a key unless it says the default and the form leaves defaults out.
  template <class T>
  void add(const char* key, const T& value, const T& fallback) {
    if (form_ == Form::Json || !(value == fallback)) node_[key] = value;
  }
  template <class Window>
  void add_window(const Window& w) {
    node_["kernel"] = size_json(w.kernel, form_);
    node_["stride"] = size_json(w.stride, form_);
    if (form_ == Form::Json || !(w.pad == Pad{})) node_["pad"] = pad_json(w.pad, form_);
  }
  template <class Op>
  void add_softmax(const Op& op) {
    add<std::string>("axis", to_string(op.axis), to_string(Op{}.axis));
    add("rescale", op.rescale, Op{}.rescale);
  }
  // Younger than files: written where it is not the usual one, in both forms.
  void add_weight_bits(int bits) {
    if (bits != 8) node_["weight_bits"] = bits;
  }
  void add_clamp(Clamp clamp) { add<std::string>("clamp", to_string(clamp), to_string(Clamp::None)); }

 private:
  Json& node_;
  Form form_;
};

void write_attributes(Json& node, const Op& kind, Form form) {
  Attributes a(node, form);
  arch::visit(kind, Overloaded{
                        [&](const Conv2d& op) {
                          node["out"] = op.out;
                          a.add_window(op);
                          a.add("groups", op.groups, 1);
                          a.add("bias", op.bias, Conv2d{}.bias);
                          a.add_clamp(op.clamp);
                          a.add_weight_bits(op.weight_bits);
                        },
                        [&](const BatchNorm& op) {
                          a.add("eps", op.eps, BatchNorm{}.eps);
                          a.add("momentum", op.momentum, BatchNorm{}.momentum);
                        },
                        [&](const Activation& op) { node["kind"] = to_string(op.kind); },
                        [&](const AvgPool& op) {
                          a.add_window(op);
                          a.add("count_include_pad", op.count_include_pad, AvgPool{}.count_include_pad);
                        },
                        [&](const MaxPool& op) { a.add_window(op); },
                        [&](const Linear& op) {
                          node["out"] = op.out;
                          a.add("bias", op.bias, Linear{}.bias);
                          a.add_clamp(op.clamp);
                          a.add_weight_bits(op.weight_bits);
                        },
                        [&](const Add& op) { a.add_clamp(op.clamp); },
                        [](const Input&) {},
                        [&](const Softmax& op) { a.add_softmax(op); },
                        [&](const SoftmaxMul& op) {
                          a.add_softmax(op);
                          a.add_clamp(op.clamp);
                        },
                        [](const GlobalAvgPool&) {},
                        [](const Mul&) {},
                        [](const PRelu&) {},
                        [](const Scale&) {},
                        [&](const BlurPool& op) {
                          node["taps"] = op.taps;
                          node["stride"] = size_json(op.stride, form);
                        },
                        [&](const Upsample& op) { node["size"] = size_json(op.size, form); },
                        [](const Concat&) {},
                        [&](const Slice& op) {
                          node["begin"] = op.begin;
                          node["count"] = op.count;
                        },
                        [&](const ChannelShuffle& op) { node["groups"] = op.groups; },
                    });
}

// The file's node i, or nothing for an input of the usual name.
std::optional<Json> node_json(const Spec& spec, size_t i, Form form) {
  const Node& node = spec.nodes[i];
  if (i == 0 && node.name == "input") return std::nullopt;
  Json json;
  json["name"] = node.name;
  json["op"] = op_name(node.op);
  std::vector<std::string> inputs;
  for (int input : node.inputs) inputs.push_back(spec.node(input).name);
  const bool single = form == Form::Yaml && inputs.size() == 1;
  if (single && node.inputs[0] != static_cast<int>(i) - 1) json["input"] = inputs[0];
  if (!single && !inputs.empty()) json["inputs"] = inputs;
  write_attributes(json, node.op, form);
  return json;
}

// Plain where no reader of YAML could take the word for something else.
std::string yaml_word(const std::string& text) {
  static const char* const kReserved[] = {"null", "true", "false", "yes", "no", "on", "off", "y", "n", "inf", "nan"};
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  bool plain = !text.empty() && letter(text[0]);
  for (char c : text) plain = plain && (letter(c) || (c >= '0' && c <= '9') || c == '_');
  std::string lower = text;
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  for (const char* word : kReserved) plain = plain && lower != word;
  return plain ? text : quoted_text(text);
}

std::string yaml_value(const Json& value) {
  if (value.is_string()) return yaml_word(value.get<std::string>());
  if (!value.is_array()) return value.dump();
  std::string text = "[";
  for (const Json& item : value) text += (text.size() > 1 ? ", " : "") + yaml_value(item);
  return text + "]";
}

std::string yaml_map(const Json& map) {
  std::string text = "{";
  for (const auto& [key, value] : map.items()) text += (text.size() > 1 ? ", " : "") + key + ": " + yaml_value(value);
  return text + "}";
}

// Absent for the last node alone.
std::optional<Json> outputs_json(const Spec& spec) {
  if (!spec.names_outputs()) return std::nullopt;
  Json names = Json::array();
  for (size_t k = 0; k < spec.output_count(); ++k) names.push_back(spec.node(spec.output(k)).name);
  return names;
}

std::string shape_list(const Shape& s) {
  return "[" + std::to_string(s.c) + ", " + std::to_string(s.h) + ", " + std::to_string(s.w) + "]";
}

}  // namespace

// YAML takes some characters beyond ASCII for line breaks or refuses them: those are escaped.
std::string quoted_text(const std::string& text) {
  std::string json;
  try {
    json = nlohmann::json(text).dump();
  } catch (const nlohmann::json::exception&) {
    throw core::Error("a name that is not UTF-8; expected UTF-8");
  }
  const std::pair<const char*, const char*> escapes[] = {
      {"\x7f", "\\u007f"}, {"\u2028", "\\u2028"}, {"\u2029", "\\u2029"}, {"\ufeff", "\\ufeff"}};
  const auto replace = [&](const std::string& from, const std::string& to) {
    for (size_t at = json.find(from); at != std::string::npos; at = json.find(from, at))
      json.replace(at, from.size(), to);
  };
  for (const auto& [from, to] : escapes) replace(from, to);
  for (int code = 0x80; code < 0xa0; ++code) {
    const std::string hex = {"89"[(code >> 4) & 1], "0123456789abcdef"[code & 15]};
    replace({'\xc2', static_cast<char>(code)}, "\\u00" + hex);
  }
  return json;
}

std::string to_json(const Spec& spec) {
  validate(spec);
  std::string text = "{\n  \"condenser_spec\": " + std::to_string(kSpecVersion) +
                     ",\n  \"name\": " + quoted_text(spec.name) + ",\n  \"input\": " + shape_list(spec.input) +
                     ",\n  \"nodes\": [";
  const char* separator = "\n    ";
  for (size_t i = 0; i < spec.nodes.size(); ++i) {
    const auto node = node_json(spec, i, Form::Json);
    if (!node) continue;
    text += separator + node->dump();
    separator = ",\n    ";
  }
  text += "\n  ]";
  if (const auto outputs = outputs_json(spec)) text += ",\n  \"outputs\": " + outputs->dump();
  return text + "\n}\n";
}

std::string to_yaml(const Spec& spec) {
  validate(spec);
  std::string text = "condenser_spec: " + std::to_string(kSpecVersion) + "\nname: " + yaml_word(spec.name) +
                     "\ninput: " + shape_list(spec.input) + "\nnodes:\n";
  for (size_t i = 0; i < spec.nodes.size(); ++i) {
    if (const auto node = node_json(spec, i, Form::Yaml)) text += "  - " + yaml_map(*node) + "\n";
  }
  if (const auto outputs = outputs_json(spec)) text += "outputs: " + yaml_value(*outputs) + "\n";
  return text;
}

void write_spec(const std::filesystem::path& file, const Spec& spec) {
  core::write_atomic(file, is_json_file(file) ? to_json(spec) : to_yaml(spec));
}

}  // namespace condenser::arch
