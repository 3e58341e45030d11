#include "search/spaces/table.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "condenser/core/csv.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/text.hpp"
#include "search/tables.hpp"

namespace condenser::search {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostBytes = size_t{1} << 30;
constexpr size_t kMostGenotypes = 10'000'000;

// Which columns hold what; empty: none.
struct Columns {
  std::vector<std::string> decisions, noise, curve;
  std::string reward, test, shorter, epoch_seconds, params, macs;
};

// ---- a CSV alone ----

// Words of a comment, without punctuation around them.
std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words(1);
  for (const char c : line) {
    if (c == ' ' || c == ',' || c == ';' || c == '\t') {
      if (!words.back().empty()) words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  for (std::string& w : words)
    while (!w.empty() && (w.back() == '.' || w.back() == ')')) w.pop_back();
  return words;
}

std::optional<std::array<int, 2>> edge_of(const std::string& word) {
  const size_t arrow = word.find("<-");
  if (arrow == std::string::npos || arrow == 0 || arrow > 3 || word.size() > arrow + 5) return std::nullopt;
  const auto number = [](const std::string& text) {
    const bool digits =
        !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    return digits ? std::stoi(text) : -1;
  };
  const int to = number(word.substr(0, arrow)), from = number(word.substr(arrow + 2));
  if (from < 0 || to <= from) return std::nullopt;
  return std::array<int, 2>{to, from};
}

void read_comment(const std::string& line, LookUp& table) {
  for (const std::string& word : words_of(line)) {
    if (const auto edge = edge_of(word)) table.edges.push_back(*edge);
    const bool named = word.size() > 2 && word[0] >= '0' && word[0] <= '9' && word[1] == '=';
    if (named && word[0] - '0' == std::ssize(table.operators)) table.operators.push_back(word.substr(2));
  }
}

Columns guessed(const std::vector<std::string>& header) {
  Columns c;
  for (const std::string& name : header) {
    if (name == "ops") c.decisions = {name};
    if (c.reward.empty() && (name.ends_with("valid") || name == "reward")) c.reward = name;
    if (c.test.empty() && name.ends_with("test")) c.test = name;
    if (c.shorter.empty() && name.ends_with("_e12")) c.shorter = name;
    if (name == "t_epoch_s") c.epoch_seconds = name;
    if (name == "params") c.params = name;
    if (name == "macs") c.macs = name;
  }
  for (const std::string& name : header)
    if (!c.reward.empty() && name.starts_with(c.reward + "_s")) c.noise.push_back(name);
  return c;
}

// ---- rows ----

class Csv {
 public:
  Csv(const fs::path& file, LookUp& table, bool comments) : file_(file) {
    std::string text = core::read_file(file, kMostBytes);
    table.content = core::hash128(text);
    size_t begin = 0;
    while (begin < text.size() && text[begin] == '#') {
      const size_t end = std::min(text.find('\n', begin), text.size());
      if (comments) read_comment(text.substr(begin + 1, end - begin - 1), table);
      begin = std::min(end + 1, text.size());
      ++skipped_;
    }
    core::read_csv(
        std::string_view(text).substr(begin), file, [&](int64_t line, const std::vector<std::string>& fields) {
          if (header_.empty()) {
            header_ = fields;
          } else {
            if (fields.size() != header_.size())
              throw core::ConfigError(where(line) + ": " + std::to_string(fields.size()) + " fields; expected " +
                                      std::to_string(header_.size()) + " as in the first row");
            rows_.push_back(fields);
            lines_.push_back(line);
          }
        });
    if (rows_.empty())
      throw core::ConfigError(core::printable(file.string()) + ": no rows; expected a table with a header");
  }

  const std::vector<std::string>& header() const { return header_; }
  size_t rows() const { return rows_.size(); }

  size_t column(const std::string& name, const std::string& use) const {
    const auto found = std::find(header_.begin(), header_.end(), name);
    if (found != header_.end()) return static_cast<size_t>(found - header_.begin());
    const std::string near = core::config::nearest(name, header_);
    throw core::ConfigError(core::printable(file_.string()) + ": no column " + core::printable(name) + " for " + use +
                            (near.empty() ? "" : "; did you mean " + core::printable(near) + "?"));
  }

  const std::string& text(size_t row, size_t column) const { return rows_[row][column]; }

  double number(size_t row, size_t column) const {
    const std::string& field = rows_[row][column];
    if (field.empty()) return NAN;
    char* end = nullptr;
    const double value = std::strtod(field.c_str(), &end);
    if (end != field.c_str() + field.size()) throw error(row, column, "a number");
    return value;
  }

  core::ConfigError error(size_t row, size_t column, const std::string& expected) const {
    return core::ConfigError(where(lines_[row]) + ": " + core::printable(header_[column]) + " = " +
                             core::printable(rows_[row][column]) + "; expected " + expected);
  }

  core::ConfigError error(size_t row, const std::string& what) const {
    return core::ConfigError(where(lines_[row]) + ": " + what);
  }

 private:
  std::string where(int64_t line) const {
    return core::printable(file_.string()) + ":" + std::to_string(line + skipped_);
  }

  fs::path file_;
  int64_t skipped_ = 0;
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
  std::vector<int64_t> lines_;
};

// Options of each decision as they stand in the file, in order of their texts: digits by value.
void read_decisions(const Csv& csv, const Columns& columns, LookUp& table) {
  const bool digits = columns.decisions.size() == 1;
  std::vector<std::vector<std::string>> words(csv.rows());  // a text for each decision
  for (const std::string& name : columns.decisions) {
    const size_t column = csv.column(name, "decisions");
    for (size_t i = 0; i < csv.rows(); ++i) {
      const std::string& field = csv.text(i, column);
      if (field.empty()) throw csv.error(i, column, "a choice");
      if (digits)
        for (const char c : field) words[i].push_back(std::string(1, c));
      else
        words[i].push_back(field);
      if (words[i].size() > words[0].size() && digits)
        throw csv.error(i, column, std::to_string(words[0].size()) + " digits, as in the first row");
    }
  }
  const size_t count = words.front().size();
  std::vector<std::map<std::string, int>> known(count);
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i].size() != count) throw csv.error(i, "expected " + std::to_string(count) + " decisions");
    for (size_t d = 0; d < count; ++d) known[d].emplace(words[i][d], 0);
  }
  double size = 1;
  for (size_t d = 0; d < count; ++d) {
    Decision decision{.name = digits ? "edge" + std::to_string(d) : columns.decisions[d], .options = {}, .labels = {}};
    for (auto& [word, place] : known[d]) {
      place = static_cast<int>(decision.options.size());
      decision.options.push_back(place);
      const auto op = static_cast<size_t>(digits ? word[0] - '0' : place);
      decision.labels.push_back(op < table.operators.size() ? table.operators[op] : word);
    }
    size *= static_cast<double>(decision.options.size());
    table.decisions.push_back(std::move(decision));
  }
  if (size != static_cast<double>(csv.rows()) || size > static_cast<double>(kMostGenotypes))
    throw csv.error(0, std::to_string(csv.rows()) + " rows; expected one for each of the " + core::number(size) +
                           " combinations of choices, at most " + std::to_string(kMostGenotypes));
  table.rows.resize(csv.rows());
  for (size_t i = 0; i < words.size(); ++i)
    for (size_t d = 0; d < count; ++d) table.rows[i].genotype.choice.push_back(known[d].at(words[i][d]));
}

// Rows are networks of a space: a column for each decision that has a choice.
void read_genotypes(const Csv& csv, LookUp& table) {
  const Space& space = *table.networks;
  table.decisions = space.decisions();
  std::vector<std::pair<std::string, size_t>> columns;
  for (const Decision& decision : table.decisions)
    if (decision.options.size() > 1) columns.emplace_back(decision.name, csv.column(decision.name, "decisions"));
  table.rows.resize(csv.rows());
  for (size_t i = 0; i < csv.rows(); ++i) {
    std::map<std::string, std::string> options;
    for (const auto& [name, column] : columns) options[name] = csv.text(i, column);
    try {
      table.rows[i].genotype = parse_genotype(space, options);
      check(space, table.rows[i].genotype);
    } catch (const core::Error& e) {
      throw csv.error(i, e.what());
    }
  }
  const SpaceSize size = size_of(space);
  if (size.legal != static_cast<double>(csv.rows()))
    throw csv.error(0, std::to_string(csv.rows()) + " rows; expected one for each of the " + core::number(size.legal) +
                           " networks of the space");
}

// Those of the networks themselves.
void take_costs(LookUp& table) {
  for (LookUp::Row& row : table.rows) {
    const Candidate candidate = table.networks->expand(row.genotype);
    row.params = cost(candidate, *find_metric("params")).value_or(0);
    row.macs = cost(candidate, *find_metric("macs")).value_or(0);
  }
}

void read_values(const Csv& csv, const Columns& columns, LookUp& table) {
  const auto read = [&](const std::string& name, const std::string& use, double LookUp::Row::*value, double otherwise) {
    for (size_t i = 0; i < csv.rows(); ++i) table.rows[i].*value = otherwise;
    if (name.empty()) return;
    const size_t column = csv.column(name, use);
    for (size_t i = 0; i < csv.rows(); ++i) {
      table.rows[i].*value = csv.number(i, column);
      if (!std::isfinite(table.rows[i].*value)) throw csv.error(i, column, "a number");
    }
  };
  using Row = LookUp::Row;
  if (columns.reward.empty())
    throw csv.error(0, "no column of rewards (a name that ends in valid, or reward); name it in a YAML file");
  read(columns.reward, "reward", &Row::reward, NAN);
  read(columns.test, "test", &Row::test, NAN);
  read(columns.shorter, "short.reward", &Row::shorter, NAN);
  read(columns.epoch_seconds, "epoch_seconds", &Row::epoch_seconds, 1);
  read(columns.params, "params", &Row::params, 0);
  read(columns.macs, "macs", &Row::macs, 0);
  if (columns.test.empty())
    for (Row& row : table.rows) row.test = row.reward;
  for (const std::string& name : columns.noise) {
    const size_t column = csv.column(name, "noise");
    for (size_t i = 0; i < csv.rows(); ++i) {
      const double value = csv.number(i, column);
      if (std::isfinite(value)) table.rows[i].noise.push_back(value);
    }
  }
  for (const std::string& name : columns.curve) {
    const size_t column = csv.column(name, "curve");
    for (size_t i = 0; i < csv.rows(); ++i) {
      table.rows[i].curve.push_back(csv.number(i, column));
      if (!std::isfinite(table.rows[i].curve.back())) throw csv.error(i, column, "a number");
    }
  }
}

LookUp finished(const Csv& csv, const Columns& columns, LookUp table) {
  if (table.networks == nullptr && columns.decisions.empty())
    throw csv.error(0, "no column of decisions (ops); name the columns in a YAML file");
  if (table.networks != nullptr)
    read_genotypes(csv, table);
  else
    read_decisions(csv, columns, table);
  read_values(csv, columns, table);
  if (table.networks != nullptr) take_costs(table);
  if (!table.edges.empty() && table.edges.size() != table.decisions.size())
    throw csv.error(0, std::to_string(table.edges.size()) + " edges; expected one for each of the " +
                           std::to_string(table.decisions.size()) + " decisions");
  if (columns.shorter.empty()) table.short_epochs = 0;
  return table;
}

// The space whose networks were trained, if the file names one.
std::shared_ptr<const Space> networks_of(core::config::Reader& reader) {
  fs::path file;
  std::vector<int> input;
  SpaceContext context;
  reader.existing_path("space", file, "whose networks were trained: a row for each, a column for each decision");
  reader.integers("input", input, 1, 1 << 20, "with space: channels, height, width of the data");
  reader.integer("classes", context.classes, 0, 65536, "with space: classes of the data");
  if (file.empty()) return nullptr;
  if (input.size() != 3) throw reader.error("input", "channels, height and width, such as [1, 28, 28]");
  if (context.classes == 0) throw reader.error("classes", "how many classes the data has");
  context.input = {input[0], input[1], input[2]};
  auto of_space = core::config::Reader::from_file(file);
  std::shared_ptr<const Space> space = make_space(of_space, context);
  of_space.finish();
  return space;
}

LookUp from_yaml(const fs::path& file) {
  auto reader = core::config::Reader::from_file(file);
  LookUp table;
  table.name = file.stem().string();
  Columns c;
  fs::path csv_file;
  std::vector<std::string> edges;
  reader.existing_path("file", csv_file, "the CSV");
  reader.text("name", table.name, "of the table, for people");
  reader.texts("decisions", c.decisions, "one column with a digit for each decision, or a column for each");
  reader.text("reward", c.reward, "column of the reward, percent");
  reader.texts("noise", c.noise, "columns of the rewards of single trainings");
  reader.text("test", c.test, "column of what the returned network is worth; empty: the reward");
  reader.text("params", c.params, "column of parameters");
  reader.text("macs", c.macs, "column of multiply-accumulates");
  auto shorter = reader.section("short", "a shorter training");
  shorter.text("reward", c.shorter, "column of its reward");
  shorter.integer("epochs", table.short_epochs, 0, 100000, "its epochs");
  reader.text("epoch_seconds", c.epoch_seconds, "column of the seconds an epoch takes");
  reader.integer("epochs", table.epochs, 1, 100000, "of the full training");
  reader.texts("operators", table.operators, "what each option of a decision puts on its edge");
  reader.texts("edges", edges, "to<-from for each decision; empty: a chain");
  reader.texts("curve", c.curve, "columns of the reward after each epoch of the full training, which may pause there");
  table.networks = networks_of(reader);
  reader.finish();
  if (table.networks != nullptr && !(c.decisions.empty() && table.operators.empty() && edges.empty()))
    throw reader.error("space", "no decisions, operators or edges beside it: they are those of the space");
  if (!c.curve.empty() && std::ssize(c.curve) != table.epochs)
    throw reader.error("curve", "a column for each of the " + std::to_string(table.epochs) + " epochs");
  if (csv_file.empty()) throw reader.error("file", "the CSV of the table");
  for (const std::string& text : edges) {
    const auto edge = edge_of(text);
    if (!edge) throw reader.error("edges", "to<-from with to > from, as 1<-0; this is " + core::printable(text));
    table.edges.push_back(*edge);
  }
  const Csv csv(csv_file, table, false);
  table.content = core::hash128(table.content.hex() + core::read_file(file));
  if (table.networks != nullptr) c.params = c.macs = "";  // the networks' own
  return finished(csv, c, std::move(table));
}

// ---- the computation of a genotype ----

bool is_none(const std::string& op) { return op == "none" || op == "zero" || op == "zeroize"; }
bool is_identity(const std::string& op) { return op.find("skip") != std::string::npos || op == "identity"; }

// "3x3" in "nor_conv_3x3": whether it looks at neighbours.
bool looks_around(const std::string& op) {
  const size_t x = op.find('x');
  return x != std::string::npos && x > 0 && op[x - 1] >= '2' && op[x - 1] <= '9';
}

Graph::Node node_of(const std::string& op, std::vector<int> inputs) {
  return {.op = op,
          .parametric = op.find("conv") != std::string::npos || op.find("linear") != std::string::npos,
          .spatial = looks_around(op),
          .inputs = std::move(inputs)};
}

// A text that equal computations share: each node as the sorted sum of what it reads.
std::string canonical(const Graph& graph) {
  std::vector<std::string> text(graph.nodes.size());
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    std::vector<std::string> terms;
    for (const int input : graph.nodes[i].inputs) terms.push_back(text[static_cast<size_t>(input)]);
    std::sort(terms.begin(), terms.end());
    text[i] = graph.nodes[i].op + "(" + core::join(terms, "+") + ")";
  }
  return text.back();
}

}  // namespace

Graph graph_of(const LookUp& table, const Genotype& genotype) {
  Graph graph;
  graph.nodes.push_back({.op = "input", .inputs = {}});
  int last = 0;
  for (const auto& [to, from] : table.edges) last = std::max(last, to);
  if (table.edges.empty()) last = static_cast<int>(table.decisions.size());
  std::vector<std::vector<int>> terms(static_cast<size_t>(last) + 1);
  terms[0] = {0};
  // Edges in the order of the nodes they end at: what a node reads is complete before anybody reads it.
  std::vector<size_t> order(table.decisions.size());
  for (size_t d = 0; d < order.size(); ++d) order[d] = d;
  const auto edge = [&](size_t d) {
    return table.edges.empty() ? std::array<int, 2>{static_cast<int>(d) + 1, static_cast<int>(d)} : table.edges[d];
  };
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return edge(a)[0] < edge(b)[0]; });
  for (const size_t d : order) {
    const auto [to, from] = edge(d);
    const std::string& op = table.decisions[d].labels[static_cast<size_t>(genotype.choice[d])];
    const std::vector<int>& read = terms[static_cast<size_t>(from)];
    std::vector<int>& sum = terms[static_cast<size_t>(to)];
    if (is_none(op) || read.empty()) continue;
    if (is_identity(op)) {
      sum.insert(sum.end(), read.begin(), read.end());
    } else {
      sum.push_back(static_cast<int>(graph.nodes.size()));
      graph.nodes.push_back(node_of(op, read));
    }
  }
  graph.nodes.push_back({.op = "output", .inputs = terms.back()});
  return live(graph);
}

LookUp read_look_up(const fs::path& file) {
  const std::string ending = file.extension().string();
  if (ending == ".yaml" || ending == ".yml") return from_yaml(file);
  LookUp table;
  table.name = file.stem().string();
  table.short_epochs = 12;
  const Csv csv(file, table, true);
  const Columns columns = guessed(csv.header());
  return finished(csv, columns, std::move(table));
}

std::unique_ptr<Space> make_table_space(core::config::Reader& reader, const SpaceContext&) {
  fs::path file;
  reader.existing_path("table", file, "of `space: table`: a CSV, or the YAML that describes it");
  if (file.empty()) throw reader.error("table", "a CSV, or the YAML that describes it");
  return std::make_unique<TableSpace>(read_look_up(file));
}

namespace {

// What a row of the table is: equal texts are equal networks.
struct Identity {
  std::string text;
  core::Hash128 hash;
  Graph graph;
};

Identity identity_of(const TableSpace& space, const LookUp::Row& row) {
  const LookUp& table = space.table();
  if (table.networks != nullptr) {
    const core::Hash128 hash = identity(table.networks->expand(row.genotype));
    return {hash.hex(), hash, {}};
  }
  const bool graphs = !table.operators.empty();
  Graph graph =
      graphs ? graph_of(table, row.genotype) : Graph{{{.op = "input", .inputs = {}}, {.op = "output", .inputs = {0}}}};
  std::string text = graphs ? canonical(graph) : to_text(space, row.genotype);
  const core::Hash128 hash = core::hash128(text);
  return {std::move(text), hash, std::move(graph)};
}

size_t places(const std::vector<Decision>& decisions) {
  size_t count = 1;
  for (const Decision& decision : decisions) count *= decision.options.size();
  return count;
}

}  // namespace

TableSpace::TableSpace(LookUp table, const LookUpBounds& bounds) : table_(std::move(table)) {
  if (table_.networks != nullptr) {
    forbid(table_.networks->forbidden());
    believe(table_.networks->prior());
  }
  network_of_.assign(places(table_.decisions), -1);
  std::map<std::string, int> known;
  for (size_t i = 0; i < table_.rows.size(); ++i) {
    const LookUp::Row& row = table_.rows[i];
    Identity id = identity_of(*this, row);
    const auto [found, added] = known.emplace(std::move(id.text), static_cast<int>(networks_.size()));
    if (added) {
      networks_.push_back({});
      networks_.back().hash = id.hash;
      networks_.back().graph = std::move(id.graph);
      networks_.back().curve = row.curve;
    }
    int& place_of = network_of_[place(row.genotype)];
    if (place_of >= 0)
      throw core::ConfigError("table " + table_.name + ": two rows for " + to_text(*this, row.genotype));
    place_of = found->second;
    networks_[static_cast<size_t>(found->second)].rows.push_back(static_cast<int>(i));
  }
  for (Network& n : networks_) sum_up(n, bounds);
}

void TableSpace::sum_up(Network& n, const LookUpBounds& bounds) const {
  n.params = n.macs = INFINITY;
  std::vector<int> kept;
  for (const int row : n.rows) {
    const LookUp::Row& r = table_.rows[static_cast<size_t>(row)];
    n.params = std::min(n.params, r.params);
    n.macs = std::min(n.macs, r.macs);
    if ((bounds.max_params <= 0 || r.params <= bounds.max_params) &&
        (bounds.max_macs <= 0 || r.macs <= bounds.max_macs))
      kept.push_back(row);
  }
  n.within = !kept.empty();
  if (n.within) n.rows = std::move(kept);
  const double share = 1.0 / static_cast<double>(n.rows.size());
  for (const int row : n.rows) {
    const LookUp::Row& r = table_.rows[static_cast<size_t>(row)];
    n.reward += share * r.reward;
    n.test += share * r.test;
    n.shorter += share * r.shorter;
    n.epoch_seconds += share * r.epoch_seconds;
  }
}

size_t TableSpace::place(const Genotype& genotype) const {
  size_t at = 0;
  for (size_t d = 0; d < genotype.choice.size(); ++d)
    at = at * table_.decisions[d].options.size() + static_cast<size_t>(genotype.choice[d]);
  return at;
}

const TableSpace::Network& TableSpace::network(const Genotype& genotype) const {
  check(*this, genotype);
  return networks_[static_cast<size_t>(network_of_[place(genotype)])];
}

double TableSpace::best_reward() const {
  double best = -INFINITY;
  for (const Network& n : networks_)
    if (n.within) best = std::max(best, n.reward);
  return best;
}

Candidate TableSpace::expand(const Genotype& genotype) const {
  if (table_.networks != nullptr) return table_.networks->expand(genotype);
  const Network& n = network(genotype);
  Candidate candidate;
  candidate.hash = n.hash;
  candidate.graph = n.graph;
  candidate.costs = {{"params", n.params}, {"macs", n.macs}};
  return candidate;
}

}  // namespace condenser::search
