// Cycles from a listing: by the rules of the manuals, on examples that stand there, and summed over what was executed.

#include "verify/cycles.hpp"

#include "support/catch.hpp"

using namespace condenser;
using verify::Timing;

namespace {

const Timing kCore{.load = 2,
                   .load_after_load = 1,
                   .address_wait = 1,
                   .store_apart = 2,
                   .multiply = 3,
                   .divide = 7,
                   .taken = 2,
                   .flash_wait = 5};

// Instructions of two bytes each from 0x100 on.
verify::Listing listing_of(const std::vector<std::string>& lines) {
  std::string text = "\nprogram:     file format elf32-littlearm\n\n00000100 <cnd_add>:\n";
  char address[16];
  for (size_t i = 0; i < lines.size(); ++i) {
    std::snprintf(address, sizeof address, "     %zx:\t", 0x100 + 2 * i);
    text += address + lines[i] + "\n";
  }
  return verify::read_listing(text);
}

double cycles(const std::vector<std::string>& lines) {
  return verify::straight_cycles(listing_of(lines), 0x100, static_cast<int64_t>(lines.size()), kCore);
}

}  // namespace

TEST_CASE("loads overlap unless the next address needs what they bring", "[verify]") {
  CHECK(cycles({"ldr\tr0, [r1]", "ldr\tr1, [r2]"}) == 3);
  CHECK(cycles({"ldr.w\tr0, [r1, r2]", "str\tr0, [r3, #20]"}) == 3);
  CHECK(cycles({"ldr\tr0, [r1, r5]", "ldr\tr1, [r2]", "ldr\tr2, [r3, #4]"}) == 4);
  CHECK(cycles({"ldr\tr0, [r1]", "ldr\tr1, [r0]"}) == 4);
  CHECK(cycles({"ldr\tr1, [r4]", "ldr\tr0, [r12]"}) == 3);  // r1 is not r12
  CHECK(cycles({"ldr.w\tr0, [r1, r2]", "str.w\tr1, [r3, r2]"}) == 3);
}

TEST_CASE("an address that was just computed is waited for", "[verify]") {
  CHECK(cycles({"adds\tr0, r1, #4", "ldr\tr2, [r0]"}) == 4);
  CHECK(cycles({"adds\tr0, r1, #4", "ldr\tr2, [r3]"}) == 3);
  CHECK(cycles({"cmp\tr0, #4", "ldr\tr2, [r0]"}) == 3);
  CHECK(cycles({"add\tr0, sp, #4", "strb\tr2, [r0, #1]"}) == 3);
}

TEST_CASE("several registers, products, divisions and all else take what the core says", "[verify]") {
  CHECK(cycles({"push\t{r4, r5, r6, lr}"}) == 5);
  CHECK(cycles({"vpush\t{d8-d11}"}) == 5);
  CHECK(cycles({"ldrd\tsl, fp, [r3], #8"}) == 3);
  CHECK(cycles({"smlad\tr2, sl, ip, r2"}) == 3);
  CHECK(cycles({"smull\tr0, r1, r2, r3"}) == 1);
  CHECK(cycles({"str\tr0, [r1]", "str.w\tr0, [r1, r2]", "ldr\tr3, [r4]"}) == 5);
  CHECK(cycles({"udiv\tr0, r0, r1"}) == 7);
  CHECK(cycles({"sxtb16\tr2, ip, ror #8", "nop", "bne.w\t105c <cnd_add>"}) == 3);
}

TEST_CASE("cycles of calls are those of their blocks, jumps and waits for flash", "[verify]") {
  const auto listing = listing_of({"ldr\tr0, [r1]", "ldr\tr1, [r2]", "adds\tr0, r0, r1", "bx\tlr"});
  const std::string blocks = "block 256 4 10\nblock 260 2 3\ncount 12 2\nblock 262 1 1\ncount 0 0\n";
  const std::vector<double> found = verify::cycles_of(blocks, listing, kCore);
  CHECK(found == std::vector<double>{10 * 5 + 3 * 2 + 12 * 2 + 2 * 5, 1});
  // Every instruction a cycle: the instructions themselves.
  CHECK(verify::cycles_of(blocks, listing, {}) == std::vector<double>{46, 1});
  CHECK(verify::cycles_of("block 1000 4 10\ncount 12 2\n", listing, kCore).empty());  // of another program
  CHECK(verify::cycles_of("block 256 5 10\ncount 12 2\n", listing, kCore).empty());
}
