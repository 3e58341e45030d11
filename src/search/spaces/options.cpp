#include "search/spaces/options.hpp"

#include <algorithm>

namespace condenser::search {
namespace {

using core::config::Reader;

void tidy(const Reader& reader, const std::string& key, std::vector<int>& values) {
  std::sort(values.begin(), values.end());
  const bool twice = std::adjacent_find(values.begin(), values.end()) != values.end();
  if (values.empty() || twice) throw reader.error(key, "at least one value, each once");
}

}  // namespace

const std::vector<std::string> kActivationNames = {"relu", "silu", "relu6", "hard_swish"};

arch::ActivationKind activation_of(int option) {
  using arch::ActivationKind;
  constexpr ActivationKind kKinds[] = {ActivationKind::Relu, ActivationKind::Silu, ActivationKind::Relu6,
                                       ActivationKind::HardSwish};
  return kKinds[option];
}

const std::vector<std::string> kAttentionNames = {"false", "true", "rescaled", "normalized"};
const char* const kAttentionHelp =
    "double-condensing attention where a block has a projection: true: as published; rescaled: the softmax times its "
    "number of channels; normalized: with a batch norm behind the product";

void set_attention(arch::ColumnOptions& o, int option) {
  o.attention = option > 0;
  o.rescale = option == 2;
  o.normalize = option == 3;
}

const std::vector<std::string> kDownsamplingNames = [] {
  std::vector<std::string> names;
  for (const arch::Downsampling kind : arch::kDownsamplings) names.emplace_back(arch::to_string(kind));
  return names;
}();

void read_integers(Reader& reader, const std::string& key, std::vector<int>& options, int min, int max,
                   const std::string& help, int step) {
  reader.integers(key, options, min, max, help);
  tidy(reader, key, options);
  for (const int v : options)
    if (v % step != 0) throw reader.error(key, "multiples of " + std::to_string(step));
}

void read_names(Reader& reader, const std::string& key, std::vector<int>& options,
                const std::vector<std::string>& names, const std::string& help) {
  std::vector<std::string> words;
  for (const int v : options) words.push_back(names[static_cast<size_t>(v)]);
  reader.choices(key, words, names, help);
  options.clear();
  for (const std::string& word : words)
    options.push_back(static_cast<int>(std::find(names.begin(), names.end(), word) - names.begin()));
  tidy(reader, key, options);
}

Decision named(const std::string& name, const std::vector<int>& options, const std::vector<std::string>& names) {
  Decision d{name, options, {}};
  for (const int option : options) d.labels.push_back(names[static_cast<size_t>(option)]);
  return d;
}

size_t DecisionList::integers(Reader& reader, const std::string& prefix, const std::string& key,
                              std::vector<int> options, int min, int max, const std::string& help, int step) {
  read_integers(reader, key, options, min, max, help, step);
  decisions.push_back({prefix + key, std::move(options), {}});
  return decisions.size() - 1;
}

size_t DecisionList::names(Reader& reader, const std::string& prefix, const std::string& key, std::vector<int> options,
                           const std::vector<std::string>& names, const std::string& help) {
  read_names(reader, key, options, names, help);
  decisions.push_back(named(prefix + key, options, names));
  return decisions.size() - 1;
}

std::vector<int> fitting_strides(const arch::Shape& input, const std::vector<int>& strides) {
  constexpr int64_t kLeast = 17, kMost = 56;
  const int64_t side = std::min(input.h, input.w);
  std::vector<int> fitting;
  for (const int stride : strides) {
    if (side >= kLeast * stride && side <= kMost * stride) fitting.push_back(stride);
  }
  if (fitting.empty()) fitting.push_back(side < kLeast ? strides.front() : strides.back());
  return fitting;
}

void check_extent(const Reader& reader, const std::string& key, const std::vector<int>& strides, int64_t side,
                  const arch::Shape& input) {
  for (size_t i = 0; i < strides.size(); ++i) {
    if (side < strides[i]) {
      throw reader.error(key, "fewer strides of 2: stage " + std::to_string(i + 1) + " would halve a map of " +
                                  std::to_string(side) + " pixel for input " + arch::to_string(input));
    }
    side /= strides[i];
  }
}

void read_strides(Reader& reader, std::vector<int>& strides, int stages) {
  strides.resize(static_cast<size_t>(stages), 2);
  reader.integers("stage_strides", strides, 1, 2, "stride of each stage's first block");
  if (static_cast<int>(strides.size()) != stages)
    throw reader.error("stage_strides", std::to_string(stages) + " strides, one for each stage");
}

void check_context(const std::string& space, const SpaceContext& context) {
  if (context.classes >= 1 && context.input.elements() >= 1) return;
  throw core::Error("space " + space + ": input " + arch::to_string(context.input) + " and " +
                    std::to_string(context.classes) + " classes; expected at least one of each");
}

}  // namespace condenser::search
