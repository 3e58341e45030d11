#include "cli/inputs.hpp"

#include <algorithm>
#include <sstream>

#include "condenser/core/table.hpp"
#include "condenser/core/text.hpp"

namespace condenser::cli {

data::Preparation preparation_of(const search::InputChoice& c) {
  return {.size = c.size,
          .colour = c.colour,
          .coefficients = c.coefficients,
          .stride_ms = static_cast<double>(c.stride_ms)};
}

data::Preparation preparation_of(const InputRecord& r) {
  return {.size = static_cast<int>(r.size),
          .colour = r.colour,
          .coefficients = static_cast<int>(r.coefficients),
          .stride_ms = r.stride_ms};
}

InputRecord record_of(const search::InputChoice& c) {
  return {.size = c.size,
          .colour = c.colour,
          .coefficients = c.coefficients,
          .stride_ms = static_cast<double>(c.stride_ms)};
}

search::PreparedInput with_front_end(const data::Card& card) {
  const data::FrontEndCost cost = data::cost_of(card.audio);
  return {card.shape, cost.constant_bytes, cost.buffer_bytes};
}

search::SpaceContext space_context(const data::Card& card, bool prepared) {
  search::SpaceContext context{card.shape, static_cast<int>(card.classes.size())};
  context.frames = card.format == "wav_folder";
  context.prepare = [card, prepared](const search::InputChoice& choice) {
    if (prepared)
      throw core::ConfigError(
          "the space chooses what the data are brought to, and so does dataset (size, colour, "
          "front_end); expected one of them");
    const data::Card made = data::prepare(card, preparation_of(choice));
    if (choice.coefficients == 0 && choice.stride_ms == 0) return search::PreparedInput{made.shape};
    return with_front_end(made);
  };
  return context;
}

data::Card card_like(const data::ItemShape& shape, int classes, bool sounds) {
  data::Card card;
  card.name = "of the given shape";
  card.format = sounds ? "wav_folder" : "image_folder";
  card.shape = shape;
  card.classes.resize(static_cast<size_t>(classes));
  card.normalization.mean.assign(static_cast<size_t>(shape.c), 0.5);
  card.normalization.std.assign(static_cast<size_t>(shape.c), 0.25);
  if (!sounds) return card;
  const data::ItemShape usual = data::FrontEnd(card.audio).shape();
  if (!(usual == shape))
    throw core::ConfigError("front_end: an input of " + core::to_string(shape) + "; expected " +
                            core::to_string(usual) + ", of the usual front-end, or a run.yaml with the data");
  return card;
}

namespace {

// Resolved YAML without some of its sections, which begin with their name in the first column.
std::string without(const std::string& yaml, const std::vector<std::string>& sections) {
  std::istringstream lines(yaml);
  std::string kept;
  bool drop = false;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line[0] != ' ')
      drop = std::ranges::find(sections, line.substr(0, line.find(':'))) != sections.end();
    if (!drop) kept += line + "\n";
  }
  return kept;
}

std::string with(const std::string& yaml, const std::string& key, const std::string& value) {
  const size_t at = yaml.find(key);
  if (at == std::string::npos) throw core::Error("resolved configuration: no" + key);
  const size_t begin = at + key.size(), end = yaml.find('\n', begin);
  return yaml.substr(0, begin) + " " + value + yaml.substr(end);
}

}  // namespace

std::string winner_yaml(const RunConfig& c, const search::InputChoice& choice) {
  std::string yaml = "\n" + without(c.resolved, {"space", "search", "probe", "stages", "spec"});
  yaml = with(yaml, "\nname:", core::json_quote(c.name + "_winner"));
  if (choice.size > 0) yaml = with(yaml, "\n  size:", std::to_string(choice.size));
  if (!choice.colour.empty()) yaml = with(yaml, "\n  colour:", choice.colour);
  if (choice.coefficients > 0) yaml = with(yaml, "\n    coefficients:", std::to_string(choice.coefficients));
  if (choice.stride_ms > 0) yaml = with(yaml, "\n    stride_ms:", std::to_string(choice.stride_ms));
  const std::string input = search::to_text(choice);
  return "# The winner of " + core::printable(c.name) + (input.empty() ? "" : ", which sees " + input) +
         ": trains, quantizes, exports and verifies it without a search.\n" + "spec: winner.arch.json" + yaml;
}

}  // namespace condenser::cli
