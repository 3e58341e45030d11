#include "condenser/core/config.hpp"

#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "condenser/core/files.hpp"
#include "condenser/core/rng.hpp"
#include "core/scratch.hpp"
#include "support/catch.hpp"

using namespace condenser::core;
using namespace condenser::core::config;
namespace fs = std::filesystem;

namespace {

// A small run file's options, as modules declare them.
struct Options {
  std::string name = "run";
  int batch_size = 128;
  uint64_t seed = 1;
  double lr = 0.1;
  bool flip = false;
  std::string optimizer = "sgd";
  std::vector<int> milestones = {30, 60};
  std::vector<double> mean = {0.5};
  std::vector<std::string> notes;
  std::vector<std::string> targets = {"c99"};
  std::vector<std::string> gates;
  int crop = 0;
  bool operator==(const Options&) const = default;
};

void read_options(Reader& root, Options& o) {
  root.text("name", o.name, "name of the run");
  root.integer("seed", o.seed, 0, std::numeric_limits<uint64_t>::max(), "seed of everything");
  Reader train = root.section("train", "how to train");
  train.integer("batch_size", o.batch_size, 1, 4096, "samples per step");
  train.number("lr", o.lr, 0, 10, "learning rate");
  train.choice("optimizer", o.optimizer, {"sgd", "adamw"}, "optimizer");
  train.integers("milestones", o.milestones, 0, 1000, "epochs at which the rate drops");
  Reader augment = train.section("augment");
  augment.boolean("flip", o.flip, "mirror images");
  augment.integer("crop", o.crop, 0, 16, "random shift in pixels");
  root.numbers("mean", o.mean, -1e9, 1e9, "mean of the channels");
  root.texts("notes", o.notes, "free text");
  root.choices("targets", o.targets, {"c99", "onnx"}, "what to export");
  o.gates.clear();
  for (Reader gate : root.sections("gates", "hard limits")) {
    std::string metric;
    double max = 0;
    gate.text("metric", metric, "what is limited");
    gate.number("max", max, -1e300, 1e300, "largest value allowed");
    o.gates.push_back(metric);
  }
}

Options parsed(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
  Reader root = Reader::from_text(yaml, "run.yaml", overrides);
  Options o;
  read_options(root, o);
  root.finish();
  return o;
}

std::string refusal(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
  return message_of<ConfigError>([&] { parsed(yaml, overrides); });
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

constexpr const char* kExample = R"(# a run
name: "first: one"
seed: 18446744073709551615
train:
  batch_size: 64
  lr: 1e-3
  optimizer: adamw
  milestones: [10, 20]
  augment: {flip: true, crop: 4}
mean:
  - 0.25
  - -1
notes: [a, "b, c", 5]
targets: [onnx, c99]
gates:
  - metric: arena_bytes
    max: 24576
  - {metric: params}
)";

}  // namespace

TEST_CASE("Values are read with their types", "[core]") {
  const Options o = parsed(kExample);
  CHECK(o.name == "first: one");
  CHECK(o.seed == std::numeric_limits<uint64_t>::max());
  CHECK(o.batch_size == 64);
  CHECK(o.lr == 1e-3);
  CHECK(o.optimizer == "adamw");
  CHECK(o.milestones == std::vector<int>{10, 20});
  CHECK(o.flip);
  CHECK(o.crop == 4);
  CHECK(o.mean == std::vector<double>{0.25, -1});
  CHECK(o.notes == std::vector<std::string>{"a", "b, c", "5"});
  CHECK(o.targets == std::vector<std::string>{"onnx", "c99"});
  CHECK(o.gates == std::vector<std::string>{"arena_bytes", "params"});
}

TEST_CASE("Absent keys and sections keep their defaults", "[core]") {
  CHECK(parsed("") == Options{});
  CHECK(parsed("{}") == Options{});
  CHECK(parsed("train:\ngates:\n") == Options{});
  Reader help = Reader::empty();
  Options o;
  read_options(help, o);
  CHECK(o == Options{});
}

TEST_CASE("A bad value is refused with file, line, key, value and expectation", "[core]") {
  const struct {
    const char *yaml, *message;
  } cases[] = {
      {"train:\n  batch_size: 0", "run.yaml:2: train.batch_size = 0; expected 1..4096"},
      {"train: {batch_size: 4097}", "run.yaml:1: train.batch_size = 4097; expected 1..4096"},
      {"train:\n\n  batch_size: many", "run.yaml:3: train.batch_size = many; expected an integer, 1..4096"},
      {"train:\n  batch_size: \"64\"", "run.yaml:2: train.batch_size = \"64\"; expected an integer, 1..4096"},
      {"train:\n  batch_size: 64.0", "run.yaml:2: train.batch_size = 64.0; expected an integer, 1..4096"},
      {"train:\n  batch_size: 99999999999999999999",
       "run.yaml:2: train.batch_size = 99999999999999999999; expected 1..4096"},
      {"train:\n  batch_size:", "run.yaml:2: train.batch_size = nothing; expected an integer, 1..4096"},
      {"train:\n  batch_size: [1, [2], a]",
       "run.yaml:2: train.batch_size = [1, a list, a]; expected an integer, 1..4096"},
      {"train:\n  batch_size:\n    x: 1", "run.yaml:2: train.batch_size = a mapping; expected an integer, 1..4096"},
      {"seed: -1", "run.yaml:1: seed = -1; expected 0..18446744073709551615"},
      {"train: {lr: .nan}", "run.yaml:1: train.lr = .nan; expected a finite number, 0..10"},
      {"train: {lr: nan}", "run.yaml:1: train.lr = nan; expected a finite number, 0..10"},
      {"train: {lr: inf}", "run.yaml:1: train.lr = inf; expected a finite number, 0..10"},
      {"train: {lr: 1e999}", "run.yaml:1: train.lr = 1e999; expected a finite number, 0..10"},
      {"train: {lr: 10.5}", "run.yaml:1: train.lr = 10.5; expected 0..10"},
      {"train: {lr: 0.1x}", "run.yaml:1: train.lr = 0.1x; expected a finite number, 0..10"},
      {"train: {optimizer: adam}",
       "run.yaml:1: train.optimizer = adam; expected one of sgd, adamw; did you mean adamw?"},
      {"train: {augment: {flip: yes}}", "run.yaml:1: train.augment.flip = yes; expected true or false"},
      {"train: {milestones: 5}", "run.yaml:1: train.milestones = 5; expected a list of integers, 0..1000: [..., ...]"},
      {"train:\n  milestones:\n    - 5\n    - x", "run.yaml:4: train.milestones[1] = x; expected an integer, 0..1000"},
      {"targets: [c99, tflite]", "run.yaml:1: targets[1] = tflite; expected one of c99, onnx"},
      {"notes: [a, {b: c}]", "run.yaml:1: notes[1] = a mapping; expected text"},
      {"name: [a]", "run.yaml:1: name = [a]; expected text"},
      {"gates: {metric: a}", "run.yaml:1: gates = a mapping; expected a list of mappings"},
      {"gates:\n  - metric: a\n  - b", "run.yaml:3: gates[1] = b; expected a mapping (key: value)"},
      {"gates:\n  - metric: a\n  - max: b", "run.yaml:3: gates[1].max = b; expected a finite number, -1e+300..1e+300"},
      {"train: [1]", "run.yaml:1: train = [1]; expected a mapping or the name of a YAML file"},
      {"- a", "run.yaml:1: [a]; expected a mapping (key: value)"},
      {"\n\njust text", "run.yaml:3: just text; expected a mapping (key: value)"},
  };
  for (const auto& c : cases) {
    INFO(c.yaml);
    CHECK(refusal(c.yaml) == c.message);
  }
  CHECK(contains(refusal("name: [" + std::string(300, 'a') + "]"), "aaa...; expected text"));
}

TEST_CASE("Unknown keys are refused with the nearest known one", "[core]") {
  CHECK(refusal("name: a\ntrain:\n  batchsize: 3") ==
        "run.yaml:3: train.batchsize: unknown key; did you mean batch_size? "
        "(known: batch_size, lr, optimizer, milestones, augment)");
  CHECK(contains(refusal("zzz: 3"), "run.yaml:1: zzz: unknown key (known: name, seed, train, mean"));
  CHECK(contains(refusal("batch_size: 3"), "batch_size: unknown key; did you mean train.batch_size?"));
  CHECK(contains(refusal("gates:\n  - metric: a\n    min: 3"),
                 "run.yaml:3: gates[0].min: unknown key; did you mean max?"));
  CHECK(contains(refusal("train:\n  augment:\n    flop: true"), "run.yaml:3: train.augment.flop: unknown key"));
  CHECK(contains(refusal("from: x.yaml"), "from: unknown key"));
  Reader part = Reader::from_text("train: {a: 1}\nrest: 2", "run.yaml");
  int a = 0;
  Reader train = part.section("train");
  train.integer("a", a, 0, 9, "");
  CHECK_NOTHROW(train.finish());  // only its own part
  CHECK_THROWS_AS(part.finish(), ConfigError);
}

TEST_CASE("What YAML allows and a run file should not is refused", "[core]") {
  CHECK(refusal("name: a\nseed: 1\nname: b") == "run.yaml:3: key name is given twice (first in line 1)");
  CHECK(contains(refusal("train: {lr: 1, lr: 2}"), "key lr is given twice"));
  CHECK(contains(refusal("a: &x [1]\nb: *x"), "run.yaml:1: anchors and aliases"));
  CHECK(contains(refusal("a: &x {<<: *x}"), "anchors and aliases"));
  CHECK(contains(refusal("name: *x"), "run.yaml:1: "));
  CHECK(contains(refusal("&k name: b"), "anchors and aliases"));
  CHECK(contains(refusal("name: !!str 5"), "run.yaml:1: tag tag:yaml.org,2002:str is not supported"));
  CHECK(contains(refusal("name: !local [5]"), "is not supported"));
  CHECK(contains(refusal("? [a, b]\n: c"), "run.yaml:1: a key that is not text"));
  CHECK(contains(refusal("? {a: b}\n: c"), "a key that is not text"));
  CHECK(contains(refusal("~: c"), "a key that is not text"));
  CHECK(contains(refusal("name: a\n---\nname: b"), "a second document"));
  CHECK(contains(refusal("name: [a\nseed: 1"), "run.yaml:"));
  CHECK(contains(refusal("name: a\n\tseed: 1"), "not valid YAML"));
  CHECK(contains(refusal(std::string(33, '[') + std::string(33, ']')), "nested more than 32 levels deep"));
  CHECK(contains(refusal("name: [" + std::string(100000, '{')), "run.yaml:1: "));
  CHECK(contains(refusal("name: [a, b"), "run.yaml:1: not valid YAML"));
  CHECK(contains(refusal("# " + std::string(5 << 20, 'x')), "expected at most 4194304"));
  std::string keys;
  for (int i = 0; i < 10001; ++i) keys.append("k").append(std::to_string(i)).append(":\n");
  CHECK(contains(refusal(keys), "run.yaml:10001: a mapping with more than 10000 keys"));
}

TEST_CASE("The command line wins over the file", "[core]") {
  CHECK(parsed("train: {batch_size: 3}", {"train.batch_size=5"}).batch_size == 5);
  CHECK(parsed("", {"train.batch_size=5", "train.batch_size=6"}).batch_size == 6);
  CHECK(parsed("name: x", {"train.augment.crop=7"}).crop == 7);  // creates both sections
  CHECK(parsed("train:\n", {"train.augment.crop=7"}).crop == 7);
  CHECK(parsed("", {"train.milestones=[1, 2]"}).milestones == std::vector<int>{1, 2});
  CHECK(parsed("", {"gates=[{metric: a}, {metric: b}]"}).gates == std::vector<std::string>{"a", "b"});
  CHECK(parsed("", {"name=a=b"}).name == "a=b");
  CHECK(parsed("", {"name=a: b #c"}).name == "a: b #c");
  CHECK(parsed("", {"name='a b'"}).name == "a b");
  CHECK(parsed("name: x", {"name="}).name.empty());
  CHECK(parsed("", {" train.lr = 0.5 "}).lr == 0.5);
}

TEST_CASE("Bad overrides are refused as such", "[core]") {
  CHECK(refusal("", {"train.batch_size=x"}) == "command line: train.batch_size = x; expected an integer, 1..4096");
  CHECK(contains(refusal("", {"train.batchsize=1"}),
                 "command line: train.batchsize: unknown key; did you mean batch_size?"));
  CHECK(contains(refusal("", {"nothing.at.all=1"}), "command line: nothing: unknown key"));
  CHECK(contains(refusal("gates: [{metric: a}]", {"gates.0.metric=b"}),
                 "command line: a key inside a list (run.yaml:1)"));
  for (const char* bad : {"train.lr", "", "=", "=3", ".lr=3", "train.=3", "a..b=3"})
    CHECK(contains(refusal("", {bad}), "expected section.key=value"));
  CHECK(contains(refusal("", {"train.milestones=[1, 2"}),
                 "command line: a key that is not text, or a bracket left open"));
  CHECK(contains(refusal("", {"name='a"}), "command line: not valid YAML"));
  CHECK(contains(refusal("train: {lr: 1}", {"train=3"}), "command line: train = 3; expected a mapping or the name"));
}

TEST_CASE("A section may come from a fragment", "[core]") {
  Scratch scratch;
  write_atomic(scratch / "configs/train/small.yaml", "batch_size: 8\nlr: 0.2\naugment:\n  crop: 2\n  flip: true\n");
  write_atomic(scratch / "configs/train/other.yaml", "batch_size: 9\n");
  const auto run = [&](const std::string& yaml, const std::vector<std::string>& overrides = {}) {
    write_atomic(scratch / "runs/a/run.yaml", yaml);
    Reader root = Reader::from_file(scratch / "runs/a/run.yaml", overrides);
    Options o;
    read_options(root, o);
    root.finish();
    return o;
  };
  const std::string small = "configs/train/small.yaml", other = (scratch / "configs/train/other.yaml").string();
  CHECK(run("train: " + small).batch_size == 8);
  CHECK(run("train: {from: " + small + "}").lr == 0.2);
  const Options beside = run("train:\n  batch_size: 10\n  from: " + small + "\n  augment: {crop: 3}\n");
  CHECK(beside.batch_size == 10);
  CHECK(beside.lr == 0.2);
  CHECK(beside.crop == 3);
  CHECK(beside.flip);
  const Options mixed = run("train: " + small, {"train.lr=0.3", "train.augment.crop=1"});
  CHECK(mixed.batch_size == 8);
  CHECK(mixed.lr == 0.3);
  CHECK(mixed.crop == 1);
  CHECK(run("train: " + small, {"train=" + other}).batch_size == 9);
  CHECK(run("train: " + small, {"train.lr=0.3", "train=" + other}).lr == 0.3);
  CHECK(run("train: " + small, {"train=" + other, "train.lr=0.3"}).lr == 0.3);
  CHECK(run("train: {lr: 0.7}", {"train.from=" + other}).lr == 0.7);
  CHECK(run("train: " + small + "\n").optimizer == "sgd");

  const auto why = [&](const std::string& yaml) { return message_of<ConfigError>([&] { run(yaml); }); };
  CHECK(contains(why("train: none.yaml"),
                 "run.yaml:1: train = none.yaml; expected a mapping or the name of a YAML file; "
                 "cannot find none.yaml; tried " +
                     (scratch / "runs/a/none.yaml").string()));
  CHECK(contains(why("train: {from: [a]}"), "train.from = [a]; expected the name of a YAML file"));
  write_atomic(scratch / "configs/train/bad.yaml", "lr: 0.1\n\nbatch_size: 0\n");
  CHECK(contains(why("train: configs/train/bad.yaml"),
                 "configs/train/bad.yaml:3: train.batch_size = 0; expected 1..4096"));
  write_atomic(scratch / "configs/train/bad.yaml", "from: small.yaml\n");
  CHECK(contains(why("train: configs/train/bad.yaml"), "bad.yaml:1: from: a fragment cannot name another fragment"));
  write_atomic(scratch / "configs/train/bad.yaml", "augment: small.yaml\n");
  CHECK(
      contains(why("train: configs/train/bad.yaml"), "bad.yaml:1: train.augment = small.yaml: a fragment cannot name"));
  write_atomic(scratch / "configs/train/bad.yaml", "augment: {from: small.yaml}\n");
  CHECK(contains(why("train: configs/train/bad.yaml"), "a fragment cannot name another fragment"));
  write_atomic(scratch / "configs/train/bad.yaml", "- 1\n");
  CHECK(contains(why("train: configs/train/bad.yaml"), "bad.yaml:1: [1]; expected a mapping"));
  write_atomic(scratch / "configs/train/bad.yaml", "lrr: 1\n");
  CHECK(contains(why("train: configs/train/bad.yaml"), "bad.yaml:1: train.lrr: unknown key; did you mean lr?"));
  CHECK(contains(why("train: configs/train"), "a folder"));
}

TEST_CASE("The resolved document reads back as the same values", "[core]") {
  const std::vector<std::pair<std::string, std::vector<std::string>>> runs = {
      {"", {}},
      {kExample, {}},
      {kExample, {"train.lr=0.30000000000000004", "name=# no: comment", "gates=[{}, {max: 2}]"}}};
  for (const auto& [yaml, overrides] : runs) {
    Reader root = Reader::from_text(yaml, "run.yaml", overrides);
    Options first, second;
    read_options(root, first);
    const std::string resolved = root.resolved_yaml();
    INFO(resolved);
    Reader again = Reader::from_text(resolved, "config.resolved.yaml");
    read_options(again, second);
    CHECK_NOTHROW(again.finish());
    CHECK(first == second);
    CHECK(again.resolved_yaml() == resolved);
  }
}

TEST_CASE("The resolved document is nested YAML in the order asked", "[core]") {
  Reader root = Reader::from_text(kExample, "run.yaml", {"train.lr=2e-3"});
  Options o;
  read_options(root, o);
  CHECK(root.resolved_yaml() ==
        "name: \"first: one\"\n"
        "seed: 18446744073709551615\n"
        "train:\n"
        "  batch_size: 64\n"
        "  lr: 0.002\n"
        "  optimizer: adamw\n"
        "  milestones: [10, 20]\n"
        "  augment:\n"
        "    flip: true\n"
        "    crop: 4\n"
        "mean: [0.25, -1]\n"
        "notes: [a, \"b, c\", \"5\"]\n"
        "targets: [onnx, c99]\n"
        "gates:\n"
        "  - metric: arena_bytes\n"
        "    max: 24576\n"
        "  - metric: params\n"
        "    max: 0\n");
  CHECK(Reader::from_text("a: 1", "x").resolved_yaml() == "{}\n");
}

TEST_CASE("Any text and any number survive the resolved document", "[core]") {
  Rng rng(11);
  const std::vector<std::string> parts = {"a",        "null",
                                          "~",        "true",
                                          "No",       "1",
                                          ".5",       "-",
                                          ": ",       " #",
                                          "\n",       "\t",
                                          "\"",       "'",
                                          "\\",       "{",
                                          "]",        ",",
                                          "&",        "*",
                                          "!",        "|",
                                          ">",        "%",
                                          "@",        "`",
                                          "\xc3\xa9", "\xe2\x80\xa8",
                                          "\xc2\x85", "\xef\xbb\xbf",
                                          "\x01",     "\x7f",
                                          " ",        "---",
                                          "...",      "?"};
  for (int trial = 0; trial < 400; ++trial) {
    std::vector<std::string> texts(1 + rng.below(3));
    for (std::string& text : texts)
      for (uint64_t i = rng.below(5); i > 0; --i) text += parts[rng.below(parts.size())];
    double number = 0;
    do {
      const uint64_t bits = rng.next();
      std::memcpy(&number, &bits, sizeof number);
    } while (!std::isfinite(number));
    constexpr double kInf = std::numeric_limits<double>::infinity();
    Reader first = Reader::empty();
    std::string key = "k" + texts[0];
    first.text(key, texts[0], "");
    first.texts("list", texts, "");
    first.number("number", number, -kInf, kInf, "");
    const std::string resolved = first.resolved_yaml();
    INFO(resolved);
    Reader second = Reader::from_text(resolved, "again");
    std::string text = "?";
    std::vector<std::string> list;
    double read = 0;
    second.text(key, text, "");
    second.texts("list", list, "");
    second.number("number", read, -kInf, kInf, "");
    REQUIRE_NOTHROW(second.finish());
    REQUIRE(text == texts[0]);
    REQUIRE(list == texts);
    REQUIRE(read == number);
  }
}

TEST_CASE("Options are collected once each, with defaults", "[core]") {
  Reader root = Reader::from_text(kExample, "run.yaml");
  Options o;
  read_options(root, o);
  Options again;
  read_options(root, again);
  std::vector<std::string> paths;
  for (const Option& option : root.options()) paths.push_back(option.path);
  CHECK(paths == std::vector<std::string>{"name", "seed", "train", "train.batch_size", "train.lr", "train.optimizer",
                                          "train.milestones", "train.augment.flip", "train.augment.crop", "mean",
                                          "notes", "targets", "gates", "gates[].metric", "gates[].max"});
  const Option batch = root.options()[3];
  CHECK(batch.type == "integer");
  CHECK(batch.default_value == "128");
  CHECK(batch.expected == "1..4096");
  CHECK(batch.help == "samples per step");
  CHECK(root.options()[6].default_value == "[30, 60]");
  CHECK(again == o);
}

TEST_CASE("Owners of options get errors with the same address", "[core]") {
  Reader root = Reader::from_text("train:\n  lr: 0.1\n  extra: x", "run.yaml", {"train.batch_size=3"});
  Reader train = root.section("train");
  Options o;
  train.number("lr", o.lr, 0, 1, "");
  train.integer("batch_size", o.batch_size, 1, 9, "");
  train.integer("crop", o.crop, 0, 9, "");
  CHECK(train.error("lr", "less").what() == std::string("run.yaml:2: train.lr = 0.1; expected less"));
  CHECK(train.error("batch_size", "less").what() == std::string("command line: train.batch_size = 3; expected less"));
  CHECK(train.error("crop", "more").what() == std::string("run.yaml:1: train.crop = 0; expected more"));
  CHECK(train.error("other", "text").what() == std::string("run.yaml:1: train.other is missing; expected text"));
  CHECK(train.where() == "run.yaml:1");
  CHECK(train.where("extra") == "run.yaml:3");
  CHECK(train.where("batch_size") == "command line");
  CHECK(root.section("absent").where() == "run.yaml:1");
  CHECK(train.has("extra"));
  CHECK_FALSE(train.has("crop"));
  CHECK(train.keys() == std::vector<std::string>{"lr", "extra", "batch_size"});
  CHECK(train.error("lr", "x").code() == ExitCode::Usage);
}

TEST_CASE("Paths are looked up beside the file that names them", "[core]") {
  Scratch scratch;
  write_atomic(scratch / "project/data/card.yaml", "");
  write_atomic(scratch / "project/configs/data.yaml", "card: near.yaml\n");
  write_atomic(scratch / "project/configs/near.yaml", "");
  write_atomic(scratch / "project/runs/run.yaml",
               "data: configs/data.yaml\ncard: data/card.yaml\nlost: no.yaml\nempty: ''\n");
  Reader root = Reader::from_file(scratch / "project/runs/run.yaml");
  fs::path card, near, absent;
  root.existing_path("card", card, "");
  root.section("data").existing_path("card", near, "");
  root.existing_path("absent", absent, "");
  CHECK(card == scratch / "project/data/card.yaml");
  CHECK(near == scratch / "project/configs/near.yaml");
  CHECK(absent.empty());
  const std::string lost = message_of<ConfigError>([&] { root.existing_path("lost", absent, ""); });
  CHECK(contains(lost, "run.yaml:3: lost: cannot find no.yaml; tried " + (scratch / "project/runs/no.yaml").string()));
  CHECK(contains(lost, (scratch / "project/no.yaml").string()));
  fs::path cleared = "something";
  root.existing_path("empty", cleared, "");
  CHECK(cleared.empty());  // how a resolved configuration says "none"

  fs::path fallback = "data/card.yaml";  // a default is looked up like a value of the run file
  root.existing_path("fallback", fallback, "");
  CHECK(fallback == scratch / "project/data/card.yaml");
  fs::path missing = "data/none.yaml";
  CHECK_THROWS_AS(root.existing_path("fallback2", missing, ""), ConfigError);
  CHECK_NOTHROW(Reader::empty().existing_path("fallback2", missing, ""));

  Reader typed = Reader::from_file(scratch / "project/runs/run.yaml", {"card=" CONDENSER_SOURCE_DIR "/CMakeLists.txt"});
  typed.existing_path("card", card, "");
  CHECK(card == fs::path(CONDENSER_SOURCE_DIR "/CMakeLists.txt"));
  CHECK_THROWS_AS(Reader::from_file(scratch / "nowhere.yaml"), ConfigError);
  CHECK_THROWS_AS(Reader::from_file(scratch.path()), ConfigError);
}

TEST_CASE("The nearest word is near or none", "[core]") {
  CHECK(nearest("batchsize", {"lr", "batch_size"}) == "batch_size");
  CHECK(nearest("batch_size", {"batch_sizes", "batch_size"}) == "batch_size");
  CHECK(nearest("xyz", {"lr", "epochs"}) == "");
  CHECK(nearest("a", {"b"}) == "");
  CHECK(nearest("", {"b"}) == "");
  CHECK(nearest("abc", {}) == "");
  CHECK(nearest("quantization_scheme", {"quantisation_schema"}) == "quantisation_schema");
}

TEST_CASE("A message is one line, whatever the names in it hold", "[core]") {
  const Error error("cannot find a\nb\x1b[31m");
  CHECK(std::string(error.what()) == "cannot find a\\nb\\x1b[31m");
  const ConfigError again{std::string(error.what())};
  CHECK(std::string(again.what()) == error.what());
}

TEST_CASE("Mutated run files are read or refused, never worse", "[core]") {
  const std::string seedtext = kExample;
  Rng rng(17);
  int good = 0, refused = 0;
  const std::string alphabet = "[]{}:,-?&*!|>'\"%@`#~ \n\t\\.0a\xff\xc3";
  for (int trial = 0; trial < 1500; ++trial) {
    std::string text = seedtext;
    for (uint64_t edits = 1 + rng.below(4); edits > 0 && !text.empty(); --edits) {
      const size_t at = rng.below(text.size());
      switch (rng.below(5)) {
        case 0: text[at] = alphabet[rng.below(alphabet.size())]; break;
        case 1: text.insert(at, 1, alphabet[rng.below(alphabet.size())]); break;
        case 2: text.erase(at, 1 + rng.below(4)); break;
        case 3: text[at] = static_cast<char>(rng.below(256)); break;
        case 4: text.insert(at, text.substr(rng.below(text.size()), rng.below(40))); break;
      }
    }
    INFO(text);
    try {
      parsed(text);
      ++good;
    } catch (const ConfigError& problem) {
      ++refused;
      REQUIRE(std::string(problem.what()).find('\n') == std::string::npos);
    }
  }
  CHECK(good > 50);
  CHECK(refused > 50);
}
