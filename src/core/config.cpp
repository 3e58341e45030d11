// From YAML text to the document tree: parsing, limits, command line overrides, composition from fragments.
// The only source that sees yaml-cpp. Typed access is in config_reader.cpp, printing in config_write.cpp.
//
// Accepted is the plain part of YAML: one document of mappings, lists and scalars. Anchors, aliases, tags, repeated
// keys and keys that are not scalars are refused: a run file should mean what it shows, and aliases let a short file
// stand for an enormous one.

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>

#include "condenser/core/files.hpp"
#include "core/config_tree.hpp"

namespace condenser::core::config {
namespace {

constexpr size_t kMaxBytes = 4 << 20;
constexpr size_t kMaxDepth = 32;
constexpr size_t kMaxKeys = 10000;  // of one mapping; looking for a key is linear

// Receives yaml-cpp's events and adds nodes to a tree.
class Builder : public YAML::EventHandler {
 public:
  Builder(Tree& tree, int source) : tree_(tree), source_(source) {}
  int root() const { return root_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (root_ >= 0) throw refuse(mark, "a second document; expected one");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { value(mark, "?", anchor, Node{}); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { throw anchors(mark); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    Node node;
    node.kind = Kind::Scalar;
    node.text = text;
    node.quoted = tag == "!";
    value(mark, tag == "!" ? "?" : tag, anchor, std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Kind::List);
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Kind::Map);
  }
  void OnMapEnd() override { open_.pop_back(); }

 private:
  struct Open {
    int node;
    bool has_key = false;
    std::string key;
    int key_line = 0;
  };

  ConfigError refuse(const YAML::Mark& mark, const std::string& what) const {
    Node here;
    here.source = source_;
    here.line = mark.is_null() ? 0 : mark.line + 1;
    const int node = tree_.add(here);
    return ConfigError(tree_.where(node) + ": " + what);
  }
  ConfigError anchors(const YAML::Mark& mark) const {
    return refuse(mark, "anchors and aliases (& and *) are not supported; write the value out, or quote the text");
  }

  int value(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Node node) {
    if (anchor != 0) throw anchors(mark);
    if (!tag.empty() && tag != "?")
      throw refuse(mark, "tag " + tag + " is not supported; quote text instead of tagging it");
    if (!open_.empty() && tree_.nodes[open_.back().node].kind == Kind::Map && !open_.back().has_key) {
      take_key(mark, node);
      return -1;
    }
    node.source = source_;
    node.line = mark.line + 1;
    const int id = tree_.add(std::move(node));
    if (open_.empty()) {
      root_ = id;
    } else if (Open& top = open_.back(); top.has_key) {
      tree_.nodes[id].line = top.key_line;
      tree_.nodes[top.node].entries.push_back({top.key, id});
      top.has_key = false;
    } else {
      tree_.nodes[top.node].items.push_back(id);
    }
    return id;
  }

  void take_key(const YAML::Mark& mark, const Node& node) {
    if (node.kind != Kind::Scalar || node.text.empty())
      throw refuse(mark, "a key that is not text, or a bracket left open");
    Open& top = open_.back();
    if (const int earlier = tree_.find(top.node, node.text); earlier >= 0)
      throw refuse(mark, "key " + node.text + " is given twice (first in line " +
                             std::to_string(tree_.nodes[earlier].line) + ")");
    if (tree_.nodes[top.node].entries.size() >= kMaxKeys)
      throw refuse(mark, "a mapping with more than " + std::to_string(kMaxKeys) + " keys");
    top.has_key = true;
    top.key = node.text;
    top.key_line = mark.line + 1;
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Kind kind) {
    if (open_.size() >= kMaxDepth) throw refuse(mark, "nested more than " + std::to_string(kMaxDepth) + " levels deep");
    Node node;
    node.kind = kind;
    const int id = value(mark, tag, anchor, std::move(node));
    if (id < 0) throw refuse(mark, "a key that is not text, or a bracket left open");
    open_.push_back({id});
  }

  Tree& tree_;
  int source_;
  int root_ = -1;
  std::vector<Open> open_;
};

// Adds a document to the tree; the id of its root, or -1 when it is empty.
int parse(Tree& tree, const std::string& yaml, int source) {
  const std::string& name = tree.sources[source].name;
  if (yaml.size() > kMaxBytes)
    throw ConfigError(name + ": " + std::to_string(yaml.size()) + " bytes; expected at most " +
                      std::to_string(kMaxBytes));
  Builder builder(tree, source);
  try {
    std::istringstream stream(yaml);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& problem) {
    Node here;
    here.source = source;
    here.line = problem.mark.is_null() ? 0 : problem.mark.line + 1;
    std::string reason = problem.msg;  // quotes what it found, a line end too
    std::ranges::replace_if(
        reason, [](unsigned char c) { return c < ' '; }, '?');
    throw ConfigError(tree.where(tree.add(here)) + ": not valid YAML: " + reason);
  }
  return builder.root();
}

// As parse, but the root must be a mapping; an empty document is an empty mapping.
int parse_mapping(Tree& tree, const std::string& yaml, int source) {
  int root = parse(tree, yaml, source);
  if (root < 0) root = tree.add({.source = source, .line = 1});
  Node& node = tree.nodes[root];
  if (node.kind == Kind::Null) node.kind = Kind::Map;
  if (node.kind != Kind::Map)
    throw ConfigError(tree.where(root) + ": " + found_text(tree, root) + "; expected a mapping (key: value)");
  return root;
}

void put(Tree& tree, int map, const std::string& key, int value) {
  for (Entry& entry : tree.nodes[map].entries)
    if (entry.key == key) {
      entry.node = value;
      return;
    }
  tree.nodes[map].entries.push_back({key, value});
}

// {from: <scalar>}: the long form of a section that is given as the name of a fragment.
int long_form(Tree& tree, int scalar) {
  const int map = tree.add({.kind = Kind::Map, .source = tree.nodes[scalar].source, .line = tree.nodes[scalar].line});
  put(tree, map, "from", scalar);
  return map;
}

// The keys of `over` win over those of `base`; mappings are merged at every depth, everything else is replaced.
int merge(Tree& tree, int base, int over) {
  if (tree.nodes[over].kind == Kind::Null && tree.nodes[base].kind == Kind::Map) return base;  // "train:" adds no keys
  if (tree.nodes[over].kind != Kind::Map || tree.nodes[base].kind == Kind::Null) return over;
  if (tree.nodes[base].kind == Kind::List)
    throw ConfigError(tree.where(over) + ": a key inside a list (" + tree.where(base) +
                      "); expected the whole list: key=[...]");
  if (tree.nodes[base].kind == Kind::Scalar) base = long_form(tree, base);
  const std::vector<Entry> entries = tree.nodes[over].entries;  // the nodes may move while merging
  for (const Entry& entry : entries) {
    const int below = tree.find(base, entry.key);
    put(tree, base, entry.key, below < 0 ? entry.node : merge(tree, below, entry.node));
  }
  return base;
}

std::vector<std::string> split_path(const std::string& dotted) {
  std::vector<std::string> parts(1);
  for (char c : dotted) {
    if (c == '.')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// A flow list and a quoted text are read as YAML; anything else is the scalar as typed, also when it has a # or a
// colon.
int override_value(Tree& tree, const std::string& text, int source) {
  if (!text.empty() && (text[0] == '[' || text[0] == '"' || text[0] == '\'')) {
    const int node = parse(tree, text, source);
    if (node >= 0) return node;
  }
  return tree.add({.kind = Kind::Scalar, .text = text, .quoted = text.empty(), .source = source});
}

// Adds "a.b=value" to the tree of overrides. Later ones win; a scalar and keys below it are a fragment and keys beside
// it.
void add_override(Tree& tree, int root, const std::string& text, int source) {
  const size_t equals = text.find('=');
  const std::string dotted = trimmed(text.substr(0, equals));
  const std::vector<std::string> parts = split_path(dotted);
  if (equals == std::string::npos || std::any_of(parts.begin(), parts.end(), [](auto& p) { return p.empty(); }) ||
      parts.size() > kMaxDepth)
    throw ConfigError("command line: '" + text + "'; expected section.key=value");
  int value = override_value(tree, trimmed(text.substr(equals + 1)), source);
  for (size_t i = parts.size(); i-- > 1;) {
    const int map = tree.add({.kind = Kind::Map, .source = source});
    put(tree, map, parts[i], value);
    value = map;
  }
  int at = root;
  for (size_t i = 0; i < parts.size(); ++i) {
    const int below = tree.find(at, parts[i]);
    if (below < 0) return put(tree, at, parts[i], value);
    const bool last = i + 1 == parts.size();
    if (tree.nodes[below].kind != Kind::Map) return put(tree, at, parts[i], last ? value : merge(tree, below, value));
    if (last)
      return tree.nodes[value].kind == Kind::Scalar ? put(tree, below, "from", value) : put(tree, at, parts[i], value);
    at = below;
    value = tree.nodes[value].entries[0].node;
  }
}

// Short when the file lies below the working directory.
std::string display_name(const std::filesystem::path& path) {
  std::error_code ignored;
  const std::filesystem::path shorter = path.lexically_relative(std::filesystem::current_path(ignored));
  return shorter.empty() || *shorter.begin() == ".." ? path.string() : shorter.string();
}

std::string read_yaml_file(const std::filesystem::path& file, const std::string& asked_by) {
  try {
    return read_file(file, kMaxBytes);
  } catch (const Error& problem) {
    throw ConfigError(asked_by + problem.what());
  }
}

}  // namespace

int Tree::add(Node node) {
  nodes.push_back(std::move(node));
  return static_cast<int>(nodes.size()) - 1;
}

int Tree::find(int map, const std::string& key) const {
  for (const Entry& entry : nodes[map].entries)
    if (entry.key == key) return entry.node;
  return -1;
}

int Tree::compose(int node, const std::string& path) {
  const int from = nodes[node].kind == Kind::Scalar ? node : find(node, "from");
  if (nodes[node].kind == Kind::Map && from < 0) return node;
  const std::string place = where(from) + ": " + path;
  if (nodes[from].kind != Kind::Scalar) throw error(from, path + ".from", "the name of a YAML file");
  if (sources[nodes[from].source].role == Source::Fragment)
    throw ConfigError(place + " = " + found_text(*this, from) +
                      ": a fragment cannot name another fragment; expected a mapping");

  Source fragment{.role = Source::Fragment};
  try {
    fragment.path = find_file(nodes[from].text, folder_clue(from));
  } catch (const ConfigError& problem) {
    throw ConfigError(place + " = " + found_text(*this, from) + "; expected a mapping or the name of a YAML file; " +
                      problem.what());
  }
  fragment.name = display_name(fragment.path);
  const std::string yaml = read_yaml_file(fragment.path, place + ": ");
  sources.push_back(fragment);
  const int base = parse_mapping(*this, yaml, static_cast<int>(sources.size()) - 1);
  if (const int inner = find(base, "from"); inner >= 0)
    throw ConfigError(where(inner) + ": from: a fragment cannot name another fragment");
  int composed = base;
  if (nodes[node].kind == Kind::Map) {
    auto& entries = nodes[node].entries;
    entries.erase(std::find_if(entries.begin(), entries.end(), [](const Entry& e) { return e.key == "from"; }));
    composed = merge(*this, base, node);
  }
  nodes[composed].source = nodes[node].source;
  nodes[composed].line = nodes[node].line;
  return composed;
}

std::shared_ptr<Tree> Tree::load(const std::string& yaml, const Source& source,
                                 const std::vector<std::string>& overrides) {
  auto tree = std::make_shared<Tree>();
  tree->sources = {source,
                   {.name = "command line", .path = std::filesystem::current_path(), .role = Source::CommandLine}};
  const int root = parse_mapping(*tree, yaml, 0);
  const int over = tree->add({.kind = Kind::Map, .source = 1});
  for (const std::string& text : overrides) add_override(*tree, over, text, 1);
  merge(*tree, root, over);
  return tree;
}

Reader Reader::from_file(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  return Reader(Tree::load(read_yaml_file(file, ""), {.name = file.string(), .path = file}, overrides), 0);
}

Reader Reader::from_resolved_file(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  return Reader(
      Tree::load(read_yaml_file(file, ""), {.name = file.string(), .path = file, .role = Source::Resolved}, overrides),
      0);
}

Reader Reader::from_text(const std::string& yaml, const std::string& name, const std::vector<std::string>& overrides) {
  return Reader(Tree::load(yaml, {.name = name, .path = name}, overrides), 0);
}

Reader Reader::empty() {
  Reader reader = from_text("", "defaults");
  reader.tree_->without_document = true;
  return reader;
}

std::filesystem::path find_file(const std::filesystem::path& path, const std::filesystem::path& from) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  std::vector<fs::path> tried;
  const auto exists = [&](const fs::path& candidate) {
    const fs::path normal = candidate.lexically_normal();
    if (std::find(tried.begin(), tried.end(), normal) != tried.end()) return false;
    tried.push_back(normal);
    return fs::exists(normal, ignored);
  };
  if (path.empty()) throw ConfigError("an empty file name");
  if (path.is_absolute()) {
    if (exists(path)) return tried.back();
    throw ConfigError("cannot find " + path.string());
  }
  const fs::path here = fs::current_path(ignored);
  fs::path folder = here / from;
  if (!fs::is_directory(folder, ignored)) folder = folder.parent_path();
  for (;; folder = folder.parent_path()) {
    if (exists(folder / path)) return tried.back();
    if (folder == folder.parent_path()) break;
  }
  if (exists(here / path)) return tried.back();
  std::string list;
  for (const fs::path& place : tried) list += (list.empty() ? "" : ", ") + place.string();
  throw ConfigError("cannot find " + path.string() + "; tried " + list);
}

}  // namespace condenser::core::config
