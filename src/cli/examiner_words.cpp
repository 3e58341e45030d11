#include "cli/examiner_words.hpp"

#include <bit>
#include <nlohmann/json.hpp>

#include "condenser/core/text.hpp"

namespace condenser::cli {
namespace {

using nlohmann::json;

json bits(double value) { return std::bit_cast<uint64_t>(value); }
double number(const json& j) { return std::bit_cast<double>(j.get<uint64_t>()); }

json bits(const std::map<std::string, double>& values) {
  json object = json::object();
  for (const auto& [name, value] : values) object[name] = bits(value);
  return object;
}

std::map<std::string, double> numbers(const json& object) {
  std::map<std::string, double> values;
  for (const auto& [name, value] : object.items()) values[name] = number(value);
  return values;
}

}  // namespace

std::string question_text(const search::ProbeContext& c) {
  return json{
      {"choice", c.genotype.choice}, {"seed", c.seed}, {"fidelity", bits(c.fidelity)}, {"folder", c.folder.string()}}
      .dump();
}

search::ProbeContext read_question(const std::string& text) {
  const json j = json::parse(text);
  search::ProbeContext c;
  c.genotype.choice = j.at("choice").get<std::vector<int>>();
  c.seed = j.at("seed").get<uint64_t>();
  c.fidelity = number(j.at("fidelity"));
  c.folder = j.at("folder").get<std::string>();
  return c;
}

std::string answer_text(const Answer& a) {
  json curves = json::object();
  for (const auto& [name, values] : a.findings.curves) {
    curves[name] = json::array();
    for (const double value : values) curves[name].push_back(bits(value));
  }
  return json{{"kind", static_cast<int>(a.kind)},
              {"fraction", bits(a.fraction)},
              {"text", a.text},
              {"code", a.code},
              {"metrics", bits(a.findings.metrics)},
              {"nodes", bits(a.findings.node_scores)},
              {"curves", curves}}
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

Answer read_answer(const std::string& text) {
  try {
    const json j = json::parse(text);
    Answer a;
    a.kind = static_cast<Answer::Kind>(j.at("kind").get<int>());
    a.fraction = number(j.at("fraction"));
    a.text = j.at("text").get<std::string>();
    a.code = j.at("code").get<int>();
    a.findings.metrics = numbers(j.at("metrics"));
    a.findings.node_scores = numbers(j.at("nodes"));
    for (const auto& [name, values] : j.at("curves").items())
      for (const json& value : values) a.findings.curves[name].push_back(number(value));
    return a;
  } catch (const json::exception&) {
    throw core::Error("examiner: an answer that cannot be read: " + core::printable(text.substr(0, 200)));
  }
}

}  // namespace condenser::cli
