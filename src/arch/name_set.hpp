#pragma once
// Which node names are taken: an open-addressing table of node indices. Building and checking Specs is what a search
// does most, and a tree of strings was a third of that.

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace condenser::arch {

class NameSet {
 public:
  explicit NameSet(size_t expected = 64) : slots_(capacity_for(expected), kFree) {}

  // False when a node before has this name. `name_of(i)` gives the name of node i; nodes are added in order.
  template <class NameOf>
  bool insert(const std::string& name, uint32_t index, const NameOf& name_of) {
    if (2 * (count_ + 1) > slots_.size()) grow(name_of);
    uint32_t& slot = find(name, name_of);
    if (slot != kFree) return false;
    slot = index;
    ++count_;
    return true;
  }

 private:
  static constexpr uint32_t kFree = 0xffffffff;

  static size_t capacity_for(size_t expected) {
    size_t capacity = 64;
    while (capacity < 2 * expected) capacity *= 2;
    return capacity;
  }

  // Eight bytes at a time, the last ones perhaps twice: a name is two or three words.
  static size_t hash(const std::string& name) {
    const size_t size = name.size();
    uint64_t state = size;
    const auto mix = [&](uint64_t word) {
      state = (state ^ word) * 0x9e3779b97f4a7c15;  // 2^64 over the golden ratio
      state ^= state >> 32;
    };
    const auto word_at = [&](size_t at) {
      uint64_t word = 0;
      std::memcpy(&word, name.data() + at, 8);
      return word;
    };
    if (size < 8) {
      for (char c : name) mix(static_cast<unsigned char>(c));
      return state;
    }
    for (size_t at = 0; at + 8 < size; at += 8) mix(word_at(at));
    mix(word_at(size - 8));
    return state;
  }

  template <class NameOf>
  uint32_t& find(const std::string& name, const NameOf& name_of) {
    const size_t mask = slots_.size() - 1;
    size_t at = hash(name) & mask;
    while (slots_[at] != kFree && name_of(slots_[at]) != name) at = (at + 1) & mask;
    return slots_[at];
  }

  template <class NameOf>
  void grow(const NameOf& name_of) {
    std::vector<uint32_t> old(2 * slots_.size(), kFree);
    old.swap(slots_);
    for (uint32_t index : old)
      if (index != kFree) find(name_of(index), name_of) = index;
  }

  std::vector<uint32_t> slots_;
  size_t count_ = 0;
};

}  // namespace condenser::arch
