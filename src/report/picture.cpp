// Blocks into rows, lines between blocks, and the totals of stages.

#include "condenser/report/picture.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "condenser/arch/design.hpp"
#include "condenser/core/table.hpp"
#include "condenser/core/text.hpp"
#include "report/picture_parts.hpp"

namespace condenser::report {
namespace {

constexpr double kMargin = 36, kHeader = 132;             // header: title, totals, legend
constexpr double kRowWidth = 1240, kMostRowWidth = 2400;  // from the width of a screen to that of a poster
constexpr double kLeastWidth = 980;                       // the legend needs it
constexpr double kFrameGap = 22, kPlainGap = 2;           // between blocks
constexpr double kLabelHeight = 26, kFrameBottom = 12;    // of a frame, above and below its boxes
constexpr double kTrack = 6, kRowGap = 30;                // between lines in a channel; rows without lines between them
constexpr double kCardWidth = 156, kWidestCard = 210, kCardHeight = 92, kCardGap = 12;
constexpr size_t kMostStages = 12;

struct Row {
  std::vector<size_t> blocks;
  double above = 0, below = 0, width = 0, spine = 0;
};

bool framed(const PictureBlock& block) { return !block.label.empty(); }

// Room for the vertical lines of ports that do not lead straight to the next block.
double gap_between(const PictureBlock& left, const PictureBlock& right) {
  const size_t ports = std::max(left.outgoing.size(), right.sources.size());
  const double lines = ports > 1 ? 10 + 4 * static_cast<double>(std::min<size_t>(ports, 10)) : 0;
  return (framed(left) || framed(right) ? kFrameGap : kPlainGap) + lines;
}

std::vector<Row> rows_within(const std::vector<PictureBlock>& blocks, double width) {
  std::vector<Row> rows;
  for (size_t k = 0; k < blocks.size(); ++k) {
    const double gap = rows.empty() ? 0 : gap_between(blocks[k - 1], blocks[k]);
    if (rows.empty() || rows.back().width + gap + blocks[k].width > width) {
      rows.emplace_back();
    } else {
      rows.back().width += gap;
    }
    Row& row = rows.back();
    row.blocks.push_back(k);
    row.width += blocks[k].width;
    row.above = std::max(row.above, blocks[k].above + kLabelHeight);
    row.below = std::max(row.below, blocks[k].below + kFrameBottom);
  }
  return rows;
}

// A short network fits the width of a screen; a long one keeps about the proportions of a page.
double row_width(const std::vector<PictureBlock>& blocks) {
  double area = 0, widest = 0;
  for (const PictureBlock& block : blocks) {
    area += block.width * (block.above + block.below + kLabelHeight + kFrameBottom + kRowGap);
    widest = std::max(widest, block.width);
  }
  return std::max(std::min(std::max(kRowWidth, std::sqrt(1.3 * area)), kMostRowWidth), widest);
}

// How much of the page of these rows is empty.
double blank_share(const std::vector<Row>& rows) {
  double used = 0, width = 0, height = 0;
  for (const Row& row : rows) {
    used += row.width * (row.above + row.below);
    width = std::max(width, row.width);
    height += row.above + row.below;
  }
  return 1 - used / (width * height);
}

// Rows that are about as long as each other: the fullest page among those of about the wanted width.
std::vector<Row> rows_of(const std::vector<PictureBlock>& blocks) {
  const double wanted = row_width(blocks);
  auto rows = rows_within(blocks, wanted);
  for (double part = 0.8; part < 1.2; part += 0.02) {
    auto others = rows_within(blocks, wanted * part);
    if (blank_share(others) < blank_share(rows) - 1e-6) rows = std::move(others);
  }
  return rows;
}

// ---- lines between blocks

// A line from a port on the right of one block to a port on the left of a later one. Beyond the next block it takes
// the channel above a row; beyond the next row also the margin on the left.
struct Route {
  size_t from, to;
  int source;
  int start_channel = -1, end_channel = -1;
  int start_track = 0, end_track = 0, margin_track = -1;
};

// Tracks of parallel lines; lines of one source share a track.
class Tracks {
 public:
  int take(int source, double low, double high) {
    for (size_t t = 0; t < tracks_.size(); ++t) {
      if (std::all_of(tracks_[t].begin(), tracks_[t].end(), [&](const Span& span) {
            return span.source == source || high + 8 < span.low || low > span.high + 8;
          })) {
        tracks_[t].push_back({source, low, high});
        return static_cast<int>(t);
      }
    }
    tracks_.push_back({{source, low, high}});
    return static_cast<int>(tracks_.size()) - 1;
  }
  int count() const { return static_cast<int>(tracks_.size()); }

 private:
  struct Span {
    int source;
    double low, high;
  };
  std::vector<std::vector<Span>> tracks_;
};

class Arrangement {
 public:
  Arrangement(const Boxes& all, std::vector<PictureBlock>& blocks)
      : all_(all), blocks_(blocks), rows_(rows_of(blocks)) {
    place_columns();
    add_routes();
    place_rows();
  }

  void draw(Picture& picture) const {
    for (size_t k = 0; k < blocks_.size(); ++k) draw_block(picture, k);
    for (const Route& route : routes_) draw_route(picture, route);
    double width = kLeastWidth - 2 * kMargin;
    for (const Row& row : rows_) width = std::max(width, row.width);
    picture.width = std::ceil(left_ + width + kMargin + 8);
    picture.height = rows_.back().spine + rows_.back().below;
  }

 private:
  void place_columns() {
    row_of_.resize(blocks_.size());
    x_.resize(blocks_.size());
    for (size_t r = 0; r < rows_.size(); ++r) {
      double x = 0;
      for (size_t k : rows_[r].blocks) {
        if (k != rows_[r].blocks.front()) x += gap_between(blocks_[k - 1], blocks_[k]);
        row_of_[k] = r;
        x_[k] = x;
        x += blocks_[k].width;
      }
    }
  }

  double right_of(size_t k) const { return x_[k] + blocks_[k].width; }

  // Where the vertical line of a port stands beside its block; few places, as the room is small.
  static double stagger(const std::vector<int>& ports, int source) {
    const auto k = std::find(ports.begin(), ports.end(), source) - ports.begin();
    return ports.size() < 2 ? 9 : 6 + 4 * static_cast<double>(k % 8);
  }
  double exit_x(const Route& route) const {
    return right_of(route.from) + stagger(blocks_[route.from].outgoing, route.source);
  }
  double entry_x(const Route& route) const { return x_[route.to] - stagger(blocks_[route.to].sources, route.source); }

  void add_routes() {
    std::vector<size_t> home(all_.boxes.size(), 0);
    for (size_t k = 0; k < blocks_.size(); ++k) {
      for (int b : blocks_[k].boxes) home[static_cast<size_t>(b)] = k;
    }
    channels_.resize(rows_.size());
    Tracks margin;
    for (size_t k = 0; k < blocks_.size(); ++k) {
      for (int source : blocks_[k].sources) {
        Route route{home[static_cast<size_t>(source)], k, source};
        const size_t a = row_of_[route.from], b = row_of_[k];
        if (a != b || route.from + 1 != k) take_tracks(route, a, b, margin);
        routes_.push_back(route);
      }
    }
    left_ = kMargin + (margin.count() > 0 ? 16 + kTrack * margin.count() : 0);
  }

  void take_tracks(Route& route, size_t a, size_t b, Tracks& margin) {
    const double out = exit_x(route), in = entry_x(route);
    if (b <= a + 1) {
      route.start_channel = route.end_channel = static_cast<int>(b);
      route.start_track = route.end_track = channels_[b].take(route.source, std::min(out, in), std::max(out, in));
      return;
    }
    route.start_channel = static_cast<int>(a) + 1;
    route.end_channel = static_cast<int>(b);
    route.start_track = channels_[a + 1].take(route.source, -1000, out);
    route.end_track = channels_[b].take(route.source, -1000, in);
    route.margin_track = margin.take(route.source, static_cast<double>(a), static_cast<double>(b));
  }

  void place_rows() {
    double y = kHeader;
    for (size_t r = 0; r < rows_.size(); ++r) {
      const double lines = channels_[r].count() > 0 ? 8 + kTrack * channels_[r].count() : 0;
      if (r > 0) y += std::max(kRowGap, lines + 16);
      if (r == 0) y += lines;
      channel_y_.push_back(r > 0 && channels_[r].count() == 1 ? y - kRowGap / 2 : y - 8);
      rows_[r].spine = std::round(y + rows_[r].above);
      y = rows_[r].spine + rows_[r].below;
    }
  }

  double track_y(int channel, int track) const { return channel_y_[static_cast<size_t>(channel)] - kTrack * track; }

  void draw_route(Picture& picture, const Route& route) const {
    const double y1 = rows_[row_of_[route.from]].spine + blocks_[route.from].out_port.at(route.source);
    const double y2 = rows_[row_of_[route.to]].spine + blocks_[route.to].in_port.at(route.source);
    const double out = left_ + exit_x(route), in = left_ + entry_x(route);
    PictureEdge edge;
    edge.arrow = false;
    edge.points = {{left_ + right_of(route.from), y1}};
    if (route.start_channel < 0) {
      if (y1 != y2) edge.points.insert(edge.points.end(), {{out, y1}, {out, y2}});
    } else {
      const double first = track_y(route.start_channel, route.start_track);
      edge.points.insert(edge.points.end(), {{out, y1}, {out, first}});
      if (route.margin_track >= 0) {
        const double margin = left_ - 20 - kTrack * route.margin_track;
        edge.points.push_back({margin, first});
        edge.points.push_back({margin, track_y(route.end_channel, route.end_track)});
      }
      edge.points.insert(edge.points.end(), {{in, track_y(route.end_channel, route.end_track)}, {in, y2}});
    }
    edge.points.push_back({left_ + x_[route.to], y2});
    picture.edges.push_back(edge);
  }

  void draw_block(Picture& picture, size_t k) const {
    const PictureBlock& block = blocks_[k];
    const Row& row = rows_[row_of_[k]];
    const double x = left_ + x_[k];
    double share = 0;
    for (int b : block.boxes) {
      PictureBox& box = picture.boxes[static_cast<size_t>(b)];
      const Point at = block.places.at(b);
      box.spine = row.spine + at.y;
      box.rect = {x + at.x, box.spine - kAbove, box.rect.w, box.rect.h};
      for (Text& line : box.lines) line.at = {box.rect.x + box.rect.w / 2, box.spine + line.at.y};
      share = picture.measure == Measure::Memory ? std::max(share, box.share) : share + box.share;
    }
    for (PictureEdge edge : block.edges) {
      for (Point& point : edge.points) point = {x + point.x, row.spine + point.y};
      picture.edges.push_back(edge);
    }
    for (Text note : block.notes) {
      note.at = {x + note.at.x, row.spine + note.at.y};
      picture.notes.push_back(note);
    }
    if (!framed(block)) return;
    PictureFrame frame{{x, row.spine - row.above, block.width, row.above + row.below}, {}, percent_text(share)};
    double room = block.width - 20;
    if (text_width(frame.share, 10, false) + 40 > room) frame.share.clear();
    if (!frame.share.empty()) room -= text_width(frame.share, 10, false) + 8;
    frame.label = shorten(block.label, room, 11.5, true);
    picture.frames.push_back(frame);
  }

  const Boxes& all_;
  std::vector<PictureBlock>& blocks_;
  std::vector<Row> rows_;
  std::vector<size_t> row_of_;
  std::vector<double> x_;  // of blocks, from the left of their row
  std::vector<Route> routes_;
  std::vector<Tracks> channels_;   // above each row
  std::vector<double> channel_y_;  // of the lowest track
  double left_ = kMargin;
};

// ---- stages

// "s2" of "s2b1"; a block of another name is a stage of its own.
std::string stage_of(const std::string& label) {
  size_t at = 1;
  const auto digits = [&] {
    const size_t from = at;
    while (at < label.size() && label[at] >= '0' && label[at] <= '9') ++at;
    return at > from;
  };
  if (label.empty() || label[0] != 's' || !digits()) return label;
  const std::string stage = label.substr(0, at);
  if (at >= label.size() || label[at] != 'b') return label;
  ++at;
  return digits() && at == label.size() ? stage : label;
}

struct Totals {
  std::vector<double> macs, params, memory;  // per box, shares
};

// A name for boxes outside blocks: that of the first and the last.
std::string run_name(const arch::Spec& spec, const Boxes& all, int first, int last) {
  const auto name = [&](int b) { return spec.node(all.boxes[static_cast<size_t>(b)].nodes.front()).name; };
  return first == last ? name(first) : name(first) + " – " + name(last);
}

enum class StageKey { Name, Resolution, Block };

std::string stage_key(StageKey by, const PictureBlock& block, const arch::Shape& shape) {
  switch (by) {
    case StageKey::Name: return stage_of(block.label);
    case StageKey::Resolution: return std::to_string(shape.h) + " × " + std::to_string(shape.w);
    case StageKey::Block: return std::to_string(block.boxes.front());
  }
  return "";
}

// Consecutive blocks of one key.
std::vector<PictureStage> stages_by(const arch::Spec& spec, const Boxes& all, const std::vector<PictureBlock>& blocks,
                                    const Totals& totals, StageKey by) {
  std::vector<PictureStage> stages;
  std::string key;
  int first = 0;
  for (const PictureBlock& block : blocks) {
    const int last = *std::max_element(block.boxes.begin(), block.boxes.end());
    const arch::Shape& shape = all.shapes[static_cast<size_t>(last)];
    if (last == 0) continue;  // the input alone
    const std::string here = stage_key(by, block, shape);
    if (stages.empty() || here != key) {
      stages.emplace_back();
      first = *std::min_element(block.boxes.begin(), block.boxes.end());
      if (first == 0) first = 1;
    }
    key = here;
    PictureStage& stage = stages.back();
    stage.name = by == StageKey::Resolution ? here
                 : block.label.empty()      ? run_name(spec, all, first, last)
                                            : stage_of(block.label);
    stage.shape = shape_text(shape);
    for (int b : block.boxes) {
      stage.macs += totals.macs[static_cast<size_t>(b)];
      stage.params += totals.params[static_cast<size_t>(b)];
      stage.memory = std::max(stage.memory, totals.memory[static_cast<size_t>(b)]);
    }
  }
  return stages;
}

// By name; a single one is told apart by blocks, too many are joined by resolution, and if they are still too many the
// last ones become one.
std::vector<PictureStage> stages_of(const arch::Spec& spec, const Boxes& all, const std::vector<PictureBlock>& blocks,
                                    const Totals& totals) {
  auto stages = stages_by(spec, all, blocks, totals, StageKey::Name);
  if (stages.size() == 1) stages = stages_by(spec, all, blocks, totals, StageKey::Block);
  if (stages.size() > kMostStages) stages = stages_by(spec, all, blocks, totals, StageKey::Resolution);
  while (stages.size() > kMostStages) {
    PictureStage& rest = stages[stages.size() - 2];
    rest.name = "rest";
    rest.shape = stages.back().shape;
    rest.macs += stages.back().macs;
    rest.params += stages.back().params;
    rest.memory = std::max(rest.memory, stages.back().memory);
    stages.pop_back();
  }
  return stages;
}

// Cards in rows of equally many below everything else.
void place_stages(Picture& picture) {
  const double room = picture.width - 2 * kMargin;
  const auto fit = static_cast<size_t>((room + kCardGap) / (kCardWidth + kCardGap));
  const size_t lines = (picture.stages.size() + fit - 1) / fit;
  const size_t per_line = lines == 0 ? 1 : (picture.stages.size() + lines - 1) / lines;
  const double share = room / static_cast<double>(per_line) - kCardGap * (1 - 1 / static_cast<double>(per_line));
  const double width = std::floor(std::min(share, kWidestCard));
  const double top = picture.height + 56;
  for (size_t k = 0; k < picture.stages.size(); ++k) {
    PictureStage& stage = picture.stages[k];
    stage.rect = {kMargin + static_cast<double>(k % per_line) * (width + kCardGap),
                  top + static_cast<double>(k / per_line) * (kCardHeight + kCardGap), width, kCardHeight};
    const double shape = text_width(stage.shape, 10, false);
    stage.name = shorten(stage.name, width - 20 - shape - 8, 11.5, true);
  }
  picture.height = top + static_cast<double>(lines) * (kCardHeight + kCardGap) - kCardGap + kMargin;
}

std::string millions(int64_t count) {
  if (count >= 1'000'000'000) return core::thousands(std::llround(static_cast<double>(count) / 1e6)) + " million";
  if (count >= 100'000) return core::fixed(static_cast<double>(count) / 1e6, count >= 100'000'000 ? 0 : 2) + " million";
  return core::thousands(count);
}

std::string bytes(int64_t count) {
  if (count >= 1024 * 1024) return core::fixed(static_cast<double>(count) / 1048576, 2) + " MiB";
  return core::fixed(static_cast<double>(count) / 1024, 1) + " KiB";
}

}  // namespace

Picture picture_of(const arch::Spec& spec, Measure measure) {
  const arch::Design design = arch::design_of(spec);
  const Boxes all = boxes_of(spec, measure, design.plan.peak_bytes);
  Totals totals;
  for (const auto& [one, target] : {std::pair(Measure::Macs, &totals.macs), std::pair(Measure::Params, &totals.params),
                                    std::pair(Measure::Memory, &totals.memory)}) {
    for (const PictureBox& box : boxes_of(spec, one, design.plan.peak_bytes).boxes) target->push_back(box.share);
  }
  std::vector<PictureBlock> blocks = blocks_of(all);
  for (PictureBlock& block : blocks) lay_out(all, block);
  Picture picture;
  picture.name = plain(spec.name);
  picture.measure = measure;
  picture.totals = "input " + shape_text(spec.input) + " · " + core::thousands(design.cost.params) + " parameters · " +
                   millions(design.cost.macs) + " MACs · int8: " + bytes(design.lowered_cost.constant_bytes) +
                   " flash, " + bytes(design.plan.peak_bytes) + " RAM";
  picture.boxes = all.boxes;
  Arrangement(all, blocks).draw(picture);
  picture.stages = stages_of(spec, all, blocks, totals);
  place_stages(picture);
  return picture;
}

}  // namespace condenser::report
