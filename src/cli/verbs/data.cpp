// `condenser data`: what a run learns from, for people. One function per word in the table below.

#include <cstdio>

#include "cli/stages/stages.hpp"
#include "cli/tiles.hpp"
#include "cli/verbs/data_check.hpp"
#include "condenser/core/files.hpp"
#include "condenser/core/output.hpp"
#include "condenser/core/text.hpp"
#include "condenser/train/augment.hpp"

namespace condenser::cli {
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

// A sheet of training samples: each row of originals with the same samples, augmented, below.
int data_show(const Invocation& call) {
  const RunConfig config = read_run_config(call.subject, call.overrides);
  RunContext run(config, {});
  const auto dataset = part_of(run, call.split);
  int count = std::min<int>(call.count, static_cast<int>(std::min<int64_t>(dataset->size(), 4096)));
  if (count > kColumns) count -= count % kColumns;  // whole rows
  std::vector<report::Tile> tiles = draw_tiles(dataset, config, count, true);
  if (!call.plain) tiles = in_turns(tiles, draw_tiles(dataset, config, count, false));
  const std::string title = config.card.name + ", " + call.split + ": " + std::to_string(count) + " of " +
                            std::to_string(dataset->size()) + " samples" +
                            (call.plain ? "" : "; rows in turns: as they are (grey captions), augmented");
  const std::filesystem::path file = call.out.empty() ? "sheet.png" : call.out;
  core::write_atomic(file, report::sheet_png(tiles, kColumns, title));
  core::write_output(core::printable(file.string() + ": " + title) + "\n");
  return 0;
}

struct Word {
  const char* name;
  int (*run)(const Invocation&);
};
constexpr Word kWords[] = {
    {"show", data_show},
    {"check", data_check},
};

}  // namespace

int cmd_data(const Invocation& call) {
  for (const Word& word : kWords)
    if (call.what == word.name) return word.run(call);
  throw core::ConfigError("condenser data " + call.what + ": no such word; expected show or check");
}

}  // namespace condenser::cli
