// Sizes and colours of pictures, front-ends of sounds: one space for each, and the choice among them as decisions.
//
// A front-end runs frame by frame while the clip arrives and fills the input of the network, which runs after it. So
// both share one arena: its peak is that of the network, or the input with the buffers of the front-end beside it.
#include "search/spaces/inputs.hpp"

#include <algorithm>

#include "condenser/core/text.hpp"
#include "condenser/search/table.hpp"
#include "search/spaces/options.hpp"

namespace condenser::search {
namespace {

using core::config::Reader;

const std::vector<std::string> kColours = {"grey", "rgb"};

// One thing that is chosen: a decision, and where its option goes.
struct Axis {
  Decision decision;
  void (*set)(InputChoice&, int option);
};

struct Prepared {
  InputChoice choice;
  PreparedInput input;
  std::unique_ptr<Space> space;
};

class InputSpace final : public Space {
 public:
  // `prepared`: for every combination of the axes, the last one changing fastest.
  InputSpace(std::vector<Decision> inputs, std::vector<Prepared> prepared)
      : inputs_(std::move(inputs)), prepared_(std::move(prepared)), decisions_(prepared_[0].space->decisions()) {
    decisions_.insert(decisions_.end(), inputs_.begin(), inputs_.end());
  }

  const std::vector<Decision>& decisions() const override { return decisions_; }
  bool chooses_input() const override { return true; }

  Candidate expand(const Genotype& genotype) const override {
    check(*this, genotype);
    const size_t networks = decisions_.size() - inputs_.size();
    size_t place = 0;
    for (size_t i = 0; i < inputs_.size(); ++i)
      place = place * inputs_[i].options.size() + static_cast<size_t>(genotype.choice[networks + i]);
    const Prepared& p = prepared_[place];
    const auto end = genotype.choice.begin() + static_cast<std::ptrdiff_t>(networks);
    Candidate candidate = p.space->expand({{genotype.choice.begin(), end}});
    candidate.input = p.choice;
    put_before(candidate, p.input);
    return candidate;
  }

 private:
  std::vector<Decision> inputs_;
  std::vector<Prepared> prepared_;
  std::vector<Decision> decisions_;
};

// Options under a key; []: no decision.
void add(std::vector<Axis>& axes, Reader& reader, const std::string& prefix, const std::string& key, int max,
         const std::string& help, void (*set)(InputChoice&, int)) {
  std::vector<int> options;
  reader.integers(key, options, 1, max, help);
  if (!options.empty()) read_integers(reader, key, options, 1, max, help);
  if (!options.empty()) axes.push_back({{prefix + key, options, {}}, set});
}

void add_colour(std::vector<Axis>& axes, Reader& reader) {
  const std::string help = "grey, rgb: decision input_colour; []: as the data have it";
  std::vector<std::string> words;
  reader.choices("colour", words, kColours, help);
  if (words.empty()) return;
  std::vector<int> options = {0};
  read_names(reader, "colour", options, kColours, help);
  axes.push_back({named("input_colour", options, kColours),
                  [](InputChoice& c, int option) { c.colour = kColours[static_cast<size_t>(option)]; }});
}

std::vector<Axis> read_axes(Reader& reader) {
  std::vector<Axis> axes;
  Reader input = reader.section("input", "what pictures are brought to, as decisions");
  add(axes, input, "input_", "size", 4096,
      "heights in pixels, the width in proportion: decision input_size; []: as the data have it",
      [](InputChoice& c, int option) { c.size = option; });
  add_colour(axes, input);
  Reader front_end =
      reader.section("front_end", "of sounds, as decisions; its tables and buffers count in flash and RAM");
  add(axes, front_end, "front_end_", "coefficients", 256,
      "numbers of MFCC: decision front_end_coefficients; []: as the data have it",
      [](InputChoice& c, int option) { c.coefficients = option; });
  add(axes, front_end, "front_end_", "stride_ms", 1000,
      "milliseconds from frame to frame: decision front_end_stride_ms; []: as the data have it",
      [](InputChoice& c, int option) { c.stride_ms = option; });
  return axes;
}

std::vector<InputChoice> choices_of(const std::vector<Axis>& axes) {
  std::vector<InputChoice> choices = {{}};
  for (const Axis& axis : axes) {
    std::vector<InputChoice> longer;
    for (const InputChoice& choice : choices) {
      for (const int option : axis.decision.options) {
        longer.push_back(choice);
        axis.set(longer.back(), option);
      }
    }
    choices = std::move(longer);
  }
  return choices;
}

const char* section_of(const InputChoice& c) { return c.size > 0 || !c.colour.empty() ? "input" : "front_end"; }

PreparedInput prepare(const Reader& reader, const SpaceContext& context, const InputChoice& choice) {
  if (!context.prepare) throw reader.error(section_of(choice), "no choice: what the data can be is not known here");
  try {
    return context.prepare(choice);
  } catch (const core::Error& e) {
    throw core::ConfigError(reader.where(section_of(choice)) + ": " + e.what());
  }
}

// A default that follows the input would make genotypes mean different things.
std::string difference(const Space& a, const Space& b) {
  const std::vector<Decision>&x = a.decisions(), &y = b.decisions();
  for (size_t i = 0; i < std::max(x.size(), y.size()); ++i)
    if (i >= x.size() || i >= y.size() || x[i] != y[i]) return i < x.size() ? x[i].name : y[i].name;
  return "";
}

std::string difference(const std::vector<core::config::Setting>& a, const std::vector<core::config::Setting>& b) {
  for (size_t i = 0; i < a.size() && i < b.size(); ++i)
    if (a[i].path != b[i].path || a[i].value != b[i].value) return a[i].path;
  return "";
}

}  // namespace

void put_before(Candidate& candidate, const PreparedInput& input) {
  if (input.constant_bytes == 0 && input.buffer_bytes == 0) return;
  candidate.front_end_bytes = input.constant_bytes;
  candidate.filling_bytes = candidate.spec.input.elements() + input.buffer_bytes;
  count_front_end(candidate);
}

void count_front_end(Candidate& candidate) {
  if (candidate.filling_bytes == 0) return;
  candidate.costs["constant_bytes"] =
      static_cast<double>(candidate.lowered_cost.constant_bytes + candidate.front_end_bytes);
  candidate.costs["arena_bytes"] = static_cast<double>(std::max(candidate.plan.peak_bytes, candidate.filling_bytes));
}

std::unique_ptr<Space> make_with_inputs(const SpaceRow& row, Reader& reader, const SpaceContext& context) {
  const std::vector<Axis> axes = read_axes(reader);
  if (axes.empty()) return row.make(reader, context);
  std::vector<Prepared> prepared;
  std::vector<core::config::Setting> settings;
  for (const InputChoice& choice : choices_of(axes)) {
    Prepared p{choice, prepare(reader, context, choice), nullptr};
    p.space = row.make(reader, {p.input.shape, context.classes, nullptr, context.frames});
    if (is_table(*p.space)) throw reader.error(section_of(choice), "no choice: networks of a table see nothing");
    std::string differs = prepared.empty() ? "" : difference(*prepared[0].space, *p.space);
    if (!prepared.empty() && differs.empty()) differs = difference(settings, reader.settings());
    if (!differs.empty())
      throw core::ConfigError(reader.where(section_of(choice)) + ": " + differs + " is not the same for inputs " +
                              arch::to_string(prepared[0].input.shape) + " and " + arch::to_string(p.input.shape) +
                              "; expected it to be written down in the space, so that it holds for all of them");
    settings = reader.settings();
    prepared.push_back(std::move(p));
  }
  std::vector<Decision> inputs;
  for (const Axis& axis : axes) inputs.push_back(axis.decision);
  return std::make_unique<InputSpace>(std::move(inputs), std::move(prepared));
}

std::string to_text(const InputChoice& c) {
  std::vector<std::string> words;
  if (c.size > 0) words.push_back("size " + std::to_string(c.size));
  if (!c.colour.empty()) words.push_back("colour " + c.colour);
  if (c.coefficients > 0) words.push_back(std::to_string(c.coefficients) + " coefficients");
  if (c.stride_ms > 0) words.push_back("stride " + std::to_string(c.stride_ms) + " ms");
  return core::join(words);
}

}  // namespace condenser::search
