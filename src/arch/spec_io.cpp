// Reads Spec files: operators and their attributes, YAML or JSON. YAML itself is core/config's; block calls are in
// spec_blocks.cpp; what only the network tells wrong is Builder's. Writing is in spec_write.cpp.

#include "condenser/arch/spec_io.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <utility>

#include "arch/spec_file.hpp"
#include "arch/spec_read.hpp"
#include "condenser/core/text.hpp"

namespace condenser::arch {

using core::ConfigError;
using core::config::Reader;

void require(const Reader& r, const std::string& key, const std::string& expected) {
  if (!r.has(key)) throw r.error(key, expected);
}

int read_integer(Reader& r, const std::string& key, int fallback, int min, int max, const std::string& help) {
  r.integer(key, fallback, min, max, help);
  return fallback;
}

bool read_boolean(Reader& r, const std::string& key, bool fallback, const std::string& help) {
  r.boolean(key, fallback, help);
  return fallback;
}

int read_out(Reader& r) {
  require(r, "out", "the number of output channels");
  return read_integer(r, "out", 1, 1, kMaxChannels, "output channels");
}

std::optional<ActivationKind> read_optional_activation(Reader& r, std::optional<ActivationKind> fallback) {
  std::string word = fallback ? to_string(*fallback) : "none";
  std::vector<std::string> words{"none"};
  for (ActivationKind kind : kActivations) words.push_back(to_string(kind));
  r.choice("activation", word, words, "activation");
  if (word == "none") return std::nullopt;
  return read_enum(r, "activation", ActivationKind::Silu, kActivations, "activation");
}

namespace {

constexpr std::array kClamps = {Clamp::None, Clamp::Relu, Clamp::Relu6};

// One default value of each operator, in the order of the variant.
template <size_t... I>
std::vector<Op> make_operators(std::index_sequence<I...>) {
  return {Op(std::in_place_index<I>)...};
}
const std::vector<Op>& operators() {
  static const std::vector<Op> list = make_operators(std::make_index_sequence<std::variant_size_v<Op>>());
  return list;
}

// One number or a list of them, as the hand writes sizes.
std::vector<int> read_extents(Reader& r, const std::string& key, std::vector<int> fallback, int min, int max,
                              const std::string& expected) {
  try {
    r.integers(key, fallback, min, max, expected);
    return fallback;
  } catch (const ConfigError&) {
  }
  try {
    return {read_integer(r, key, 0, min, max, expected)};
  } catch (const ConfigError&) {
    throw r.error(key, expected + ", each " + std::to_string(min) + ".." + std::to_string(max));
  }
}

Size read_size(Reader& r, const std::string& key, int max) {
  const std::string expected = "one number or [height, width]";
  const std::vector<int> v = read_extents(r, key, {1, 1}, 1, max, expected);
  if (v.size() == 1) return square(v[0]);
  if (v.size() == 2) return {v[0], v[1]};
  throw r.error(key, expected);
}

Pad read_pad(Reader& r) {
  const std::string expected = "one number, [vertical, horizontal] or [top, bottom, left, right]";
  const std::vector<int> v = read_extents(r, "pad", {0}, 0, kMaxWindow, expected);
  if (v.size() == 1) return pad_all(v[0]);
  if (v.size() == 2) return {v[0], v[0], v[1], v[1]};
  if (v.size() == 4) return {v[0], v[1], v[2], v[3]};
  throw r.error("pad", expected);
}

template <class Kind>  // Softmax, SoftmaxMul
Kind read_softmax(Reader& r) {
  Kind op;
  op.axis = read_enum(r, "axis", op.axis, kAxes, "the values that sum to 1");
  op.rescale = read_boolean(r, "rescale", op.rescale, "times the number of terms: mean 1");
  return op;
}

int read_weight_bits(Reader& r) {
  const int bits = read_integer(r, "weight_bits", 8, 4, 8, "of weights in the int8 form");
  if (bits != 8 && bits != 4) throw r.error("weight_bits", "8 or 4");
  return bits;
}

Clamp read_clamp(Reader& r) { return read_enum(r, "clamp", Clamp::None, kClamps, "clamp of the output"); }

template <class Window>
Window read_window(Reader& r) {
  Window w;
  require(r, "kernel", "one number or [height, width]");
  w.kernel = read_size(r, "kernel", kMaxWindow);
  w.stride = read_size(r, "stride", kMaxWindow);
  w.pad = read_pad(r);
  return w;
}

Op read_attributes(Reader& r, const Op& kind) {
  return arch::visit(
      kind, Overloaded{
                [&](Conv2d) -> Op {
                  const int out = read_out(r);
                  auto op = read_window<Conv2d>(r);
                  op.out = out;
                  op.groups = read_integer(r, "groups", op.groups, 1, kMaxChannels, "groups of channels");
                  op.bias = read_boolean(r, "bias", op.bias, "add a bias");
                  op.clamp = read_clamp(r);
                  op.weight_bits = read_weight_bits(r);
                  return op;
                },
                [&](BatchNorm op) -> Op {
                  r.number("eps", op.eps, 0, 1, "added to the variance");
                  r.number("momentum", op.momentum, 0, 1, "weight of a new batch in the running statistics");
                  return op;
                },
                [&](Activation op) -> Op {
                  if (!r.has("kind")) throw r.error("kind", "an activation, such as silu");
                  op.kind = read_enum(r, "kind", op.kind, kActivations, "activation");
                  return op;
                },
                [&](AvgPool) -> Op {
                  require(r, "stride", "one number or [height, width]");
                  auto op = read_window<AvgPool>(r);
                  op.count_include_pad =
                      read_boolean(r, "count_include_pad", op.count_include_pad, "padded zeros count in the divisor");
                  return op;
                },
                [&](MaxPool) -> Op {
                  require(r, "stride", "one number or [height, width]");
                  return read_window<MaxPool>(r);
                },
                [&](Linear op) -> Op {
                  op.out = read_out(r);
                  op.bias = read_boolean(r, "bias", op.bias, "add a bias");
                  op.clamp = read_clamp(r);
                  op.weight_bits = read_weight_bits(r);
                  return op;
                },
                [&](Add op) -> Op {
                  op.clamp = read_clamp(r);
                  return op;
                },
                [](Input op) -> Op { return op; },
                [&](Softmax) -> Op { return read_softmax<Softmax>(r); },
                [&](SoftmaxMul) -> Op {
                  auto op = read_softmax<SoftmaxMul>(r);
                  op.clamp = read_clamp(r);
                  return op;
                },
                [](GlobalAvgPool op) -> Op { return op; },
                [](Mul op) -> Op { return op; },
                [](PRelu op) -> Op { return op; },
                [](Scale op) -> Op { return op; },
                [&](BlurPool op) -> Op {
                  op.taps = read_integer(r, "taps", op.taps, 3, 5, "3 or 5 binomial weights per axis");
                  require(r, "stride", "one number or [height, width]");
                  op.stride = read_size(r, "stride", kMaxWindow);
                  return op;
                },
                [&](Upsample op) -> Op {
                  require(r, "size", "one number or [height, width]");
                  op.size = read_size(r, "size", kMaxExtent);
                  return op;
                },
                [](Concat op) -> Op { return op; },
                [&](Slice op) -> Op {
                  require(r, "begin", "the first channel, counted from 0");
                  op.begin = read_integer(r, "begin", 0, 0, kMaxChannels - 1, "first channel, from 0");
                  require(r, "count", "the number of channels");
                  op.count = read_integer(r, "count", 1, 1, kMaxChannels, "number of channels");
                  return op;
                },
                [&](ChannelShuffle op) -> Op {
                  require(r, "groups", "the number of groups");
                  op.groups = read_integer(r, "groups", op.groups, 1, kMaxChannels, "groups of channels");
                  return op;
                },
            });
}

// The error of a word that is none of `known`.
ConfigError unknown_word(const Reader& r, const std::string& key, const std::string& word,
                         const std::vector<std::string>& known, const std::string& expected) {
  const std::string near = core::config::nearest(word, known);
  return r.error(key, expected + (near.empty() ? "" : "; did you mean " + near + "?"));
}

std::string read_word(Reader& r, const std::string& key, const std::string& help) {
  std::string word;
  r.text(key, word, help);
  return word;
}

class SpecReader {
 public:
  SpecReader(const std::string& name, Shape input) : builder_(name, input) { outputs_["input"] = builder_.input(); }

  void append(Reader& item, bool first) {
    if (item.has("op") == item.has("block")) throw ConfigError(item.where() + ": a node needs either op or block");
    if (item.has("op")) return append_op(item, first);
    append_block(item);
  }

  // `r`: the document.
  void choose_outputs(Reader& r) {
    std::vector<std::string> names;
    r.texts("outputs", names, "nodes or blocks whose values are the result; the last node when absent");
    if (r.has("outputs") && names.empty()) throw r.error("outputs", "at least one node or block");
    for (const std::string& name : names) {
      const int id = find(r, "outputs", name, "names of nodes or blocks");
      if (id == builder_.input()) throw r.error("outputs", "nodes behind the input, not " + name);
      if (std::find(chosen_.begin(), chosen_.end(), id) != chosen_.end())
        throw r.error("outputs", "every output once; " + name + " is named twice");
      chosen_.push_back(id);
    }
  }

  Spec finish() {
    Spec spec = builder_.finish();
    spec.nodes.front().name = input_name_;
    if (!chosen_.empty()) set_outputs(spec, chosen_);
    validate(spec);
    return spec;
  }

 private:
  void append_op(Reader& item, bool first) {
    std::vector<std::string> words;
    for (const Op& op : operators()) words.push_back(op_name(op));
    const std::string word = read_word(item, "op", "operator");
    const Op* kind = nullptr;
    for (const Op& op : operators()) {
      if (word == op_name(op)) kind = &op;
    }
    if (kind == nullptr) throw unknown_word(item, "op", word, words, "one of " + core::join(words));
    require(item, "name", "a name");
    const std::string name = read_word(item, "name", "name of the node");
    if (std::holds_alternative<Input>(*kind)) return name_input(item, name, first);
    const std::vector<int> inputs = read_inputs(item, input_count(*kind));
    Op op = read_attributes(item, *kind);
    item.finish();
    remember(item, name, builder_.add(name, std::move(op), Inputs(inputs)));
  }

  // {name: x, op: input} at the top: for Specs whose input is not called "input".
  void name_input(Reader& item, const std::string& name, bool first) {
    if (!first) throw item.error("op", "another operator: the input is the first node");
    item.finish();
    input_name_ = name;
    outputs_ = {{name, builder_.input()}};
  }

  void append_block(Reader& item) {
    std::vector<std::string> words;
    for (const BlockCall& block : block_calls()) words.push_back(block.name);
    const std::string word = read_word(item, "block", "block");
    for (const BlockCall& block : block_calls()) {
      if (word != block.name) continue;
      const bool own_name = word != "classifier_head";  // its nodes are called gap and fc
      if (own_name) require(item, "name", "a name");
      std::string name = own_name ? "" : "head";
      item.text("name", name, "name of the block's output and first part of its nodes' names");
      const int x = read_inputs(item, 1)[0];
      remember(item, name, block.append(item, builder_, x, name));
      return;
    }
    throw unknown_word(item, "block", word, words, "one of " + core::join(words));
  }

  void remember(const Reader& item, const std::string& name, int output) {
    if (!outputs_.emplace(name, output).second) throw item.error("name", "a name that no node above has");
    previous_ = output;
  }

  std::vector<int> read_inputs(Reader& item, int count) {
    std::vector<std::string> names;
    if (item.has("input") && item.has("inputs")) throw item.error("inputs", "either input or inputs");
    const bool list = !item.has("input");
    if (list) {
      item.texts("inputs", names, "nodes above");
    } else {
      names.push_back(read_word(item, "input", "a node above; the one just above when absent"));
    }
    if (!item.has("input") && !item.has("inputs") && count == 1) return {previous_};
    if (count == kManyInputs ? names.size() < 2 : static_cast<int>(names.size()) != count) {
      throw item.error(list ? "inputs" : "input", count == 1   ? "one node above"
                                                  : count == 2 ? "inputs: [a, b], two nodes above"
                                                               : "inputs: [a, b, ...], two nodes above or more");
    }
    if (names.size() > static_cast<size_t>(kMaxInputs))
      throw item.error("inputs", "at most " + std::to_string(kMaxInputs) + " nodes above; join them in two steps");
    std::vector<int> ids;
    for (const std::string& name : names)
      ids.push_back(find(item, list ? "inputs" : "input", name, "names of nodes or blocks above"));
    return ids;
  }

  int find(const Reader& r, const std::string& key, const std::string& name, const std::string& expected) const {
    const auto found = outputs_.find(name);
    if (found != outputs_.end()) return found->second;
    std::vector<std::string> known;
    for (const auto& [other, id] : outputs_) known.push_back(other);
    throw unknown_word(r, key, name, known, expected);
  }

  Builder builder_;
  std::map<std::string, int> outputs_;  // of nodes and of block calls
  std::vector<int> chosen_;             // outputs of the network; empty: the last node
  std::string input_name_ = "input";
  int previous_ = 0;
};

// Structure is checked by Builder, which knows the node; the reader knows the line.
void at_line(const std::string& where, const std::function<void()>& action) {
  try {
    action();
  } catch (const ConfigError&) {
    throw;  // has a line
  } catch (const core::Error& error) {
    throw ConfigError(where + ": " + error.what());
  }
}

Shape read_input_shape(Reader& r) {
  const std::string expected = "[channels, height, width]";
  require(r, "input", expected);
  std::vector<int> v;
  r.integers("input", v, 1, kMaxExtent, expected);
  if (v.size() != 3) throw r.error("input", expected);
  return {v[0], v[1], v[2]};
}

Spec read_document(Reader r) {
  const std::string versions = std::to_string(kSpecVersion) + ", the version of spec files that this program reads";
  require(r, "condenser_spec", versions);
  if (read_integer(r, "condenser_spec", 0, 0, 1'000'000, versions) != kSpecVersion) {
    throw r.error("condenser_spec", versions);
  }
  require(r, "name", "the name of the network");
  const std::string name = read_word(r, "name", "name of the network");
  at_line(r.where("name"), [&] { (void)quoted_text(name); });  // could not be written again
  const Shape input = read_input_shape(r);
  std::vector<Reader> items = r.sections("nodes", "operators and blocks, from the input to the output");
  if (items.empty()) throw r.error("nodes", "a list of nodes");
  if (items.size() > static_cast<size_t>(kMaxNodes)) {
    throw ConfigError(r.where("nodes") + ": " + std::to_string(items.size()) + " nodes; expected at most " +
                      std::to_string(kMaxNodes));
  }
  std::optional<SpecReader> reader;
  at_line(r.where("input"), [&] { reader.emplace(name, input); });
  for (size_t i = 0; i < items.size(); ++i) {
    at_line(items[i].where(), [&] { reader->append(items[i], i == 0); });
  }
  reader->choose_outputs(r);
  r.finish();
  Spec spec;
  at_line(r.where("nodes"), [&] { spec = reader->finish(); });
  return spec;
}

}  // namespace

bool is_json_file(const std::filesystem::path& file) {
  const std::string extension = file.extension().string();
  if (extension == ".json") return true;
  if (extension == ".yaml" || extension == ".yml") return false;
  throw core::ConfigError(file.string() + ": a spec file ends in .yaml, .yml or .json");
}

Spec parse_spec(const std::string& text, const std::string& name) {
  return read_document(Reader::from_text(text, name));
}

Spec read_spec(const std::filesystem::path& file) {
  (void)is_json_file(file);  // refuses other extensions; JSON is read as the YAML it is
  return read_document(Reader::from_file(file));
}

}  // namespace condenser::arch
