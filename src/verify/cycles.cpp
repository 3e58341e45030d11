#include "verify/cycles.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>

namespace condenser::verify {
namespace {

using Kind = Instruction::Kind;

bool begins(const std::string& text, std::initializer_list<const char*> words) {
  return std::ranges::any_of(words, [&](const char* word) { return text.starts_with(word); });
}

Kind kind_of(const std::string& mnemonic) {
  if (begins(mnemonic, {"ldm", "stm", "push", "pop", "ldrd", "strd", "vldm", "vstm", "vpush", "vpop"}))
    return Kind::Multiple;
  if (begins(mnemonic, {"ldr", "vldr"})) return Kind::Load;
  if (begins(mnemonic, {"str", "vstr"})) return Kind::Store;
  if (begins(mnemonic, {"udiv", "sdiv"})) return Kind::Divide;
  if (begins(mnemonic, {"umull", "smull", "umlal", "smlal", "umaal"})) return Kind::LongMultiply;
  if (begins(mnemonic, {"mla", "mls"})) return Kind::MultiplyAdd;
  if (begins(mnemonic, {"mul", "smul", "smla", "smls", "smm", "smu"})) return Kind::Multiply;
  return Kind::Other;
}

// "{r4, r5, d8-d11}" -> 6; a double load has two.
int registers_in(const std::string& operands) {
  const size_t open = operands.find('{');
  if (open == std::string::npos) return 2;
  int count = 0;
  std::istringstream list(operands.substr(open + 1, operands.find('}') - open - 1));
  for (std::string part; std::getline(list, part, ',');) {
    const size_t dash = part.find('-');
    count += dash == std::string::npos
                 ? 1
                 : std::atoi(part.c_str() + dash + 2) - std::atoi(part.c_str() + part.find_first_of("0123456789")) + 1;
  }
  return count;
}

bool names(const std::string& text, const std::string& register_name) {
  for (size_t at = text.find(register_name); at != std::string::npos; at = text.find(register_name, at + 1)) {
    const size_t end = at + register_name.size();
    if (end == text.size() || text[end] < '0' || text[end] > '9') return true;
  }
  return false;
}

Instruction instruction_of(const std::string& mnemonic, const std::string& operands) {
  Instruction i{.kind = kind_of(mnemonic)};
  if (i.kind == Kind::Multiple) i.words = registers_in(operands);
  if (i.kind == Kind::Load || i.kind == Kind::Store) {
    const size_t open = operands.find('['), close = operands.find(']');
    if (open != std::string::npos && close != std::string::npos)
      i.address = operands.substr(open + 1, close - open - 1);
  }
  const bool writes = i.kind != Kind::Store && i.kind != Kind::Multiple && !begins(mnemonic, {"b", "cmp", "tst"});
  if (writes && begins(operands, {"r", "s", "ip", "fp", "lr"})) i.to = operands.substr(0, operands.find(','));
  return i;
}

double cycles_alone(const Instruction& i, const Timing& t) {
  switch (i.kind) {
    case Kind::Load: return t.load;
    case Kind::Store: return i.address.find(", r") == std::string::npos ? t.store : t.store_apart;
    case Kind::Multiple: return t.multiple + i.words * t.multiple_word;
    case Kind::Multiply: return t.multiply;
    case Kind::MultiplyAdd: return t.multiply_add;
    case Kind::LongMultiply: return t.long_multiply;
    case Kind::Divide: return t.divide;
    case Kind::Other: break;
  }
  return 1;
}

// What it takes behind the one before: loads overlap, and addresses that were just computed are waited for.
double cycles_behind(const Instruction& before, const Instruction& i, const Timing& t) {
  const bool needs = !before.to.empty() && names(i.address, before.to);
  const double alone = cycles_alone(i, t);
  if (before.kind == Kind::Load && i.kind == Kind::Load) return needs ? alone : t.load_after_load;
  if (before.kind == Kind::Load && i.kind == Kind::Store) return needs ? alone : t.store;
  if (before.kind == Kind::Load) return alone;
  return needs ? alone + t.address_wait : alone;
}

}  // namespace

Listing read_listing(const std::string& objdump) {
  Listing listing;
  std::istringstream lines(objdump);
  for (std::string line; std::getline(lines, line);) {  // "    80f4:\tldr\tr3, [r0, #4]"
    const size_t colon = line.find(":\t"), first = line.find_first_not_of(' ');
    if (colon == std::string::npos || first >= colon) continue;
    uint64_t address = 0;
    const auto [end, error] = std::from_chars(line.data() + first, line.data() + colon, address, 16);
    if (error != std::errc() || end != line.data() + colon) continue;
    const size_t tab = line.find('\t', colon + 2);
    const std::string operands = tab == std::string::npos ? "" : line.substr(tab + 1);
    listing[address] = instruction_of(line.substr(colon + 2, tab - colon - 2), operands);
  }
  return listing;
}

double straight_cycles(const Listing& listing, uint64_t address, int64_t count, const Timing& timing) {
  auto at = listing.find(address);
  const Instruction* before = nullptr;
  double cycles = 0;
  for (int64_t k = 0; k < count; ++k, ++at) {
    if (at == listing.end()) return -1;
    cycles += before == nullptr ? cycles_alone(at->second, timing) : cycles_behind(*before, at->second, timing);
    before = &at->second;
  }
  return cycles;
}

std::vector<double> cycles_of(const std::string& blocks, const Listing& listing, const Timing& timing) {
  std::vector<double> result;
  double cycles = 0;
  std::istringstream words(blocks);
  for (std::string what; words >> what;) {
    uint64_t a = 0, b = 0, c = 0;
    if (!(words >> a >> b) || (what == "block" && !(words >> c))) return {};
    if (what == "block") {
      const double once = straight_cycles(listing, a, static_cast<int64_t>(b), timing);
      if (once < 0) return {};
      cycles += once * static_cast<double>(c);
    } else {
      cycles += static_cast<double>(a) * timing.taken;
      result.push_back(cycles + static_cast<double>(b) * timing.flash_wait);
      cycles = 0;
    }
  }
  return result;
}

}  // namespace condenser::verify
