// `condenser data`: what a run learns from, for people. `check` has a file of its own.

#include <cstdio>

#include "cli/shared_options.hpp"
#include "cli/stages/stages.hpp"
#include "cli/tiles.hpp"
#include "cli/verb.hpp"
#include "cli/verbs/data_check.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/output.hpp"
#include "condenser/core/text.hpp"
#include "condenser/train/augment.hpp"

namespace condenser::cli {

namespace fs = std::filesystem;

namespace {

constexpr int kColumns = 8;
constexpr std::array<uint8_t, 3> kPlainInk{110, 110, 110};

std::shared_ptr<const data::Dataset> part_of(RunContext& run, const std::string& split) {
  return split == "test" ? run.test() : split == "validation" ? run.validation() : run.training();
}

// The first `count` samples that training sees, as tiles; changed as training changes them, or plain.
std::vector<report::Tile> draw_tiles(std::shared_ptr<const data::Dataset> dataset, const RunConfig& config, int count,
                                     bool plain) {
  const train::TrainOptions& o = config.train;
  data::LoaderOptions options{.batch_size = o.batch_size, .seed = o.seed};
  if (!plain) options.augment = o.augment.sample;
  data::Loader loader(dataset, options);
  std::vector<report::Tile> tiles;
  data::Batch batch;
  const auto elements = static_cast<size_t>(dataset->shape().elements());
  while (std::ssize(tiles) < count) {
    loader.next(batch);
    if (!plain) train::augment(o.augment, *dataset, o.seed, batch);
    for (int64_t i = 0; i < batch.size && std::ssize(tiles) < count; ++i) {
      const auto item = std::span<const float>(batch.x).subspan(static_cast<size_t>(i) * elements, elements);
      tiles.push_back(tile_of(item, *dataset, layout_of(config.card)));
      tiles.back().caption = label_lines(batch, i, dataset->classes());
      if (plain) tiles.back().ink = kPlainInk;
    }
  }
  return tiles;
}

// Rows of `a` and `b` in turns; the last row of each is filled up.
std::vector<report::Tile> in_turns(const std::vector<report::Tile>& a, const std::vector<report::Tile>& b) {
  std::vector<report::Tile> rows;
  for (size_t first = 0; first < a.size(); first += kColumns)
    for (const auto* tiles : {&a, &b})
      rows.insert(rows.end(), tiles->begin() + static_cast<int64_t>(first),
                  tiles->begin() + static_cast<int64_t>(std::min(first + kColumns, tiles->size())));
  return rows;
}

struct Options {
  std::string format = "text";
  std::string what;  // show, check
  RunFile run;
  // show
  fs::path out = "sheet.png";
  int count = 64;  // samples on the sheet
  std::string split = "train";
  bool plain = false;  // without augmentation
};

void add_options(Args& args, Options& o) {
  add_format(args, o.format);
  args.option("what", o.what,
              "show: a sheet of training samples as augmentation changes them; check: counts, duplicates, unreadable "
              "items, mean and deviation")
      .required()
      .choices({"show", "check"});
  add_run_file(args, o.run, "train.augment.flip=true");
  args.option("-o,--out", o.out, "show: file to write; sheet.png when absent");
  args.option("--count", o.count, "show: samples on the sheet").range(1, 4096).with_default();
  args.option("--split", o.split, "show: part of the data set").choices({"train", "validation", "test"}).with_default();
  args.flag("--plain", o.plain, "show: samples as they are, without augmentation");
}

// A sheet of training samples: each row of originals with the same samples, augmented, below.
int data_show(const RunConfig& config, const Options& o) {
  RunContext run(config, {});
  const auto dataset = part_of(run, o.split);
  int count = std::min<int>(o.count, static_cast<int>(std::min<int64_t>(dataset->size(), 4096)));
  if (count > kColumns) count -= count % kColumns;  // whole rows
  std::vector<report::Tile> tiles = draw_tiles(dataset, config, count, true);
  if (!o.plain) tiles = in_turns(tiles, draw_tiles(dataset, config, count, false));
  const std::string title = config.card.name + ", " + o.split + ": " + std::to_string(count) + " of " +
                            std::to_string(dataset->size()) + " samples" +
                            (o.plain ? "" : "; rows in turns: as they are (grey captions), augmented");
  core::write_atomic(o.out, report::sheet_png(tiles, kColumns, title));
  core::write_output(core::printable(o.out.string() + ": " + title) + "\n");
  return 0;
}

int show_or_check(const Options& o) {
  const RunConfig config = read_run_config(o.run.subject, o.run.overrides);
  return o.what == "check" ? data_check(config, o.format) : data_show(config, o);
}

}  // namespace

Verb data_verb() {
  return {.name = "data",
          .group = kData,
          .about = "what a run learns from: show (a sheet of augmented samples), check",
          .example = "data check experiments/digits_quickstart/run.yaml",
          .next = "Then look: condenser data show <run.yaml> -o sheet.png",
          .declare = with_options<Options>(add_options, show_or_check)};
}

}  // namespace condenser::cli
