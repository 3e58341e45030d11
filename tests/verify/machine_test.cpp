// Exports on emulated machines: the same integers, and what they take there.
#include "condenser/verify/machine.hpp"

#include "cli/noise_export.hpp"
#include "condenser/arch/blocks.hpp"
#include "condenser/arch/builder.hpp"
#include "condenser/arch/machine_model.hpp"
#include "condenser/arch/passes.hpp"
#include "condenser/arch/zoo.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/rng.hpp"
#include "condenser/core/temporary_folder.hpp"
#include "support/absent.hpp"
#include "support/c99_package.hpp"
#include "support/catch.hpp"
#include "support/int16_networks.hpp"

namespace condenser::verify {
namespace {

constexpr size_t kSamples = 4;

using testing::C99Export;

// Channels for two vectors and a part of a third, in every kernel that has a form for vectors.
arch::Spec wide_network() {
  using namespace arch;
  Builder b("wide", {3, 21, 19});
  int x = b.add("stem", Conv2d{40, square(3), square(2), pad_all(1), 1, true}, {b.input()});
  x = b.add("silu", Activation{ActivationKind::Silu}, {x});
  x = b.add("depthwise", Conv2d{40, square(3), square(1), pad_all(1), 40, true}, {x});
  const int grouped = b.add("grouped", Conv2d{40, square(3), square(1), pad_all(1), 2, true}, {x});
  x = b.add("sum", Add{}, {x, grouped});
  const int value = b.add("value", Conv2d{40, square(1), square(1), Pad{}, 1, true}, {x});
  x = b.add("attention", SoftmaxMul{}, {x, value});
  x = b.add("pool", AvgPool{square(3), square(2), pad_all(1)}, {x});
  classifier_head(b, x, 5);
  return b.finish();
}

// A chain of convolutions of all kinds, every size odd where it can be, half of them with weights of 4 bits.
arch::Spec convolutions(core::Rng& rng) {
  const auto between = [&](int low, int high) {
    return low + static_cast<int>(rng.below(static_cast<uint64_t>(high - low + 1)));
  };
  arch::Builder b("convolutions", {between(1, 7), between(9, 19), between(5, 19)});
  for (int k = 0; k < 12; ++k) {
    const int last = b.last();
    const arch::Shape in = b.shape(last);
    const int c = static_cast<int>(in.c);
    arch::Conv2d conv;
    conv.kernel = {between(1, 4), between(1, 4)};
    if (k % 3 == 0) conv.kernel = arch::square(3);
    if (k % 3 == 1) conv.kernel = arch::square(1);
    conv.pad = {conv.kernel.h / 2, between(0, conv.kernel.h - 1), conv.kernel.w / 2, between(0, conv.kernel.w - 1)};
    if (in.h > 6 && in.w > 6) conv.stride = {between(1, 2), between(1, 2)};
    const bool depthwise = k % 3 == 0 && k > 0;
    conv.groups = depthwise ? c : (c % 3 == 0 ? 3 : 1);
    conv.out = conv.groups * (depthwise ? between(1, c < 20 ? 2 : 1) : between(1, 40 / conv.groups));
    conv.clamp = k % 2 == 0 ? arch::Clamp::Relu : arch::Clamp::None;
    conv.bias = true;
    conv.weight_bits = between(0, 1) == 0 ? 4 : 8;
    b.add("c" + std::to_string(k), conv, {last});
  }
  const int last = b.last();
  const arch::Shape in = b.shape(last);
  const int side = b.add("side", arch::Conv2d{static_cast<int>(in.c), arch::square(1), arch::square(1), {}, 1}, {last});
  b.add("pool", arch::GlobalAvgPool{}, {b.add("sum", arch::Add{}, {last, side})});
  b.add("fc", arch::Linear{.out = between(2, 9), .weight_bits = 4}, {b.last()});
  return b.finish();
}

}  // namespace

TEST_CASE("forms for one instruction set give the integers of the executor, whatever the shapes", "[verify][slow]") {
  core::Rng rng(17);
  for (int round = 0; round < 3; ++round) {
    const core::TemporaryFolder temporary;
    const std::filesystem::path folder = temporary.path() / "out";
    const testing::C99Case test =
        testing::c99_case(arch::lower(convolutions(rng), nullptr), static_cast<uint64_t>(round), kSamples);
    exporters::find_target("c99").write(test.package, test.answers, {}, folder);
    for (const char* machine : {"cortex-m4", "cortex-m55"}) {
      const MachineResult r = run_on(find_machine(machine), folder, test.answers, kSamples);
      if (!r.check.ran) return tests::skip_without(std::string("machine: ") + machine, r.check.detail);
      INFO("round " << round << " on " << machine << ": " << r.check.detail);
      CHECK(r.check.passed);
    }
  }
}

TEST_CASE("values of 16 bits give the integers of the executor on machines", "[verify][slow]") {
  for (const testing::Int16Network& network : testing::int16_networks())
    for (const char* machine : {"cortex-m4", "cortex-m0"}) {
      const core::TemporaryFolder temporary;
      const std::filesystem::path folder = temporary.path() / "out";
      const testing::C99Case test = testing::c99_case(network.spec, 3, kSamples, network.nodes);
      exporters::find_target("c99").write(test.package, test.answers, {}, folder);
      const MachineResult r = run_on(find_machine(machine), folder, test.answers, kSamples);
      if (!r.check.ran) return tests::skip_without(std::string("machine: ") + machine, r.check.detail);
      INFO(network.name << " on " << machine << ": " << r.check.detail);
      CHECK(r.check.passed);
      CHECK(r.cost.layers.size() > 1);
    }
}

TEST_CASE("two memories give the integers of the executor on a machine", "[verify][slow]") {
  const C99Export e("network_tiny", kSamples, {.fast_ram_bytes = 1000});
  REQUIRE(core::read_file(e.folder / "model.h").find("FAST_ARENA_BYTES") != std::string::npos);
  const MachineResult r = run_on(find_machine("cortex-m4"), e.folder, e.test.answers, kSamples);
  if (!r.check.ran) return tests::skip_without("machine: cortex-m4", r.check.detail);
  INFO(r.check.detail);
  CHECK(r.check.passed);
  CHECK_FALSE(r.cost.layers.empty());
}

TEST_CASE("every machine gives the integers of the executor, or says what to install", "[verify][slow]") {
  const C99Export e("output_two_heads", kSamples);
  for (const Machine& machine : machines()) {
    const MachineResult r = run_on(machine, e.folder, e.test.answers, 3);
    INFO(machine.name << ": " << r.check.detail);
    if (!r.check.ran) {
      CHECK_THAT(r.check.detail, Catch::Contains(machine.packages));
      tests::skip_without("machine: " + machine.name, r.check.detail);
      continue;
    }
    CHECK(r.check.passed);
    CHECK(r.check.samples == 3);
    CHECK(r.cost.code_bytes > 100);
    CHECK(r.cost.memory_bytes > 0);
    CHECK((r.cost.stack_bytes > 0) == machine.board.has_value());
  }
}

TEST_CASE("machines hear: the same integers from 16-bit samples on", "[verify][slow]") {
  const C99Export e(testing::sound_case(7, kSamples));
  for (const char* name : {"cortex-m0", "cortex-m4", "cortex-m55", "aarch64", "s390x"}) {
    const Machine& machine = find_machine(name);
    const MachineResult r = run_on(machine, e.folder, e.test.answers, 3);
    INFO(machine.name << ": " << r.check.detail);
    if (!r.check.ran) {
      tests::skip_without("machine: " + machine.name, r.check.detail);
      continue;
    }
    CHECK(r.check.passed);
    CHECK_THAT(r.check.detail, Catch::Contains("from the sounds on"));
    if (r.cost.instructions > 0) CHECK_THAT(r.check.detail, Catch::Contains("the front-end takes"));
  }
}

TEST_CASE("constants in a file of their own run on machines", "[verify][slow]") {
  const C99Export inside("output_two_heads", kSamples), outside("output_two_heads", kSamples, {.weights = "binary"});
  CHECK(passed(verify_c99(outside.folder, outside.test.answers)));
  for (const char* name : {"cortex-m4", "aarch64"}) {
    const Machine& machine = find_machine(name);
    const MachineResult a = run_on(machine, inside.folder, inside.test.answers, 3);
    const MachineResult b = run_on(machine, outside.folder, outside.test.answers, 3);
    INFO(machine.name << ": " << b.check.detail);
    if (!b.check.ran) {
      tests::skip_without("machine: " + machine.name, b.check.detail);
      continue;
    }
    CHECK(b.check.passed);
    CHECK(b.cost.constant_bytes > a.cost.constant_bytes - 32);  // arrays are aligned by each machine, too
    CHECK(b.cost.constant_bytes < a.cost.constant_bytes + 200);
  }
  const MachineResult big = run_on(find_machine("s390x"), outside.folder, outside.test.answers, 1);
  if (big.check.ran) CHECK_FALSE(big.check.passed);  // refused, as its order of bytes is another
}

TEST_CASE("vectors of AArch64 give the integers of the executor, with dot products and without", "[verify][slow]") {
  const C99Export e(testing::c99_case(arch::lower(wide_network(), nullptr), 5, kSamples));
  for (const char* name : {"aarch64", "cortex-a55"}) {
    const MachineResult r = run_on(find_machine(name), e.folder, e.test.answers, kSamples);
    INFO(name << ": " << r.check.detail);
    if (!r.check.ran) {
      tests::skip_without(std::string("machine: ") + name, r.check.detail);
      continue;
    }
    CHECK(r.check.passed);
  }
}

TEST_CASE("instructions are counted by layer, and alike every time", "[verify][slow]") {
  const C99Export e("output_two_heads", kSamples);
  const Machine& m4 = find_machine("cortex-m4");
  const MachineResult first = run_on(m4, e.folder, e.test.answers, 2), again = run_on(m4, e.folder, e.test.answers, 2);
  if (!first.check.ran) {
    return tests::skip_without("machine: cortex-m4", first.check.detail);
  }
  REQUIRE(first.cost.instructions > 1000);
  CHECK(first.cost.instructions == again.cost.instructions);
  CHECK(first.cost.cycles == again.cost.cycles);
  CHECK(first.cost.stack_bytes == again.cost.stack_bytes);
  REQUIRE_FALSE(first.cost.layers.empty());
  CHECK(first.cost.layers.front().layer == e.test.package.spec.nodes[1].name);
  int64_t sum = 0;
  for (const LayerCost& layer : first.cost.layers) {
    CHECK(layer.instructions > 0);
    CHECK(layer.cycles > layer.instructions);
    sum += layer.instructions;
  }
  CHECK(sum <= first.cost.instructions);
  CHECK(sum > first.cost.instructions * 9 / 10);
}

TEST_CASE("what shapes predict is what the machine counts", "[verify][slow]") {
  for (const char* name : {"resnet8", "ds_cnn"}) {
    const arch::ZooCard& card = arch::find_zoo(name);
    const arch::Design design = arch::design_of(card.make({card.input.c, card.input.h / 2, card.input.w}, 10));
    const core::TemporaryFolder temporary;
    const auto folder = temporary.path() / "export";
    const exporters::KnownAnswers answers = cli::export_with_noise(design, 1, folder);
    for (const char* machine : {"cortex-m4", "cortex-m0"}) {
      const MachineResult r = run_on(find_machine(machine), folder, answers, 1);
      if (!r.check.ran) return tests::skip_without(std::string("machine: ") + machine, r.check.detail);
      const arch::MachineModel* model = arch::find_machine_model(machine);
      REQUIRE(model != nullptr);
      const arch::MachineCosts predicted = arch::machine_costs(*model, design.lowered, design.lowered_cost);
      INFO(name << " on " << machine);
      CHECK(static_cast<double>(predicted.instructions) ==
            Approx(static_cast<double>(r.cost.instructions)).epsilon(0.05));
      // Sources are counted whole; what the linker drops of one depends on the others.
      CHECK(static_cast<double>(predicted.code_bytes) == Approx(static_cast<double>(r.cost.code_bytes)).epsilon(0.08));
      CHECK(predicted.stack_bytes >= r.cost.stack_bytes);
      CHECK(predicted.stack_bytes <= r.cost.stack_bytes + 64);
      CHECK(r.cost.cycles > r.cost.instructions);
      CHECK(static_cast<double>(predicted.cycles) == Approx(static_cast<double>(r.cost.cycles)).epsilon(0.08));
    }
  }
}

TEST_CASE("objects of kernels are kept for the next export", "[verify][slow]") {
  const C99Export e("concat", kSamples);
  const core::TemporaryFolder kept;
  const Machine& m4 = find_machine("cortex-m4");
  const MachineResult first = run_on(m4, e.folder, e.test.answers, 1, {.kept = kept.path()});
  if (!first.check.ran) return tests::skip_without("machine: cortex-m4", first.check.detail);
  CHECK_FALSE(std::filesystem::is_empty(kept.path()));
  const MachineResult again = run_on(m4, e.folder, e.test.answers, 1, {.kept = kept.path()});
  CHECK(again.check.passed);
  CHECK(again.cost.instructions == first.cost.instructions);
  CHECK(again.cost.code_bytes == first.cost.code_bytes);
  int64_t sources = 0;
  for (const SourceCost& source : again.cost.sources) sources += source.code_bytes;
  CHECK(sources > again.cost.code_bytes * 95 / 100);
}

TEST_CASE("a layer of several calls is counted once", "[verify][slow]") {
  const C99Export e("concat", kSamples);
  const MachineResult r = run_on(find_machine("cortex-m4"), e.folder, e.test.answers, 1);
  if (!r.check.ran) return tests::skip_without("machine: cortex-m4", r.check.detail);
  CHECK(r.check.passed);
  CHECK(std::ssize(r.cost.layers) + 1 == std::ssize(e.test.package.spec.nodes));  // all but the input
}

TEST_CASE("a machine finds a wrong integer, and code that does not end well", "[verify][slow]") {
  C99Export e("output_two_heads", kSamples);
  const Machine& m4 = find_machine("cortex-m4");
  e.test.answers.outputs[1].back() = static_cast<int8_t>(e.test.answers.outputs[1].back() ^ 1);
  MachineResult r = run_on(m4, e.folder, e.test.answers, 3);
  if (!r.check.ran) {
    return tests::skip_without("machine: cortex-m4", r.check.detail);
  }
  CHECK_FALSE(r.check.passed);
  CHECK(r.check.differing_values == 1);
  CHECK_THAT(r.check.detail, Catch::Contains("sample 1"));

  std::string source = core::read_file(e.folder / "model.c");
  const size_t begin = source.find('{', source.find("int model_run(void)"));
  source.insert(begin + 1, "\n  __asm__ volatile(\"udf #0\");\n");
  core::write_atomic(e.folder / "model.c", source);
  r = run_on(m4, e.folder, e.test.answers, 3);
  CHECK(r.check.ran);
  CHECK_FALSE(r.check.passed);
  CHECK_THAT(r.check.detail, Catch::Contains("exit status 99"));
}

TEST_CASE("machines that are not there", "[verify]") {
  const C99Export e("output_two_heads", kSamples);
  Machine machine = machines().front();
  machine.compiler = "no-such-compiler-gcc";
  const MachineResult r = run_on(machine, e.folder, e.test.answers, 1);
  CHECK_FALSE(r.check.ran);
  CHECK_THAT(r.check.detail, Catch::Contains("no-such-compiler-gcc is not installed") && Catch::Contains("apt-get"));
  CHECK(r.cost.instructions == -1);
  CHECK_THROWS_WITH(find_machine("cortex-m5"), Catch::Contains("expected cortex-m0"));
}

// Compiler and emulator are scripts.
TEST_CASE("tools that hang, fail or print nonsense end a trial with a word", "[verify]") {
  const C99Export e("output_two_heads", kSamples);
  const core::TemporaryFolder tools;
  const auto tool = [&](const std::string& name, const std::string& script) {
    const std::filesystem::path file = tools.path() / name;
    core::write_atomic(file, "#!/bin/sh\n" + script + "\n");
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    return file.string();
  };
  // Makes whatever is asked for by -o, and says nothing.
  const std::string good =
      tool("good-gcc", "while [ $# -gt 1 ]; do [ \"$1\" = -o ] && echo x > \"$2\"; shift; done; exit 0");
  tool("good-size", "echo nonsense .text many; echo .rodata -; printf '\\001\\377'");
  const auto trial = [&](const std::string& compiler, const std::string& emulator, bool board) {
    Machine machine = find_machine(board ? "cortex-m4" : "aarch64");
    machine.compiler = compiler;
    machine.emulator = {emulator};
    machine.seconds = 1;
    return run_on(machine, e.folder, e.test.answers, 2);
  };
  const std::string hangs = tool("hangs", "sleep 60"), chats = tool("chats", "yes error nonsense"),
                    fails = tool("fails", "echo 'no error but words' >&2; exit 7"), idle = tool("idle", "exit 0"),
                    wrong = tool("wrong", "echo nonsense > outputs.bin"), killed = tool("killed", "kill -9 $$");
  const struct {
    std::string compiler, emulator, says;
    bool ran;
  } cases[] = {{hangs, idle, "compiling: did not end in time", false},
               {fails, idle, "compiling: exit status 7", true},
               {good, hangs, "running: did not end in time", false},
               {good, fails, "running: exit status 7", true},
               {good, idle, "no outputs were written", true},
               {good, wrong, "wrote 9 bytes; expected", true},
               {good, killed, "running: exit status 137", false},
               {good, (tools.path() / "missing").string(), "is not installed; expected the packages", false}};
  for (const bool board : {false, true}) {
    for (const auto& c : cases) {
      const MachineResult r = trial(c.compiler, c.emulator, board);
      INFO(c.says << " | " << r.check.detail);
      CHECK(r.check.ran == c.ran);
      CHECK_FALSE(r.check.passed);
      CHECK_THAT(r.check.detail, Catch::Contains(c.says));
      CHECK(r.cost.instructions == -1);
    }
  }
  CHECK_FALSE(trial(good, chats, true).check.passed);
}

}  // namespace condenser::verify
