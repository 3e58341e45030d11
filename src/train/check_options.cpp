// Tables of what does not fit together: options that would be ignored, and pairs that contradict each other.
#include "condenser/train/check_options.hpp"

#include <algorithm>
#include <map>

#include "condenser/arch/analysis.hpp"
#include "condenser/core/text.hpp"
#include "condenser/data/anomaly.hpp"
#include "condenser/data/metrics.hpp"
#include "train/files/transfer.hpp"
#include "train/resize.hpp"

namespace condenser::train {
namespace {

using Answer = std::optional<std::string>;  // what was expected; none: all is well

struct Row {
  const char* key;
  const char* with;  // "": the data or the network
  Answer (*expected)(const Situation&);
};

// An option that has no effect unless `used`. One that is not at its default then was meant, and would be ignored.
struct Idle {
  const char* key;
  const char* with;
  bool (*used)(const TrainOptions&);
};

bool mixes(const TrainOptions& o) { return o.augment.mixup > 0 || o.augment.cutmix > 0; }
bool moves(const AugmentOptions& a) {
  return a.shift > 0 || a.degrees > 0 || a.translate > 0 || a.shear > 0 || a.scale != std::vector<double>{1.0, 1.0} ||
         a.randaugment.operations > 0;
}
bool sounds(const Situation& s) {
  return s.data && s.data->kind && (*s.data->kind == ItemKind::Clips || *s.data->kind == ItemKind::Features);
}
bool of_kind(const Situation& s, ItemKind kind) { return !s.data || !s.data->kind || *s.data->kind == kind; }
bool pictures(const Situation& s) { return s.data && s.data->kind && !sounds(s); }
std::string count(int64_t n) { return std::to_string(n); }

// Two numbers of the data that a check compares stand in its text.
std::string items_text(const Situation& s) {
  return "the training part has " + count(*s.data->items) + " items" +
         (s.ranks > 1 ? ", shared by " + std::to_string(s.ranks) + " processes" : "");
}

Answer if_positive(double value, bool wrong, const char* expected) {
  return value > 0 && wrong ? Answer(expected) : std::nullopt;
}

constexpr const char* kNoSounds = "none for sounds, whose features have no such change";

const std::vector<Idle>& idle_rows() {
  using O = TrainOptions;
  static const std::vector<Idle> rows{
      {"min_lr", "schedule",
       [](const O& o) { return o.schedule == "cosine" || o.schedule == "linear" || o.schedule == "one_cycle"; }},
      {"milestones", "schedule", [](const O& o) { return o.schedule == "step"; }},
      {"gamma", "schedule", [](const O& o) { return o.schedule == "step"; }},
      {"pct_start", "schedule", [](const O& o) { return o.schedule == "one_cycle"; }},
      {"distill.spec", "distill.teacher", [](const O& o) { return !o.distill.teacher.empty(); }},
      {"distill.alpha", "distill.teacher", [](const O& o) { return !o.distill.teacher.empty(); }},
      {"distill.temperature", "distill.teacher", [](const O& o) { return !o.distill.teacher.empty(); }},
      {"augment.crop_ratio", "augment.crop_area", [](const O& o) { return o.augment.sample.crop_area < 1; }},
      {"augment.noise_volume", "augment.noise_probability",
       [](const O& o) { return o.augment.sample.noise_probability > 0; }},
      {"augment.fill", "augment.shift", [](const O& o) { return moves(o.augment); }},
      {"augment.randaugment.magnitude", "augment.randaugment.operations",
       [](const O& o) { return o.augment.randaugment.operations > 0; }},
      {"augment.erasing_area", "augment.erasing", [](const O& o) { return o.augment.erasing > 0; }},
      {"augment.specaugment.time_width", "augment.specaugment.time_masks",
       [](const O& o) { return o.augment.specaugment.time_masks > 0; }},
      {"augment.specaugment.frequency_width", "augment.specaugment.frequency_masks",
       [](const O& o) { return o.augment.specaugment.frequency_masks > 0; }},
      {"augment.mix_probability", "augment.mixup", mixes},
  };
  return rows;
}

// ---- options among themselves

Answer rates(const Situation& s) { return s.options.min_lr > s.options.lr ? Answer("at most lr") : std::nullopt; }

Answer shrinking_decay(const Situation& s) {
  const TrainOptions& o = s.options;
  if (o.lr * o.weight_decay < 1) return std::nullopt;
  return "a product of both below 1, because a step multiplies weights by 1 - lr x weight_decay,";
}

Answer milestones_needed(const Situation& s) {
  return s.options.schedule == "step" && s.options.milestones.empty() ? Answer("at least one") : std::nullopt;
}

Answer milestones_within(const Situation& s) {
  const auto& m = s.options.milestones;
  const bool late = std::any_of(m.begin(), m.end(), [&](double at) { return at >= s.options.epochs; });
  return late ? Answer("values below the number of epochs") : std::nullopt;
}

Answer warmup_within(const Situation& s) {
  const TrainOptions& o = s.options;
  if (o.epochs > 0 && o.warmup_epochs > o.epochs) return "at most the number of epochs";
  return std::nullopt;
}

Answer cycle_after_warmup(const Situation& s) {
  const TrainOptions& o = s.options;
  return o.schedule == "one_cycle" && o.warmup_epochs >= o.epochs
             ? Answer("less than the epochs, so that some are left")
             : std::nullopt;
}

Answer one_source_of_weights(const Situation& s) {
  const bool both = !s.options.class_weights.empty() && s.options.balance == "weights";
  return both ? Answer("none, as balance computes them,") : std::nullopt;
}

Answer some_weight(const Situation& s) {
  const auto& w = s.options.class_weights;
  const bool none = !w.empty() && std::all_of(w.begin(), w.end(), [](double v) { return v == 0; });
  return none ? Answer("at least one above 0") : std::nullopt;
}

Answer labels_count(const Situation& s) {
  const TrainOptions& o = s.options;
  const bool taught = !o.distill.teacher.empty() && o.distill.alpha == 1;
  return taught && (!o.class_weights.empty() || o.balance == "weights")
             ? Answer("less than 1, so that labels count, or no weights of classes")
             : std::nullopt;
}

Answer teacher_counts(const Situation& s) {
  const DistillOptions& d = s.options.distill;
  return !d.teacher.empty() && d.alpha == 0 ? Answer("more than 0, or the teacher has no effect,") : std::nullopt;
}

Answer one_size_for_teacher(const Situation& s) {
  const bool both = !s.options.resize.sizes.empty() && !s.options.distill.teacher.empty();
  return both ? Answer("none, as a teacher knows one size only,") : std::nullopt;
}

Answer phases_complete(const Situation& s) {
  const ResizeOptions& r = s.options.resize;
  if (r.sizes.empty() != (r.epochs == 0)) return "both or neither";
  return r.epochs > 0 && r.epochs < static_cast<int>(r.sizes.size()) ? Answer("at least one epoch for each size")
                                                                     : std::nullopt;
}

Answer phases_end(const Situation& s) {
  if (s.options.epochs == 0) return std::nullopt;
  return s.options.resize.epochs >= s.options.epochs ? Answer("less than the epochs of the training") : std::nullopt;
}

Answer half_precision(const Situation& s) {
  return s.options.device == "cpu" && s.options.amp == "fp16" ? Answer("off or bf16, as fp16 is for GPUs,")
                                                              : std::nullopt;
}

Answer own_kernels(const Situation& s) {
  return s.options.sync_batch_norm && s.options.amp != "off" ? Answer("false") : std::nullopt;
}

Answer on_processor(const Situation& s) {
  return s.options.sync_batch_norm && s.options.device == "cuda" ? Answer("false") : std::nullopt;
}

Answer portable_on_processor(const Situation& s) {
  return s.options.portable && s.options.device == "cuda" ? Answer("false, as only processors are portable,")
                                                          : std::nullopt;
}

Answer portable_own_kernels(const Situation& s) {
  return s.options.portable && s.options.amp != "off" ? Answer("false") : std::nullopt;
}

Answer noise_heard(const Situation& s) {
  const data::SampleAugment& a = s.options.augment.sample;
  return a.noise_probability > 0 && a.noise_volume == 0 ? Answer("more than 0") : std::nullopt;
}

Answer area_erased(const Situation& s) {
  const AugmentOptions& a = s.options.augment;
  return a.erasing > 0 && a.erasing_area.back() == 0 ? Answer("an upper end above 0") : std::nullopt;
}

Answer batches_mixed(const Situation& s) {
  return mixes(s.options) && s.options.augment.mix_probability == 0 ? Answer("more than 0, or nothing is mixed,")
                                                                    : std::nullopt;
}

Answer without(const Situation& s, bool wrong, const char* expected) {
  return reconstructs(s.options) && wrong ? Answer(expected) : std::nullopt;
}

Answer no_weights(const Situation& s) { return without(s, !s.options.class_weights.empty(), "none"); }
Answer no_balance(const Situation& s) { return without(s, s.options.balance != "none", "none"); }
Answer no_mixup(const Situation& s) { return without(s, s.options.augment.mixup > 0, "0"); }
Answer no_cutmix(const Situation& s) { return without(s, s.options.augment.cutmix > 0, "0"); }
Answer no_teacher(const Situation& s) { return without(s, !s.options.distill.teacher.empty(), "none"); }
Answer one_size(const Situation& s) { return without(s, !s.options.resize.sizes.empty(), "none"); }
Answer no_smoothing(const Situation& s) {  // left at its default it was not meant
  const double share = s.options.label_smoothing;
  return without(s, share > 0 && share != TrainOptions{}.label_smoothing, "0");
}

Answer metric_of_loss(const Situation& s) {
  const TrainOptions& o = s.options;
  const bool of_items = o.metric == "reconstruction_error", of_both = o.metric == "loss" || o.metric == "auc";
  if (!reconstructs(o)) return of_items ? Answer("a metric of classes") : std::nullopt;
  const bool meant = o.metric != TrainOptions{}.metric || chooses(o);
  return meant && !of_items && !of_both ? Answer("reconstruction_error, loss or auc") : std::nullopt;
}

Answer probe_metric(const Situation& s) {
  const TrainOptions& o = s.options;
  const bool idle = s.searching && o.metric != TrainOptions{}.metric && !chooses(o);
  return idle ? Answer("accuracy, as nothing is chosen by it here (search.objective ranks candidates),") : std::nullopt;
}

Answer probe_checkpoints(const Situation& s) {
  return s.searching && s.options.checkpoint_steps > 0 ? Answer("0, as short trainings write nothing") : std::nullopt;
}

Answer probe_alone(const Situation& s) {
  return s.searching && s.options.sync_batch_norm ? Answer("false, as short trainings have one process") : std::nullopt;
}

// ---- options and data

Answer loss_of_labels(const Situation& s) {
  if (!s.data || reconstructs(s.options)) return std::nullopt;
  if (s.options.loss == "cross_entropy" && s.data->multi_label)
    return "binary, as items of the data have several classes";
  if (s.data->classes == 1 && !independent_classes(s.options, s.data->multi_label))
    return "binary, as the data has a single class, of which a choice is always right";
  return std::nullopt;
}

Answer weight_per_class(const Situation& s) {
  const auto n = static_cast<int64_t>(s.options.class_weights.size());
  if (!s.data || n == 0 || n == s.data->classes) return std::nullopt;
  return count(s.data->classes) + " values, one per class; these are " + count(n);
}

Answer one_class_to_draw(const Situation& s) {
  return s.data && s.data->multi_label && s.options.balance == "sampling"
             ? Answer("weights or none, as items of the data have several classes and cannot be drawn by class")
             : std::nullopt;
}

Answer metric_defined(const Situation& s) {
  if (!s.data) return std::nullopt;
  const std::string why = deciding_metric(s.options).undefined(s.data->labels(s.options));
  return why.empty() ? std::nullopt : Answer("another metric: " + why);
}

Answer phases_of_pictures(const Situation& s) {
  if (!s.data || s.options.resize.sizes.empty()) return std::nullopt;
  const int64_t side = std::min(s.data->shape.h, s.data->shape.w);
  if (sounds(s)) return "none for sounds, whose features have no size to change";
  const int largest = *std::max_element(s.options.resize.sizes.begin(), s.options.resize.sizes.end());
  return largest > side ? Answer("at most " + count(side) + ", the shorter side of the data") : std::nullopt;
}

Answer shift_inside(const Situation& s) {
  if (!s.data) return std::nullopt;
  const int64_t side = std::min(s.data->shape.h, s.data->shape.w);
  if (s.options.augment.shift < std::max<int64_t>(side, 1)) return std::nullopt;
  return "less than " + count(side) + ", the shorter side of the data: a larger one leaves nothing to see";
}

Answer cutout_inside(const Situation& s) {
  if (!s.data) return std::nullopt;
  const int64_t side = std::max(s.data->shape.h, s.data->shape.w);
  return s.options.augment.cutout > side ? Answer("at most " + count(side) + ", the longer side of the data")
                                         : std::nullopt;
}

Answer crop_of_files(const Situation& s) {
  return s.options.augment.sample.crop_area < 1 && !of_kind(s, ItemKind::PictureFiles)
             ? Answer("1: only pictures that lie in files of their own are cropped before they get their size")
             : std::nullopt;
}

template <auto AugmentOptions::*Option>
Answer not_for_sounds(const Situation& s) {
  return if_positive(static_cast<double>(s.options.augment.*Option), sounds(s), kNoSounds);
}

Answer operations_of_pictures(const Situation& s) {
  return if_positive(s.options.augment.randaugment.operations, sounds(s), kNoSounds);
}

Answer shift_of_clips(const Situation& s) {
  return if_positive(s.options.augment.sample.time_shift_ms, !of_kind(s, ItemKind::Clips),
                     "0: only recordings whose features are computed here are shifted in time");
}

Answer noise_of_clips(const Situation& s) {
  return if_positive(s.options.augment.sample.noise_probability, !of_kind(s, ItemKind::Clips),
                     "0: only recordings whose features are computed here get noise");
}

Answer masks_of_features(const Situation& s) {
  const SpecAugment& a = s.options.augment.specaugment;
  return if_positive(a.time_masks + a.frequency_masks, pictures(s),
                     "no masks: they are for features of sounds; pictures have cutout and erasing");
}

// ---- options, the opened data and the network

Answer parts_of_batch(const Situation& s) {
  if (!s.data || !s.data->items || s.options.accumulate == 1) return std::nullopt;
  if (smallest_part(s.options, *s.data->items, s.ranks) > 0) return std::nullopt;
  TrainOptions once = s.options;
  once.batch_size = static_cast<int>(std::min<int64_t>(int64_t{once.batch_size} * once.accumulate, 1 << 30));
  once.accumulate = 1;
  return "at most " + count(smallest_part(once, *s.data->items, s.ranks)) + ", as " + items_text(s) +
         " and each part of a step needs one,";
}

Answer share_of_batch(const Situation& s) {
  if (!s.data || !s.data->items || s.options.accumulate > 1) return std::nullopt;
  return smallest_part(s.options, *s.data->items, s.ranks) > 0
             ? std::nullopt
             : Answer("at least one item for each of the " + std::to_string(s.ranks) + " processes; " + items_text(s));
}

Answer pairs_to_mix(const Situation& s) {
  if (!mixes(s.options)) return std::nullopt;
  TrainOptions once = s.options;  // pairs are formed before a batch is cut into parts
  once.batch_size = static_cast<int>(std::min<int64_t>(int64_t{once.batch_size} * once.accumulate, 1 << 30));
  once.accumulate = 1;
  const int64_t items = s.data && s.data->items ? *s.data->items : once.batch_size;
  return smallest_part(once, items, s.ranks) < 2 ? Answer("0, as a batch of one has no pairs to mix,") : std::nullopt;
}

// The first batch norm that would see one value per channel, at the input of some epoch.
Answer values_to_normalize(const Situation& s) {
  if (!s.spec) return std::nullopt;
  const TrainOptions& o = s.options;
  const int64_t items = s.data && s.data->items ? *s.data->items : int64_t{o.batch_size} * o.accumulate;
  int64_t together = smallest_part(o, items, s.ranks);
  if (o.sync_batch_norm) together *= s.ranks;
  if (together != 1) return std::nullopt;
  std::vector<arch::Shape> inputs{s.spec->input};
  for (const int side : o.resize.sizes) inputs.push_back(input_of_size(s.spec->input, side));
  for (const arch::Shape& input : inputs) {
    const arch::Spec spec = at_input(*s.spec, input);
    const arch::Analysis sizes = arch::analyze(spec);
    for (size_t i = 0; i < spec.nodes.size(); ++i) {
      const arch::Shape& map = sizes.nodes[i].shape;
      if (!std::holds_alternative<arch::BatchNorm>(spec.nodes[i].op) || map.h * map.w > 1) continue;
      return "a larger one, as node " + core::printable(spec.nodes[i].name) + " (batch norm of 1 item of map " +
             count(map.h) + "x" + count(map.w) + ") needs more than one value per channel" +
             (s.data && s.data->items ? " and " + items_text(s) : "") + ",";
    }
  }
  return std::nullopt;
}

Answer sizes_of_network(const Situation& s) {
  if (!s.spec) return std::nullopt;
  for (const int side : s.options.resize.sizes) try {
      at_input(*s.spec, input_of_size(s.spec->input, side));
    } catch (const core::ConfigError& error) {
      return std::string("sizes at which the network works: ") + error.what();
    }
  return std::nullopt;
}

Answer frozen_parts(const Situation& s) {
  if (!s.spec || s.options.freeze.empty()) return std::nullopt;
  const auto parameters = arch::parameters(*s.spec);
  const auto begins = [](const std::string& name, const std::string& prefix) { return name.starts_with(prefix); };
  for (const std::string& prefix : s.options.freeze)
    if (std::none_of(parameters.begin(), parameters.end(), [&](const auto& p) { return begins(p.name, prefix); }))
      return "beginnings of parameters of network " + core::printable(s.spec->name) + ", and none begins with " +
             core::printable(prefix) + "; one is " +
             (parameters.empty() ? "conv.weight" : core::printable(parameters.front().name));
  const bool all = std::all_of(parameters.begin(), parameters.end(), [&](const auto& p) {
    return !p.trainable || std::any_of(s.options.freeze.begin(), s.options.freeze.end(),
                                       [&](const std::string& prefix) { return begins(p.name, prefix); });
  });
  return all ? Answer("some parameters of network " + core::printable(s.spec->name) + " left to learn") : std::nullopt;
}

Answer something_to_learn(const Situation& s) {
  if (s.options.epochs > 0) return std::nullopt;
  if (s.searching) return "1 or more, as candidates are compared by what they learn,";
  return s.options.init.empty() ? Answer("1 or more, or weights that are taken as they are,") : std::nullopt;
}

const std::vector<Row>& rows() {
  static const std::vector<Row> table{
      {"epochs", "init", something_to_learn},
      {"min_lr", "lr", rates},
      {"weight_decay", "lr", shrinking_decay},
      {"milestones", "schedule", milestones_needed},
      {"milestones", "epochs", milestones_within},
      {"warmup_epochs", "epochs", warmup_within},
      {"warmup_epochs", "schedule", cycle_after_warmup},
      {"class_weights", "balance", one_source_of_weights},
      {"class_weights", "", some_weight},
      {"distill.alpha", "class_weights", labels_count},
      {"distill.alpha", "distill.teacher", teacher_counts},
      {"resize.sizes", "distill.teacher", one_size_for_teacher},
      {"resize.epochs", "resize.sizes", phases_complete},
      {"resize.epochs", "epochs", phases_end},
      {"amp", "device", half_precision},
      {"portable", "device", portable_on_processor},
      {"portable", "amp", portable_own_kernels},
      {"sync_batch_norm", "amp", own_kernels},
      {"sync_batch_norm", "device", on_processor},
      {"augment.noise_volume", "augment.noise_probability", noise_heard},
      {"augment.erasing_area", "augment.erasing", area_erased},
      {"augment.mix_probability", "augment.mixup", batches_mixed},
      {"class_weights", "loss", no_weights},
      {"balance", "loss", no_balance},
      {"label_smoothing", "loss", no_smoothing},
      {"augment.mixup", "loss", no_mixup},
      {"augment.cutmix", "loss", no_cutmix},
      {"distill.teacher", "loss", no_teacher},
      {"resize.sizes", "loss", one_size},
      {"metric", "loss", metric_of_loss},
      {"metric", "keep", probe_metric},
      {"checkpoint_steps", "", probe_checkpoints},
      {"sync_batch_norm", "", probe_alone},
      {"loss", "", loss_of_labels},
      {"class_weights", "", weight_per_class},
      {"balance", "", one_class_to_draw},
      {"metric", "", metric_defined},
      {"resize.sizes", "", phases_of_pictures},
      {"augment.shift", "", shift_inside},
      {"augment.cutout", "", cutout_inside},
      {"augment.crop_area", "", crop_of_files},
      {"augment.time_shift_ms", "", shift_of_clips},
      {"augment.noise_probability", "", noise_of_clips},
      {"augment.specaugment", "", masks_of_features},
      {"augment.flip", "", not_for_sounds<&AugmentOptions::flip>},
      {"augment.vertical_flip", "", not_for_sounds<&AugmentOptions::vertical_flip>},
      {"augment.degrees", "", not_for_sounds<&AugmentOptions::degrees>},
      {"augment.shear", "", not_for_sounds<&AugmentOptions::shear>},
      {"augment.randaugment", "", operations_of_pictures},
      {"augment.brightness", "", not_for_sounds<&AugmentOptions::brightness>},
      {"augment.contrast", "", not_for_sounds<&AugmentOptions::contrast>},
      {"accumulate", "batch_size", parts_of_batch},
      {"batch_size", "", share_of_batch},
      {"augment.mixup", "batch_size", pairs_to_mix},
      {"batch_size", "accumulate", values_to_normalize},
      {"resize.sizes", "", sizes_of_network},
      {"freeze", "", frozen_parts},
  };
  return table;
}

using Values = std::map<std::string, std::string>;

// All values in force as text, by key.
Values values_of(const TrainOptions& options) {
  auto reader = core::config::Reader::empty();
  TrainOptions copy = options;
  list_options(reader, copy);
  Values values;
  for (const auto& option : reader.options()) values[option.path] = option.default_value;
  return values;
}

std::string setting(const Values& values, const std::string& section, const std::string& key) {
  const auto found = values.find(key);
  const bool value = found != values.end() && !found->second.empty();
  return section + "." + key + (value ? " = " + core::printable(found->second) : "");
}

Conflict conflict_of(const Situation& s, const std::string& section, const char* key, const char* with,
                     const std::string& expected) {
  const std::string other = *with == 0 ? "" : " with " + setting(values_of(s.options), section, with);
  return {key, with, expected + other};
}

std::optional<Conflict> ignored(const Situation& s, const std::string& section) {
  static const Values defaults = values_of({});
  const Values values = values_of(s.options);
  for (const Idle& row : idle_rows())
    if (!row.used(s.options) && values.at(row.key) != defaults.at(row.key))
      return conflict_of(s, section, row.key, row.with, defaults.at(row.key) + " (the default), as it has no effect");
  return std::nullopt;
}

std::optional<Conflict> misfitting(const Situation& s) {
  if (!s.data) return std::nullopt;
  const auto wrong = misfit(s.options.augment, s.data->shape);
  return wrong ? std::optional(Conflict{"augment." + wrong->key, "", wrong->expected}) : std::nullopt;
}

}  // namespace

data::LabelFacts DataFacts::labels(const TrainOptions& options) const {
  data::LabelFacts facts =
      validation ? *validation : data::LabelFacts{.classes = classes, .several = multi_label, .told = told};
  if (reconstructs(options)) facts.kind = data::TaskKind::Reconstruction;
  return facts;
}

DataFacts facts_of(const data::Dataset& training, const data::Dataset* validation) {
  return {.kind = std::nullopt,
          .shape = training.shape(),
          .classes = std::ssize(training.classes()),
          .multi_label = training.multi_label(),
          .told = data::tells_anomalies(training.classes()),
          .items = training.size(),
          .validation = validation ? std::optional(data::label_facts(*validation)) : std::nullopt};
}

const data::Metric& deciding_metric(const TrainOptions& o) {
  const bool unsaid = reconstructs(o) && o.metric == TrainOptions{}.metric;
  return data::find_metric(unsaid ? "reconstruction_error" : o.metric);
}

int64_t smallest_part(const TrainOptions& o, int64_t items, int ranks) {
  const int64_t batch = std::min(int64_t{o.batch_size} * o.accumulate, items);
  return batch / ranks / o.accumulate;
}

std::optional<Conflict> conflict(const Situation& s, const std::string& section) {
  if (const auto idle = ignored(s, section)) return idle;
  if (const auto shape = misfitting(s)) return shape;
  for (const Row& row : rows())
    if (const Answer expected = row.expected(s)) return conflict_of(s, section, row.key, row.with, *expected);
  return std::nullopt;
}

core::ConfigError conflict_error(const TrainOptions& options, const std::string& section, const Conflict& c) {
  return core::ConfigError(setting(values_of(options), section, c.key) + "; expected " + c.expected);
}

core::ConfigError conflict_error(core::config::Reader reader, const Conflict& c) {
  std::string key = c.key;
  for (size_t dot = key.find('.'); dot != std::string::npos; dot = key.find('.')) {
    reader = reader.section(key.substr(0, dot));
    key = key.substr(dot + 1);
  }
  return reader.error(key, c.expected);
}

void check_options(const Situation& s, const std::string& section) {
  if (const auto found = conflict(s, section)) throw conflict_error(s.options, section, *found);
}

std::vector<std::pair<std::string, std::string>> checked_pairs() {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const Idle& row : idle_rows()) pairs.emplace_back(row.key, row.with);
  for (const Row& row : rows()) pairs.emplace_back(row.key, row.with);
  return pairs;
}

}  // namespace condenser::train
