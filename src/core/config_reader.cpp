// Typed, checked access to the document tree, and the book of what was asked for. Knows nothing about YAML's syntax.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "condenser/core/text.hpp"
#include "core/config_tree.hpp"

namespace condenser::core::config {
namespace {

template <class T>
std::string range_text(T min, T max) {
  const bool low = min > std::numeric_limits<T>::lowest(), high = max < std::numeric_limits<T>::max();
  const auto text = [](T value) {
    if constexpr (std::is_floating_point_v<T>)
      return yaml_number(value);
    else
      return std::to_string(value);
  };
  if (low && high) return text(min) + ".." + text(max);
  if (low) return "at least " + text(min);
  if (high) return "at most " + text(max);
  return "";
}

// "an integer, 1..9" for values of another type, "1..9" for values out of range.
std::string with_range(const std::string& type, const std::string& range) {
  return range.empty() ? type : type + ", " + range;
}

template <class T>
bool parse_whole(std::string_view text, T& value) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  return problem == std::errc() && end == text.data() + text.size();
}

bool all_digits(std::string_view text) {
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

template <class T>
T read_integer(const Tree& tree, int id, const std::string& path, T min, T max) {
  const Node& node = tree.nodes[id];
  const std::string range = range_text(min, max);
  if (node.kind != Kind::Scalar || node.quoted || !all_digits(node.text))
    throw tree.error(id, path, with_range("an integer", range));
  T value{};
  if (!parse_whole(node.text, value)) throw tree.error(id, path, std::to_string(min) + ".." + std::to_string(max));
  if (value < min || value > max) throw tree.error(id, path, range);
  return value;
}

double read_number(const Tree& tree, int id, const std::string& path, double min, double max) {
  const Node& node = tree.nodes[id];
  const std::string range = range_text(min, max);
  double value = 0;
  if (node.kind != Kind::Scalar || node.quoted || !parse_whole(node.text, value) || !std::isfinite(value))
    throw tree.error(id, path, with_range("a finite number", range));
  if (value < min || value > max) throw tree.error(id, path, range);
  return value;
}

std::string read_text(const Tree& tree, int id, const std::string& path, const std::string& expected) {
  if (tree.nodes[id].kind != Kind::Scalar) throw tree.error(id, path, expected);
  return tree.nodes[id].text;
}

std::string one_of(const std::vector<std::string>& allowed) {
  std::string text = "one of ";
  for (const std::string& word : allowed) text.append(&word == &allowed[0] ? "" : ", ").append(word);
  return text;
}

std::string read_choice(const Tree& tree, int id, const std::string& path, const std::vector<std::string>& allowed) {
  const std::string value = read_text(tree, id, path, one_of(allowed));
  if (std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return value;
  const std::string near = nearest(value, allowed);
  throw tree.error(id, path, one_of(allowed) + (near.empty() ? "" : "; did you mean " + near + "?"));
}

// The items of a list, each read by `read(node, path)`.
template <class T, class Read>
std::vector<T> read_list(const Tree& tree, int id, const std::string& path, const std::string& expected, Read read) {
  if (tree.nodes[id].kind != Kind::List) throw tree.error(id, path, "a list of " + expected + ": [..., ...]");
  std::vector<T> values;
  for (int item : tree.nodes[id].items) values.push_back(read(item, path + "[" + std::to_string(values.size()) + "]"));
  return values;
}

template <class T, class ToText>
std::string list_text(const std::vector<T>& values, ToText to_text) {
  std::vector<std::string> items;
  for (const T& value : values) items.push_back(to_text(value));
  return yaml_list(items);
}

std::string joined(const std::string& path, const std::string& key) { return path.empty() ? key : path + "." + key; }

void add_option(Tree& tree, int map, const std::string& key, Option option) {
  option.path = joined(tree.nodes[map].option_path, key);
  for (const Option& known : tree.options)
    if (known.path == option.path) return;
  tree.options.push_back(std::move(option));
}

// The common shape of all accessors: note the option with its default, read the value if there is one, note the value.
template <class T, class Read, class ToText>
void access(Tree& tree, int map, const std::string& key, T& value, Option option, Decides decides, Read read,
            ToText to_text) {
  option.default_value = to_text(value);
  add_option(tree, map, key, std::move(option));
  if (const int id = tree.find(map, key); id >= 0) value = read(id, tree.path_of(map, key));
  Asked& asked = tree.ask(map, key, Asked::Value);
  asked.text = to_text(value);
  asked.decides = decides;
}

std::string number_text(double value) { return yaml_number(value); }
template <class T>
std::string integer_text(T value) {
  return std::to_string(value);
}

std::string last_part(const std::string& path) {
  const size_t dot = path.rfind('.');
  return dot == std::string::npos ? path : path.substr(dot + 1);
}

// Where else in the document a key would have been known: "probe.epochs or train.epochs", the places nearest to the
// root; or "".
std::string known_elsewhere(const Tree& tree, const std::string& key) {
  const auto depth = [](const std::string& path) { return std::count(path.begin(), path.end(), '.'); };
  std::vector<std::string> places;
  for (const Option& option : tree.options) {
    if (last_part(option.path) != key) continue;
    if (!places.empty() && depth(option.path) < depth(places[0])) places.clear();
    if (places.empty() || depth(option.path) == depth(places[0])) places.push_back(option.path);
  }
  return join(places, " or ");
}

// The same for a key that is also misspelt.
std::string nearly_known_elsewhere(const Tree& tree, const std::string& key) {
  std::vector<std::string> names;
  for (const Option& option : tree.options) names.push_back(last_part(option.path));
  const std::string near = nearest(key, names);
  return near.empty() ? "" : known_elsewhere(tree, near);
}

ConfigError unknown_key(const Tree& tree, int map, const Entry& entry) {
  std::vector<std::string> known;
  for (const Asked& asked : tree.nodes[map].asked) known.push_back(asked.key);
  std::string near = nearest(entry.key, known), list;
  if (near.empty()) near = known_elsewhere(tree, entry.key);
  if (near.empty()) near = nearly_known_elsewhere(tree, entry.key);
  for (const std::string& key : known) list.append(list.empty() ? "" : ", ").append(key);
  return ConfigError(tree.where(entry.node) + ": " + tree.path_of(map, entry.key) + ": unknown key" +
                     (near.empty() ? "" : "; did you mean " + near + "?") +
                     (list.empty() ? " (no keys are known here)" : " (known: " + list + ")"));
}

void reject_unknown(const Tree& tree, int map) {
  const Node& node = tree.nodes[map];
  for (const Entry& entry : node.entries)
    if (std::none_of(node.asked.begin(), node.asked.end(), [&](const Asked& a) { return a.key == entry.key; }))
      throw unknown_key(tree, map, entry);
  for (const Asked& asked : node.asked)
    for (int section : asked.sections) reject_unknown(tree, section);
}

}  // namespace

Asked& Tree::ask(int map, const std::string& key, Asked::Form form) {
  for (Asked& asked : nodes[map].asked)
    if (asked.key == key) {
      asked.form = form;
      return asked;
    }
  nodes[map].asked.push_back({.key = key, .form = form});
  return nodes[map].asked.back();
}

std::string Tree::where(int node) const {
  const Source& source = sources[nodes[node].source];
  if (source.role == Source::CommandLine || nodes[node].line <= 0) return source.name;
  return source.name + ":" + std::to_string(nodes[node].line);
}

std::string Tree::path_of(int map, const std::string& key) const { return joined(nodes[map].path, key); }

const std::filesystem::path& Tree::folder_clue(int node) const { return sources[nodes[node].source].path; }

ConfigError Tree::error(int node, const std::string& path, const std::string& expected) const {
  return ConfigError(where(node) + ": " + path + " = " + found_text(*this, node) + "; expected " + expected);
}

Reader::Reader(std::shared_ptr<Tree> tree, int node) : tree_(std::move(tree)), node_(node) {}

Reader Reader::section(const std::string& key, const std::string& help) {
  if (!help.empty()) add_option(*tree_, node_, key, {.type = "section", .help = help});
  const std::string path = tree_->path_of(node_, key);
  if (const Asked& asked = tree_->ask(node_, key, Asked::Section); !asked.sections.empty())
    return Reader(tree_, asked.sections[0]);
  int id = tree_->find(node_, key);
  if (id < 0 || tree_->nodes[id].kind == Kind::Null) {
    const Node& place = tree_->nodes[id < 0 ? node_ : id];
    id = tree_->add({.kind = Kind::Map, .source = place.source, .line = place.line});
  }
  if (tree_->nodes[id].kind == Kind::List) throw tree_->error(id, path, "a mapping or the name of a YAML file");
  id = tree_->compose(id, path);
  tree_->nodes[id].path = path;
  tree_->nodes[id].option_path = joined(tree_->nodes[node_].option_path, key);
  tree_->ask(node_, key, Asked::Section).sections = {id};
  return Reader(tree_, id);
}

std::vector<Reader> Reader::sections(const std::string& key, const std::string& help) {
  add_option(*tree_, node_, key,
             {.type = "list", .default_value = "[]", .expected = "a list of mappings", .help = help});
  const std::string path = tree_->path_of(node_, key);
  const int list = tree_->find(node_, key);
  std::vector<int> items;
  if (list >= 0 && tree_->nodes[list].kind != Kind::Null) {
    if (tree_->nodes[list].kind != Kind::List) throw tree_->error(list, path, "a list of mappings");
    items = tree_->nodes[list].items;
  }
  std::vector<Reader> readers;
  for (int item : items) {
    Node& node = tree_->nodes[item];
    node.path = path + "[" + std::to_string(readers.size()) + "]";
    node.option_path = joined(tree_->nodes[node_].option_path, key) + "[]";
    if (node.kind == Kind::Null) node.kind = Kind::Map;
    if (node.kind != Kind::Map) throw tree_->error(item, node.path, "a mapping (key: value)");
    readers.push_back(Reader(tree_, item));
  }
  tree_->ask(node_, key, Asked::Sections).sections = items;
  return readers;
}

bool Reader::has(const std::string& key) const { return tree_->find(node_, key) >= 0; }

std::vector<std::string> Reader::keys() const {
  std::vector<std::string> keys;
  for (const Entry& entry : tree_->nodes[node_].entries) keys.push_back(entry.key);
  return keys;
}

void Reader::integer(const std::string& key, int& value, int64_t min, int64_t max, const std::string& help,
                     Decides decides) {
  const int low = static_cast<int>(std::max<int64_t>(min, std::numeric_limits<int>::lowest()));
  const int high = static_cast<int>(std::min<int64_t>(max, std::numeric_limits<int>::max()));
  const auto read = [&](int id, const std::string& path) { return read_integer<int>(*tree_, id, path, low, high); };
  access(*tree_, node_, key, value, {.type = "integer", .expected = range_text(low, high), .help = help}, decides, read,
         integer_text<int>);
}

void Reader::integer(const std::string& key, int64_t& value, int64_t min, int64_t max, const std::string& help,
                     Decides decides) {
  const auto read = [&](int id, const std::string& path) { return read_integer<int64_t>(*tree_, id, path, min, max); };
  access(*tree_, node_, key, value, {.type = "integer", .expected = range_text(min, max), .help = help}, decides, read,
         integer_text<int64_t>);
}

void Reader::integer(const std::string& key, uint64_t& value, uint64_t min, uint64_t max, const std::string& help,
                     Decides decides) {
  const auto read = [&](int id, const std::string& path) { return read_integer<uint64_t>(*tree_, id, path, min, max); };
  access(*tree_, node_, key, value, {.type = "integer", .expected = range_text(min, max), .help = help}, decides, read,
         integer_text<uint64_t>);
}

void Reader::number(const std::string& key, double& value, double min, double max, const std::string& help,
                    Decides decides) {
  const auto read = [&](int id, const std::string& path) { return read_number(*tree_, id, path, min, max); };
  access(*tree_, node_, key, value, {.type = "number", .expected = range_text(min, max), .help = help}, decides, read,
         number_text);
}

void Reader::boolean(const std::string& key, bool& value, const std::string& help, Decides decides) {
  const auto read = [&](int id, const std::string& path) {
    const Node& node = tree_->nodes[id];
    const bool plain = node.kind == Kind::Scalar && !node.quoted;
    if (plain && (node.text == "true" || node.text == "True" || node.text == "TRUE")) return true;
    if (plain && (node.text == "false" || node.text == "False" || node.text == "FALSE")) return false;
    throw tree_->error(id, path, "true or false");
  };
  access(*tree_, node_, key, value, {.type = "boolean", .expected = "true or false", .help = help}, decides, read,
         [](bool v) { return std::string(v ? "true" : "false"); });
}

void Reader::text(const std::string& key, std::string& value, const std::string& help, Decides decides) {
  const auto read = [&](int id, const std::string& path) { return read_text(*tree_, id, path, "text"); };
  access(*tree_, node_, key, value, {.type = "text", .help = help}, decides, read, yaml_text);
}

void Reader::choice(const std::string& key, std::string& value, const std::vector<std::string>& allowed,
                    const std::string& help, Decides decides) {
  const auto read = [&](int id, const std::string& path) { return read_choice(*tree_, id, path, allowed); };
  access(*tree_, node_, key, value, {.type = "choice", .expected = one_of(allowed), .help = help}, decides, read,
         yaml_text);
}

void Reader::integers(const std::string& key, std::vector<int>& value, int64_t min, int64_t max,
                      const std::string& help) {
  const int low = static_cast<int>(std::max<int64_t>(min, std::numeric_limits<int>::lowest()));
  const int high = static_cast<int>(std::min<int64_t>(max, std::numeric_limits<int>::max()));
  const std::string expected = with_range("integers", range_text(low, high));
  const auto item = [&](int id, const std::string& path) { return read_integer<int>(*tree_, id, path, low, high); };
  const auto read = [&](int id, const std::string& path) { return read_list<int>(*tree_, id, path, expected, item); };
  access(*tree_, node_, key, value, {.type = "list", .expected = expected, .help = help}, Decides::Results, read,
         [](const std::vector<int>& v) { return list_text(v, integer_text<int>); });
}

void Reader::numbers(const std::string& key, std::vector<double>& value, double min, double max,
                     const std::string& help) {
  const std::string expected = with_range("numbers", range_text(min, max));
  const auto item = [&](int id, const std::string& path) { return read_number(*tree_, id, path, min, max); };
  const auto read = [&](int id, const std::string& path) {
    return read_list<double>(*tree_, id, path, expected, item);
  };
  access(*tree_, node_, key, value, {.type = "list", .expected = expected, .help = help}, Decides::Results, read,
         [](const std::vector<double>& v) { return list_text(v, number_text); });
}

void Reader::texts(const std::string& key, std::vector<std::string>& value, const std::string& help) {
  const auto item = [&](int id, const std::string& path) { return read_text(*tree_, id, path, "text"); };
  const auto read = [&](int id, const std::string& path) {
    return read_list<std::string>(*tree_, id, path, "texts", item);
  };
  access(*tree_, node_, key, value, {.type = "list", .expected = "texts", .help = help}, Decides::Results, read,
         [](const std::vector<std::string>& v) { return list_text(v, yaml_text); });
}

void Reader::choices(const std::string& key, std::vector<std::string>& value, const std::vector<std::string>& allowed,
                     const std::string& help) {
  const std::string expected = "any of " + one_of(allowed).substr(7);
  const auto item = [&](int id, const std::string& path) { return read_choice(*tree_, id, path, allowed); };
  const auto read = [&](int id, const std::string& path) {
    return read_list<std::string>(*tree_, id, path, expected.substr(7), item);
  };
  access(*tree_, node_, key, value, {.type = "list", .expected = expected, .help = help}, Decides::Results, read,
         [](const std::vector<std::string>& v) { return list_text(v, yaml_text); });
}

void Reader::existing_path(const std::string& key, std::filesystem::path& value, const std::string& help) {
  const auto resolve = [&](const std::filesystem::path& path, int id) {
    try {
      return find_file(path, tree_->folder_clue(id));
    } catch (const ConfigError& problem) {
      throw ConfigError(tree_->where(id) + ": " + tree_->path_of(node_, key) + ": " + problem.what());
    }
  };
  const auto read = [&](int id, const std::string& path) {
    const std::string text = read_text(*tree_, id, path, "a file or folder");
    if (text.empty()) return std::filesystem::path();  // "" as in a resolved configuration: none
    const bool kept = tree_->sources[tree_->nodes[id].source].role == Source::Resolved;
    return kept && std::filesystem::path(text).is_absolute() ? std::filesystem::path(text) : resolve(text, id);
  };
  const bool look_up_default = !has(key) && !value.empty() && !tree_->without_document;
  access(*tree_, node_, key, value, {.type = "text", .expected = "an existing file or folder", .help = help},
         Decides::Nothing, read, [](const std::filesystem::path& v) { return yaml_text(v.string()); });
  if (!look_up_default) return;
  value = resolve(value, 0);
  tree_->ask(node_, key, Asked::Value).text = yaml_text(value.string());
}

ConfigError Reader::error(const std::string& key, const std::string& expected) const {
  if (const int id = tree_->find(node_, key); id >= 0) return tree_->error(id, tree_->path_of(node_, key), expected);
  std::string found = " is missing";
  for (const Asked& asked : tree_->nodes[node_].asked)
    if (asked.key == key && asked.form == Asked::Value) found = " = " + asked.text;
  return ConfigError(where() + ": " + tree_->path_of(node_, key) + found + "; expected " + expected);
}

std::string Reader::where(const std::string& key) const {
  const int id = key.empty() ? -1 : tree_->find(node_, key);
  return tree_->where(id < 0 ? node_ : id);
}

void Reader::finish() const { reject_unknown(*tree_, node_); }

std::vector<Option> Reader::options() const { return tree_->options; }

namespace {
void collect(const Tree& tree, int map, std::vector<Setting>& settings) {
  for (const Asked& asked : tree.nodes[map].asked) {
    if (asked.form == Asked::Value) settings.push_back({tree.path_of(map, asked.key), asked.text, asked.decides});
    if (asked.form != Asked::Value)
      for (const int section : asked.sections) collect(tree, section, settings);
  }
}
}  // namespace

std::vector<Setting> Reader::settings() const {
  std::vector<Setting> settings;
  collect(*tree_, 0, settings);
  return settings;
}

std::string Reader::resolved_yaml() const { return yaml_document(*tree_, 0); }

std::string nearest(const std::string& word, const std::vector<std::string>& candidates) {
  std::string best;
  size_t best_distance = std::numeric_limits<size_t>::max();
  for (const std::string& candidate : candidates) {
    // Levenshtein's distance, one row at a time.
    std::vector<size_t> row(candidate.size() + 1);
    for (size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (size_t i = 0; i < word.size(); ++i) {
      size_t diagonal = row[0];
      row[0] = i + 1;
      for (size_t j = 0; j < candidate.size(); ++j) {
        const size_t replaced = diagonal + (word[i] != candidate[j]);
        diagonal = row[j + 1];
        row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
      }
    }
    const size_t longest = std::max(word.size(), candidate.size());
    const size_t distance = row.back();
    if (distance < longest && distance <= std::max<size_t>(2, longest / 3) && distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace condenser::core::config
