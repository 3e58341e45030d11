#include "condenser/train/check_options.hpp"

#include "condenser/arch/blocks.hpp"
#include "support/catch.hpp"
#include "train/marked_dataset.hpp"

namespace condenser::train {
namespace {

using core::config::Reader;

const std::string kFine = "epochs: 8";

// What a section `train` with these lines is refused for; "": it is not.
std::string refusal(const std::string& text, const DataFacts* data = nullptr, const arch::Spec* spec = nullptr,
                    int ranks = 1, bool searching = false) {
  Reader root = Reader::from_text("train: {" + text + "}", "run.yaml");
  Reader section = root.section("train");
  TrainOptions o;
  try {
    read_options(section, o);
    section.finish();
    const auto found =
        conflict({.options = o, .data = data, .spec = spec, .ranks = ranks, .searching = searching}, "train");
    if (found) throw conflict_error(section, *found);
  } catch (const core::ConfigError& error) {
    return error.what();
  }
  return "";
}

void names_both(const std::string& text, const std::string& key, const std::string& with) {
  INFO(text);
  const std::string found = refusal(text);
  INFO(found);
  CHECK_THAT(found, Catch::StartsWith("run.yaml:1: train." + key) && Catch::Contains("; expected ") &&
                        Catch::Contains("train." + with));
}

DataFacts pictures(int64_t items = 100, int64_t classes = 3) {
  return {.kind = ItemKind::Pictures,
          .shape = {3, 16, 16},
          .classes = classes,
          .multi_label = false,
          .items = items,
          .validation = std::nullopt};
}

// Batch norm over maps of 8x8 and of 1x1.
arch::Spec normalized_vector() {
  arch::Builder b("vector", {3, 16, 16});
  int x = arch::conv_bn_act(b, b.input(), "stem", {.out = 4, .stride = 2});
  x = b.add("pool", arch::GlobalAvgPool{}, {x});
  x = b.add("last", arch::BatchNorm{}, {x});
  arch::classifier_head(b, x, 3);
  return b.finish();
}

}  // namespace

TEST_CASE("two options that do not go together are named both", "[train]") {
  names_both("min_lr: 1", "min_lr", "lr = 0.1");
  names_both("min_lr: 0.01, schedule: constant", "min_lr", "schedule = constant");
  names_both("lr: 50, weight_decay: 0.1", "weight_decay", "lr = 50");
  names_both("schedule: step", "milestones", "schedule = step");
  names_both("milestones: [3]", "milestones", "schedule = cosine");
  names_both("schedule: step, milestones: [3, 8], epochs: 8", "milestones", "epochs = 8");
  names_both("gamma: 0.5", "gamma", "schedule = cosine");
  names_both("pct_start: 0.5", "pct_start", "schedule = cosine");
  names_both("epochs: 3, warmup_epochs: 4", "warmup_epochs", "epochs = 3");
  names_both("epochs: 3, warmup_epochs: 3, schedule: one_cycle", "warmup_epochs", "schedule = one_cycle");
  names_both("class_weights: [1, 1], balance: weights", "class_weights", "balance = weights");
  names_both("distill: {alpha: 0.7}", "distill.alpha", "distill.teacher");
  names_both("distill: {temperature: 2}", "distill.temperature", "distill.teacher");
  names_both("distill: {spec: resnet8}", "distill.spec", "distill.teacher");
  names_both("resize: {sizes: [16]}", "resize.epochs", "resize.sizes");
  names_both("resize: {epochs: 3}", "resize.epochs", "resize.sizes");
  names_both("resize: {sizes: [16, 24], epochs: 1}", "resize.epochs", "resize.sizes");
  names_both("epochs: 4, resize: {sizes: [16], epochs: 4}", "resize.epochs", "epochs = 4");
  names_both("device: cpu, amp: fp16", "amp", "device = cpu");
  names_both("sync_batch_norm: true, amp: bf16", "sync_batch_norm", "amp = bf16");
  names_both("sync_batch_norm: true, device: cuda", "sync_batch_norm", "device = cuda");
  names_both("augment: {crop_ratio: 1.3}", "augment.crop_ratio", "augment.crop_area");
  names_both("augment: {noise_volume: 0.3}", "augment.noise_volume", "augment.noise_probability");
  names_both("augment: {noise_probability: 0.3, noise_volume: 0}", "augment.noise_volume", "augment.noise_probability");
  names_both("augment: {shift: 0, fill: mean}", "augment.fill", "augment.shift");
  names_both("augment: {randaugment: {magnitude: 3}}", "augment.randaugment.magnitude",
             "augment.randaugment.operations");
  names_both("augment: {erasing_area: [0.1, 0.2]}", "augment.erasing_area", "augment.erasing");
  names_both("augment: {erasing: 0.5, erasing_area: [0, 0]}", "augment.erasing_area", "augment.erasing");
  names_both("augment: {specaugment: {time_width: 4}}", "augment.specaugment.time_width",
             "augment.specaugment.time_masks");
  names_both("augment: {mix_probability: 0.5}", "augment.mix_probability", "augment.mixup");
  names_both("augment: {mixup: 0.2, mix_probability: 0}", "augment.mix_probability", "augment.mixup");
  names_both("augment: {mixup: 0.2}, batch_size: 1", "augment.mixup", "batch_size = 1");
  CHECK(refusal(kFine).empty());
  CHECK_THAT(refusal("class_weights: [0, 0]"), Catch::Contains("class_weights"));
  CHECK(refusal("augment: {mixup: 0.2}, batch_size: 1, accumulate: 2").empty());
  CHECK(refusal("epochs: 1, warmup_epochs: 1").empty());
  names_both("epochs: 0", "epochs", "init = ");
  CHECK(refusal("epochs: 0, init: /, warmup_epochs: 1").empty());
}

TEST_CASE("what means nothing for a reconstruction is refused with its loss", "[train]") {
  const std::string again = "loss: reconstruction, ", with = "loss = reconstruction";
  names_both(again + "class_weights: [1, 2]", "class_weights", with);
  names_both(again + "balance: sampling", "balance", with);
  names_both(again + "label_smoothing: 0.2", "label_smoothing", with);
  names_both(again + "augment: {mixup: 0.2}", "augment.mixup", with);
  names_both(again + "augment: {cutmix: 0.2}", "augment.cutmix", with);
  names_both(again + "distill: {teacher: .}", "distill.teacher", with);
  names_both(again + "resize: {sizes: [8], epochs: 1}", "resize.sizes", with);
  names_both(again + "keep: best", "metric", with);  // accuracy, its default
  names_both(again + "metric: macro_f1", "metric", with);
  names_both("metric: reconstruction_error", "metric", "loss = auto");
  CHECK(refusal(again + "label_smoothing: 0").empty());
  CHECK(refusal(again + "epochs: 2").empty());
  CHECK(refusal(again + "metric: reconstruction_error, keep: best").empty());
  const DataFacts untold = pictures();
  CHECK(refusal(again + "epochs: 2", &untold).empty());
  CHECK(refusal(again + "metric: loss, patience: 2", &untold).empty());
  CHECK_THAT(refusal(again + "metric: auc, keep: best", &untold), Catch::Contains("dataset.normal"));
  DataFacts told = pictures(100, 2);
  told.told = true;
  CHECK(refusal(again + "metric: auc, keep: best", &told).empty());
  const DataFacts single = pictures(10, 1);
  CHECK(refusal(again + "epochs: 2", &single).empty());  // no choice is made
}

TEST_CASE("batches are cut into parts that hold items", "[train]") {
  const DataFacts eight = pictures(8);
  CHECK(refusal("batch_size: 1, accumulate: 8", &eight).empty());
  for (const char* text : {"batch_size: 1, accumulate: 9", "batch_size: 64, accumulate: 16"}) {
    const std::string found = refusal(text, &eight);
    CHECK_THAT(found, Catch::Contains("train.accumulate") && Catch::Contains("at most 8") &&
                          Catch::Contains("8 items") && Catch::Contains("train.batch_size"));
  }
  CHECK_THAT(refusal("batch_size: 2", &eight, nullptr, 3),
             Catch::Contains("batch_size") && Catch::Contains("3 processes"));
  CHECK_THAT(refusal("batch_size: 8, accumulate: 3", &eight, nullptr, 3), Catch::Contains("at most 2"));
  for (int64_t items = 1; items < 40; ++items)
    for (int batch = 1; batch < 12; ++batch)
      for (int accumulate = 1; accumulate < 12; ++accumulate)
        for (int ranks = 1; ranks < 4; ++ranks) {
          const int64_t size = std::min<int64_t>(items, batch * accumulate);
          int64_t smallest = size;
          for (int rank = 0; rank < ranks; ++rank) {
            const int64_t share = size * (rank + 1) / ranks - size * rank / ranks;
            for (int part = 0; part < accumulate; ++part)
              smallest = std::min(smallest, share * (part + 1) / accumulate - share * part / accumulate);
          }
          TrainOptions o;
          o.batch_size = batch;
          o.accumulate = accumulate;
          CHECK(smallest_part(o, items, ranks) == smallest);
        }
}

TEST_CASE("batch norm over one value is refused by node, batch and map", "[train]") {
  const arch::Spec spec = normalized_vector();
  const DataFacts hundred = pictures(), three = pictures(3);
  const auto refused = [&](const std::string& text, const DataFacts* data, int ranks = 1) {
    const std::string found = refusal(text, data, &spec, ranks);
    INFO(text << ": " << found);
    for (const char* part : {"last", "1x1", "train.accumulate", "batch_size", "one value per channel"})
      CHECK_THAT(found, Catch::Contains(part));
  };
  refused("batch_size: 1", &hundred);
  refused("batch_size: 1", nullptr);
  refused("batch_size: 1, accumulate: 4", &hundred);
  refused("batch_size: 2, accumulate: 2", &three);  // three items in two parts
  refused("batch_size: 3", &hundred, 2);            // a rank's share is one
  CHECK(refusal("batch_size: 3, sync_batch_norm: true", &hundred, &spec, 2).empty());
  CHECK(refusal("batch_size: 2", &hundred, &spec).empty());
  CHECK(refusal("batch_size: 1", &hundred).empty());  // a network that is not known
}

TEST_CASE("options that the data cannot follow are refused", "[train]") {
  const DataFacts many = pictures(1000, 101);
  CHECK_THAT(refusal("metric: auc, patience: 2, keep: best", &many),
             Catch::Contains("train.metric = auc") && Catch::Contains("101 classes"));
  DataFacts one_sided = pictures();
  one_sided.validation = data::LabelFacts{.classes = 3, .several = false, .positives = 10, .contrasts = 0};
  CHECK_THAT(refusal("metric: auc", &one_sided), Catch::Contains("train.metric = auc"));
  CHECK(refusal("metric: macro_f1, keep: best", &one_sided).empty());
  const DataFacts single = pictures(10, 1);
  CHECK_THAT(refusal(kFine, &single), Catch::Contains("train.loss") && Catch::Contains("single class"));
  CHECK(refusal("loss: binary", &single).empty());
  DataFacts several = pictures();
  several.multi_label = true;
  CHECK_THAT(refusal("loss: cross_entropy", &several), Catch::Contains("binary"));
  CHECK_THAT(refusal("balance: sampling", &several), Catch::Contains("train.balance"));
  const DataFacts three = pictures();
  CHECK_THAT(refusal("class_weights: [1, 2]", &three), Catch::Contains("3 values") && Catch::Contains("these are 2"));
  CHECK_THAT(refusal("resize: {sizes: [24], epochs: 1}", &three), Catch::Contains("at most 16"));
  CHECK_THAT(refusal("augment: {shift: 16}", &three), Catch::Contains("train.augment.shift = 16"));
  CHECK_THAT(refusal("augment: {cutout: 17}", &three), Catch::Contains("at most 16"));
  CHECK_THAT(refusal("augment: {crop_area: 0.5}", &three), Catch::Contains("train.augment.crop_area"));
  CHECK_THAT(refusal("augment: {time_shift_ms: 10}", &three), Catch::Contains("recordings"));
  CHECK_THAT(refusal("augment: {noise_probability: 0.5}", &three), Catch::Contains("recordings"));
  DataFacts files = pictures();
  files.kind = ItemKind::PictureFiles;
  CHECK(refusal("augment: {crop_area: 0.5, flip: true}", &files).empty());
  DataFacts sounds = pictures();
  sounds.kind = ItemKind::Features;
  sounds.shape = {1, 49, 10};
  for (const char* text : {"flip: true", "vertical_flip: true", "degrees: 5", "shear: 5", "brightness: 0.1",
                           "contrast: 0.1", "randaugment: {operations: 1}", "time_shift_ms: 10"}) {
    INFO(text);
    CHECK_THAT(refusal(std::string("augment: {") + text + "}", &sounds), Catch::Contains("train.augment."));
  }
  CHECK(refusal("augment: {specaugment: {time_masks: 1}}", &sounds).empty());
}

TEST_CASE("options that the network cannot follow are refused", "[train]") {
  const arch::Spec spec = normalized_vector();
  CHECK_THAT(refusal("freeze: [trunk]", nullptr, &spec),
             Catch::Contains("train.freeze") && Catch::Contains("trunk") && Catch::Contains("stem"));
  CHECK_THAT(refusal("freeze: ['']", nullptr, &spec), Catch::Contains("left to learn"));
  CHECK(refusal("freeze: [stem]", nullptr, &spec).empty());
}

TEST_CASE("short trainings of a search refuse what they would ignore", "[train]") {
  for (const char* text : {"metric: macro_f1", "checkpoint_steps: 5", "sync_batch_norm: true"}) {
    INFO(text);
    CHECK(refusal(text).empty());
    CHECK_FALSE(refusal(text, nullptr, nullptr, 1, true).empty());
  }
  CHECK(refusal("metric: macro_f1, keep: best", nullptr, nullptr, 1, true).empty());
}

TEST_CASE("facts are those of the data", "[train]") {
  const testing::MarkedDataset marked({1, 2, 3}, 2, {{1, 0}, {1, 1}, {0, 0}}, std::vector<float>(18));
  const DataFacts facts = facts_of(marked, &marked);
  CHECK(facts.shape == data::ItemShape{1, 2, 3});
  CHECK(facts.classes == 2);
  CHECK(facts.multi_label);
  CHECK(facts.items == 3);
  CHECK(facts.labels({}).positives == 3);
  CHECK(facts.labels({}).contrasts == 2);
  CHECK(facts_of(marked, nullptr).labels({}).positives == -1);
}

}  // namespace condenser::train
