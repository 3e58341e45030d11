// The machines. Boards are those of qemu 7.2 whose memory holds any network of ours; options choose the processor
// alone.
#include <algorithm>

#include "condenser/core/error.hpp"
#include "condenser/core/text.hpp"
#include "condenser/verify/machine.hpp"

namespace condenser::verify {
namespace {

constexpr uint32_t kMiB = 1u << 20;
constexpr Board kMps2{0, 4 * kMiB, 0x20000000, 4 * kMiB};
constexpr const char* kArm = "arm-none-eabi-gcc";
constexpr const char* kArmPackages = "gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm";

// Cortex-M0 Technical Reference Manual, 3.3: the multiplier of one cycle; flash without wait states (up to 24 MHz).
constexpr Timing kM0{.load = 2,
                     .load_after_load = 2,
                     .store = 2,
                     .store_apart = 2,
                     .taken = 2,
                     .source = "Cortex-M0 TRM, instruction set summary; no flash wait states"};

// Cortex-M3 and Cortex-M4 Technical Reference Manuals, 3.3: a taken jump refills the pipeline in one to three cycles,
// long products of the M3 take three to seven and divisions two to twelve, the middle is taken. Flash as on an
// STM32F407 at 168 MHz (RM0090, embedded flash memory interface): five wait states behind caches of 64 lines for
// instructions and 8 for data.
constexpr Timing kM4{.load = 2,
                     .load_after_load = 1,
                     .address_wait = 1,
                     .store_apart = 2,
                     .divide = 7,
                     .taken = 2,
                     .flash_wait = 5,
                     .source =
                         "Cortex-M4 TRM, instruction set summary; 5 flash wait states behind the caches of an "
                         "STM32F4 at 168 MHz"};
constexpr Timing m3() {
  Timing t = kM4;
  t.multiply_add = 2;
  t.long_multiply = 5;
  t.source = "Cortex-M3 TRM, instruction set summary; 5 flash wait states behind the caches of an STM32F4";
  return t;
}

std::vector<std::string> board(const char* name, const char* emulator = "qemu-system-arm") {
  return {emulator, "-M",      name,   "-nographic",          "-monitor",
          "none",   "-serial", "none", "-semihosting-config", "enable=on,target=native",
          "-kernel"};
}

std::vector<std::string> with(std::vector<std::string> emulator, const std::vector<std::string>& options) {
  emulator.insert(emulator.begin() + 1, options.begin(), options.end());
  return emulator;
}

}  // namespace

const std::vector<Machine>& machines() {
  static const std::vector<Machine> table = {
      // Armv6-M: no SIMD, no long multiplication (its code, run by a Cortex-M3).
      {"cortex-m0", kArm, {"-mcpu=cortex-m0", "-mthumb"}, board("mps2-an385"), kArmPackages, kMps2, kM0},
      // Armv7-M: no SIMD.
      {"cortex-m3", kArm, {"-mcpu=cortex-m3", "-mthumb"}, board("mps2-an385"), kArmPackages, kMps2, m3()},
      // Armv7E-M: SIMD in words.
      {"cortex-m4",
       kArm,
       {"-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"},
       board("mps2-an386"),
       kArmPackages,
       kMps2,
       kM4},
      // Armv7E-M: SIMD in words, two instructions at once.
      {"cortex-m7",
       kArm,
       {"-mcpu=cortex-m7", "-mthumb", "-mfpu=fpv5-d16", "-mfloat-abi=hard"},
       board("mps2-an500"),
       kArmPackages,
       kMps2},
      // Armv8-M: SIMD in words.
      {"cortex-m33",
       kArm,
       {"-mcpu=cortex-m33", "-mthumb", "-mfpu=fpv5-sp-d16", "-mfloat-abi=hard"},
       board("mps2-an505"),
       kArmPackages,
       Board{0x10000000, 4 * kMiB, 0x38000000, 4 * kMiB}},
      // Armv8.1-M: vectors (Helium). All but the first addresses lie in the board's large memory.
      {"cortex-m55",
       kArm,
       {"-mcpu=cortex-m55", "-mthumb", "-mfloat-abi=hard"},
       board("mps3-an547"),
       kArmPackages,
       Board{.rom = 0x60000000, .rom_bytes = 16 * kMiB, .ram = 0x61000000, .ram_bytes = 16 * kMiB, .vectors = 0}},
      // 64-bit Arm with dot products under Linux.
      {"cortex-a55",
       "aarch64-linux-gnu-gcc",
       {"-mcpu=cortex-a55", "-static"},
       {"qemu-aarch64", "-cpu", "max"},
       "gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user",
       std::nullopt},
      // 64-bit Arm under Linux.
      {"aarch64",
       "aarch64-linux-gnu-gcc",
       {"-static"},
       {"qemu-aarch64"},
       "gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user",
       std::nullopt},
      // 32-bit Arm with NEON under Linux.
      {"armv7",
       "arm-linux-gnueabihf-gcc",
       {"-march=armv7-a", "-mfpu=neon", "-mfloat-abi=hard", "-static"},
       {"qemu-arm", "-cpu", "cortex-a15"},
       "gcc-arm-linux-gnueabihf libc6-dev-armhf-cross qemu-user",
       std::nullopt},
      // 32-bit RISC-V with multiplications and short instructions, as of ESP32-C3. A program begins where memory
      // begins.
      {"riscv32",
       "riscv64-unknown-elf-gcc",
       {"-march=rv32imc", "-mabi=ilp32"},
       with(board("virt", "qemu-system-riscv32"), {"-bios", "none"}),
       "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf qemu-system-misc",
       Board{0x80000000, 4 * kMiB, 0x80400000, 4 * kMiB, "--specs=picolibc.specs"}},
      // 64-bit RISC-V under Linux.
      {"riscv64",
       "riscv64-linux-gnu-gcc",
       {"-static"},
       {"qemu-riscv64"},
       "gcc-riscv64-linux-gnu libc6-dev-riscv64-cross qemu-user",
       std::nullopt},
      // The most significant byte first. Its compiler computes floats in double precision unless told otherwise.
      {"s390x",
       "s390x-linux-gnu-gcc",
       {"-static", "-fexcess-precision=fast"},
       {"qemu-s390x"},
       "gcc-s390x-linux-gnu libc6-dev-s390x-cross qemu-user",
       std::nullopt},
  };
  return table;
}

std::vector<std::string> machine_names() {
  std::vector<std::string> names;
  for (const Machine& machine : machines()) names.push_back(machine.name);
  return names;
}

const Machine& find_machine(const std::string& name) {
  const auto found = std::ranges::find(machines(), name, &Machine::name);
  if (found != machines().end()) return *found;
  throw core::ConfigError("machine " + name + "; expected " + core::join(machine_names()));
}

}  // namespace condenser::verify
