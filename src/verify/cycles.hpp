#pragma once
// Cycles, estimated: what the emulator counted, times what a core's manual says that it takes. See README.md.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "condenser/verify/machine.hpp"

namespace condenser::verify {

struct Instruction {
  enum class Kind { Other, Load, Store, Multiple, Multiply, MultiplyAdd, LongMultiply, Divide };
  Kind kind = Kind::Other;
  int words = 0;        // of Multiple: registers
  std::string to;       // register that is written first; "" where that is none or of no interest
  std::string address;  // of a load or store: what stands in its brackets
};
// By address.
using Listing = std::map<uint64_t, Instruction>;

Listing read_listing(const std::string& objdump);  // what `objdump -d --no-show-raw-insn` prints

// Of straight code: `count` instructions from `address` on, without the jump at its end and the wait for flash. -1
// where the listing lacks one of them.
double straight_cycles(const Listing&, uint64_t address, int64_t count, const Timing&);

// Of what board/count.c.in writes into its file of blocks: one number for each call that it counts. Empty where that
// and the listing are not of one program.
std::vector<double> cycles_of(const std::string& blocks, const Listing&, const Timing&);

}  // namespace condenser::verify
