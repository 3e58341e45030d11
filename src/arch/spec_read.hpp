#pragma once
// What the reader of operators and the table of block calls share: values out of one mapping of a Spec file.

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "condenser/arch/builder.hpp"
#include "condenser/core/config.hpp"

namespace condenser::arch {

inline constexpr std::array kActivations = {
    ActivationKind::Relu,      ActivationKind::Relu6,       ActivationKind::Silu, ActivationKind::Sigmoid,
    ActivationKind::HardSwish, ActivationKind::HardSigmoid, ActivationKind::Tanh};
inline constexpr std::array kAxes = {SoftmaxAxis::Channels, SoftmaxAxis::Space};

void require(const core::config::Reader&, const std::string& key, const std::string& expected);
int read_integer(core::config::Reader&, const std::string& key, int fallback, int min, int max,
                 const std::string& help);
bool read_boolean(core::config::Reader&, const std::string& key, bool fallback, const std::string& help);
int read_out(core::config::Reader&);  // "out", which must be there
std::optional<ActivationKind> read_optional_activation(core::config::Reader&, std::optional<ActivationKind> fallback);

template <class Enum, size_t N>
Enum read_enum(core::config::Reader& r, const std::string& key, Enum fallback, const std::array<Enum, N>& all,
               const std::string& help) {
  std::string word = to_string(fallback);
  std::vector<std::string> words;
  for (Enum one : all) words.push_back(to_string(one));
  r.choice(key, word, words, help);
  for (Enum one : all) {
    if (word == to_string(one)) return one;
  }
  return fallback;
}

// A call of a block by name.
struct BlockCall {
  const char* name;
  // Reads the arguments, refuses the keys left over, appends the nodes; the output.
  int (*append)(core::config::Reader&, Builder&, int x, const std::string& name);
};
const std::vector<BlockCall>& block_calls();

}  // namespace condenser::arch
