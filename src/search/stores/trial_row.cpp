#include "search/stores/trial_row.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include "condenser/core/error.hpp"
#include "condenser/core/text.hpp"

namespace condenser::search {
namespace {

constexpr const char* kCopy = "copy";
constexpr char kHex[] = "0123456789abcdef";

template <class Number>
Number parse(std::string_view text, const char* what, int base = 10) {
  Number value{};
  std::from_chars_result result;
  if constexpr (std::is_floating_point_v<Number>) {
    result = std::from_chars(text.data(), text.data() + text.size(), value);
  } else {
    result = std::from_chars(text.data(), text.data() + text.size(), value, base);
  }
  if (result.ec != std::errc() || result.ptr != text.data() + text.size())
    throw core::Error(std::string(what) + " \"" + std::string(text) + "\"");
  return value;
}

void add_escaped_byte(std::string& out, unsigned char byte) {
  out += "\\x";
  out += kHex[byte >> 4];
  out += kHex[byte & 15];
}

bool plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f && c != '\\'; });
}

void add(std::string& line, std::string_view text) {
  line += '\t';
  if (plain(text)) {
    line += text;
  } else {
    line += escape(text);
  }
}

void end(std::string& line) { line += '\n'; }

void add_text(std::string& out, const char* word, const std::string& text) {
  if (text.empty()) return;
  out += word;
  add(out, text);
  end(out);
}

void add_values(std::string& out, const char* word, const std::map<std::string, double>& values) {
  if (values.empty()) return;
  out += word;
  for (const auto& [name, value] : values) {
    add(out, name);
    add(out, bits_text(value));
  }
  end(out);
}

void add_proposal(std::string& out, const Trial& trial) {
  add_text(out, "by", trial.by);
  add_text(out, "reason", trial.reason);
  if (!trial.forecast) return;
  const Forecast& f = *trial.forecast;
  out += "forecast";
  for (double value : {f.value, f.low, f.high, f.gain}) add(out, bits_text(value));
  end(out);
}

void add_result(std::string& out, const Trial& trial) {
  for (const Verdict& v : trial.verdicts) {
    out += v.passed ? "passed" : "broken";
    for (const std::string* text : {&v.rule, &v.node, &v.value, &v.limit}) add(out, *text);
    end(out);
  }
  add_values(out, "metrics", trial.findings.metrics);
  add_values(out, "nodes", trial.findings.node_scores);
  for (const auto& [name, values] : trial.findings.curves) {
    out += "curve";
    add(out, name);
    for (double value : values) add(out, bits_text(value));
    end(out);
  }
  add_text(out, "error", trial.error);
}

std::string checksum(const TrialRow& row) {
  std::string all;
  all.reserve(row.details.size() + 256);
  const auto add_part = [&](const std::string& text) {  // lengths keep neighbours apart
    all += std::to_string(text.size());
    all += ':';
    all += text;
  };
  for (long long number : {row.trial, row.rung, row.same_as, row.tries}) add_part(std::to_string(number));
  for (const std::string* text :
       {&row.state, &row.fidelity, &row.genotype, &row.hash, &row.worker, &row.seconds, &row.details})
    add_part(*text);
  return core::hash128(all).hex();
}

// Takes the next piece of `text` up to `separator`, which moves behind it.
std::string_view take(std::string_view& text, char separator) {
  const size_t at = text.find(separator);
  const std::string_view piece = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return piece;
}

// The fields of one line. Empty fields count, so a line that ends in a tab has one more.
class Fields {
 public:
  explicit Fields(std::string_view line) : rest_(line), more_(true) {}
  bool more() const { return more_; }
  std::string_view next() {
    if (!more_) throw core::Error("details: a line is too short");
    more_ = rest_.find('\t') != std::string_view::npos;
    return take(rest_, '\t');
  }
  std::string text() { return unescape(next()); }
  double number() { return parse_bits(next()); }

 private:
  std::string_view rest_;
  bool more_;
};

void read_line(Trial& trial, std::string_view line) {
  Fields fields(line);
  const std::string_view word = fields.next();
  if (word == "by") {
    trial.by = fields.text();
  } else if (word == "reason") {
    trial.reason = fields.text();
  } else if (word == "error") {
    trial.error = fields.text();
  } else if (word == "forecast") {
    Forecast& f = trial.forecast.emplace();
    for (double* value : {&f.value, &f.low, &f.high, &f.gain}) *value = fields.number();
  } else if (word == "passed" || word == "broken") {
    Verdict& v = trial.verdicts.emplace_back();
    v.passed = word == "passed";
    for (std::string* text : {&v.rule, &v.node, &v.value, &v.limit}) *text = fields.text();
  } else if (word == "metrics" || word == "nodes") {
    auto& values = word == "metrics" ? trial.findings.metrics : trial.findings.node_scores;
    while (fields.more()) {
      std::string name = fields.text();
      values.emplace_hint(values.end(), std::move(name), fields.number());
    }
  } else if (word == "curve") {
    std::vector<double>& values = trial.findings.curves[fields.text()];
    while (fields.more()) values.push_back(fields.number());
  } else {
    throw core::Error("details: \"" + std::string(word) + "\"");
  }
}

TrialState parse_state(const std::string& text) {
  for (TrialState state :
       {TrialState::Done, TrialState::Refused, TrialState::Failed, TrialState::Proposed, TrialState::Running}) {
    if (text == to_string(state)) return state;
  }
  if (text == kCopy) return TrialState::Proposed;  // until it is resolved
  throw core::Error("state \"" + text + "\"");
}

}  // namespace

std::string escape(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const char32_t c = core::next_code_point(text, at);
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == core::kNotUtf8 || c < 0x20 || c == 0x7f) {
      add_escaped_byte(out, static_cast<unsigned char>(text[begin]));
    } else {
      out += text.substr(begin, at - begin);
    }
  }
  return out;
}

std::string unescape(std::string_view text) {
  if (text.find('\\') == std::string_view::npos) return std::string(text);
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      out += text[at];
      continue;
    }
    const char kind = ++at < text.size() ? text[at] : ' ';
    if (kind == '\\') {
      out += '\\';
    } else if (kind == 'n') {
      out += '\n';
    } else if (kind == 't') {
      out += '\t';
    } else if (kind == 'x') {
      out += static_cast<char>(parse<unsigned>(text.substr(at + 1, 2), "escape", 16));
      at += 2;
    } else {
      throw core::Error("escape \"\\" + std::string(1, kind) + "\"");
    }
  }
  return out;
}

std::string bits_text(double value) {
  if (!std::isnan(value)) return core::number(value);
  const auto bits = std::bit_cast<uint64_t>(value);
  if (bits == std::bit_cast<uint64_t>(std::numeric_limits<double>::quiet_NaN())) return "nan";
  char text[16];
  return "nan:" + std::string(text, std::to_chars(text, text + sizeof text, bits, 16).ptr);
}

double parse_bits(std::string_view text) {
  if (text.starts_with("nan:")) return std::bit_cast<double>(parse<uint64_t>(text.substr(4), "number", 16));
  return parse<double>(text, "number");
}

std::string choice_text(const Genotype& genotype) {
  std::string text;
  for (int c : genotype.choice) {
    if (!text.empty()) text += ' ';
    text += std::to_string(c);
  }
  return text;
}

Genotype parse_choice(std::string_view text) {
  Genotype genotype;
  while (!text.empty()) genotype.choice.push_back(parse<int>(take(text, ' '), "genotype"));
  return genotype;
}

TrialRow encode(const Trial& trial) {
  const bool copy = trial.same_as >= 0;
  TrialRow row{.trial = trial.index,
               .state = copy ? kCopy : to_string(trial.state),
               .rung = trial.rung,
               .fidelity = bits_text(trial.fidelity),
               .genotype = choice_text(trial.genotype),
               .hash = copy ? core::Hash128{}.hex() : trial.hash.hex(),
               .same_as = trial.same_as,
               .worker = escape(trial.worker),
               .tries = trial.tries,
               .seconds = bits_text(trial.seconds),
               .details = {},
               .checksum = {}};
  add_proposal(row.details, trial);
  if (!copy) add_result(row.details, trial);
  row.checksum = checksum(row);
  return row;
}

Trial decode(const TrialRow& row) {
  if (row.checksum != checksum(row))
    throw core::Error("its checksum is not that of its values, which somebody or something has changed");
  Trial trial;
  trial.index = row.trial;
  trial.genotype = parse_choice(row.genotype);
  trial.hash = core::Hash128::from_hex(row.hash);
  trial.state = parse_state(row.state);
  trial.same_as = row.same_as;
  trial.seconds = parse_bits(row.seconds);
  trial.rung = static_cast<int>(row.rung);
  trial.fidelity = parse_bits(row.fidelity);
  trial.worker = unescape(row.worker);
  trial.tries = static_cast<int>(row.tries);
  std::string_view details = row.details;
  while (!details.empty()) read_line(trial, take(details, '\n'));
  return trial;
}

}  // namespace condenser::search
