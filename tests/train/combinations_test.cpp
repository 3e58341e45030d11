// Options drawn at random: every configuration either trains, with finite weights, or is refused by the table of checks
// before anything begins.
#include <cmath>
#include <map>

#include "condenser/train/check_options.hpp"
#include "support/catch.hpp"
#include "train/marked_dataset.hpp"
#include "train/quick_run.hpp"

namespace condenser::train {
namespace {

using core::config::Reader;

struct Choice {
  std::string key;  // dotted
  std::vector<std::string> values;
};

const std::vector<Choice>& choices() {
  static const std::vector<Choice> table{
      {"batch_size", {"1", "2", "3", "64"}},
      {"accumulate", {"2", "3", "9", "4096"}},
      {"optimizer", {"sgd", "sgdw", "adamw", "lion", "muon"}},
      {"lr", {"0.01", "0.001"}},
      {"min_lr", {"0.0001", "0.5"}},
      {"momentum", {"0", "0.99"}},
      {"weight_decay", {"0", "10"}},
      {"clip_grad", {"0.1"}},
      {"schedule", {"cosine", "linear", "step", "one_cycle", "constant"}},
      {"warmup_epochs", {"0", "1", "5"}},
      {"milestones", {"[]", "[1]", "[7]"}},
      {"gamma", {"0", "0.5"}},
      {"pct_start", {"0", "1"}},
      {"loss", {"auto", "cross_entropy", "binary"}},
      {"label_smoothing", {"0", "0.9"}},
      {"class_weights", {"[1, 2, 3]", "[0, 0, 0]", "[0, 0, 1]", "[1, 2]"}},
      {"balance", {"none", "weights", "sampling"}},
      {"ema_decay", {"0.9"}},
      {"metric", {"accuracy", "balanced_accuracy", "macro_f1", "auc", "loss"}},
      {"patience", {"1"}},
      {"keep", {"best"}},
      {"freeze", {"[stem]", "[nothing]", "['']"}},
      {"resize.sizes", {"[8]", "[4]", "[16]", "[]"}},
      {"resize.epochs", {"1", "2"}},
      {"amp", {"off", "bf16"}},
      {"sync_batch_norm", {"true"}},
      {"augment.shift", {"0", "7", "8"}},
      {"augment.flip", {"true"}},
      {"augment.degrees", {"180"}},
      {"augment.scale", {"[0.1, 10]"}},
      {"augment.shear", {"60"}},
      {"augment.fill", {"mean", "reflect"}},
      {"augment.randaugment.operations", {"3"}},
      {"augment.randaugment.magnitude", {"10"}},
      {"augment.saturation", {"0.5"}},
      {"augment.contrast", {"1"}},
      {"augment.crop_area", {"0.1"}},
      {"augment.time_shift_ms", {"100"}},
      {"augment.erasing", {"1"}},
      {"augment.erasing_area", {"[0, 1]", "[0, 0]"}},
      {"augment.cutout", {"8", "9"}},
      {"augment.specaugment.time_masks", {"2"}},
      {"augment.mixup", {"0.2"}},
      {"augment.cutmix", {"10"}},
      {"augment.mix_probability", {"0", "0.5"}},
  };
  return table;
}

struct Drawn {
  std::vector<std::string> overrides;
  std::string text;
};

Drawn draw(core::Rng& rng) {
  Drawn d{{"epochs=2", "threads=1", "device=cpu"}, ""};
  const uint64_t count = 1 + rng.below(5);
  std::map<std::string, std::string> picked;
  for (uint64_t i = 0; i < count; ++i) {
    const Choice& c = choices()[rng.below(choices().size())];
    picked[c.key] = c.values[rng.below(c.values.size())];
  }
  for (const auto& [key, value] : picked) {
    d.overrides.push_back(key + "=" + value);
    d.text += " " + d.overrides.back();
  }
  return d;
}

arch::Spec network(bool normalized_vector) {
  arch::Builder b("drawn", {1, 8, 8});
  int x = arch::conv_bn_act(b, b.input(), "stem", {.out = 4, .stride = 2});
  x = b.add("pool", arch::GlobalAvgPool{}, {x});
  if (normalized_vector) x = b.add("last", arch::BatchNorm{}, {x});
  arch::classifier_head(b, x, 3);
  return b.finish();
}

std::shared_ptr<const data::Dataset> marked(int64_t items) {
  core::Rng rng(7);
  std::vector<std::vector<int>> marks;
  std::vector<float> values;
  for (int64_t i = 0; i < items; ++i) {
    marks.push_back({static_cast<int>(i % 2), static_cast<int>(i % 3 == 0), static_cast<int>(i % 5 == 0)});
    for (int k = 0; k < 64; ++k) values.push_back(static_cast<float>(rng.uniform() - 0.5));
  }
  return std::make_shared<testing::MarkedDataset>(data::ItemShape{1, 8, 8}, 3, marks, values);
}

enum class End { Trained, Refused };

bool finite(const arch::Weights& weights) {
  for (const auto& [name, tensor] : weights.tensors)
    for (const float v : tensor.f32())
      if (!std::isfinite(v)) return false;
  return true;
}

// Refusals name an option as it stands in the file.
void check_refusal(const std::string& message, const std::string& section) {
  INFO(message);
  bool named = false;
  for (const Choice& c : choices())
    named = named || message.find(section + c.key.substr(0, c.key.find('.'))) != std::string::npos;
  CHECK(named);
  CHECK(message.find("; expected ") != std::string::npos);
}

End run(const Drawn& drawn, const arch::Spec& spec, const std::shared_ptr<const data::Dataset>& training,
        const std::shared_ptr<const data::Dataset>& validation) {
  TrainOptions options;
  try {
    Reader reader = Reader::from_text("{}", "run.yaml", drawn.overrides);
    read_options(reader, options);
    reader.finish();
    DataFacts data = facts_of(*training, validation.get());
    data.kind = ItemKind::Pictures;
    check_options({.options = options, .data = &data, .spec = &spec}, "train");
  } catch (const core::ConfigError& error) {
    check_refusal(error.what(), "");
    return End::Refused;
  }
  const FitResult result = testing::backend().fit(
      {.spec = spec, .train = training, .validation = validation, .options = options, .folder = {}, .on_progress = {}});
  CHECK(finite(result.weights));
  CHECK(std::isfinite(result.validation->loss));
  return End::Trained;
}

}  // namespace

TEST_CASE("a combination of options trains or is refused", "[train]") {
  core::Rng rng(2024);
  const arch::Spec plain = network(false), normalized = network(true);
  const auto one = testing::stripes(9, 1), several = marked(9), more = testing::stripes(6, 2), marks = marked(6);
  int trained = 0, refused = 0;
  for (int i = 0; i < 400; ++i) {
    const Drawn drawn = draw(rng);
    const bool labels = rng.below(4) == 0;
    const arch::Spec& spec = rng.below(2) == 0 ? plain : normalized;
    INFO(drawn.text << (labels ? ", several classes" : "") << (&spec == &plain ? "" : ", batch norm of a vector"));
    const End end = run(drawn, spec, labels ? several : one, labels ? marks : more);
    ++(end == End::Trained ? trained : refused);
  }
  CHECK(trained > 40);
  CHECK(refused > 40);
}

}  // namespace condenser::train
