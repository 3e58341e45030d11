// Pictures of networks: every live node in one box, boxes apart, texts inside, lines that end at boxes, XML that is
// XML.

#include "condenser/report/picture.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

#include "condenser/arch/attention_blocks.hpp"
#include "condenser/arch/blocks.hpp"
#include "condenser/arch/zoo.hpp"
#include "condenser/core/files.hpp"
#include "report/xml_fault.hpp"
#include "support/catch.hpp"
#include "support/exemplars.hpp"
#include "support/random_spec.hpp"

using namespace condenser;
using namespace condenser::arch;
using condenser::tests::xml_fault;
using report::Glyph;
using report::Picture;
using report::PictureBox;
using report::PictureEdge;
using report::Point;
using report::Rect;

namespace {

Picture picture_of_zoo(const std::string& name) {
  const ZooCard& card = find_zoo(name);
  return report::picture_of(card.make(card.input, card.classes));
}

bool overlap(const Rect& a, const Rect& b) {
  return a.x < b.right() && b.x < a.right() && a.y < b.bottom() && b.y < a.bottom();
}

bool inside(const Rect& a, const Picture& picture) {
  return a.x >= 0 && a.y >= 0 && a.right() <= picture.width && a.bottom() <= picture.height;
}

int overlaps(const std::vector<Rect>& rects) {
  int count = 0;
  for (size_t i = 0; i < rects.size(); ++i) {
    for (size_t k = 0; k < i; ++k) count += overlap(rects[i], rects[k]) ? 1 : 0;
  }
  return count;
}

// Boxes and stage cards stand apart and on the page.
void check_places(const Picture& picture) {
  std::vector<Rect> rects, frames;
  for (const auto& box : picture.boxes) rects.push_back(box.rect);
  for (const auto& stage : picture.stages) rects.push_back(stage.rect);
  for (const auto& frame : picture.frames) frames.push_back(frame.rect);
  CHECK(overlaps(rects) == 0);
  CHECK(overlaps(frames) == 0);
  rects.insert(rects.end(), frames.begin(), frames.end());
  CHECK(std::all_of(rects.begin(), rects.end(), [&](const Rect& r) { return inside(r, picture); }));
  for (const Rect& frame : frames) {  // a box is in a frame or outside
    const bool cut = std::any_of(picture.boxes.begin(), picture.boxes.end(), [&](const PictureBox& box) {
      const Rect& r = box.rect;
      const bool within =
          r.x >= frame.x && r.right() <= frame.right() && r.y >= frame.y && r.bottom() <= frame.bottom();
      return overlap(r, frame) && !within;
    });
    CHECK(!cut);
  }
}

bool fits(const std::string& text, double size, bool bold, double width) {
  return report::text_width(text, size, bold) <= width;
}

void check_texts(const Picture& picture) {
  int wide = 0;
  for (const auto& box : picture.boxes) {
    for (const auto& line : box.lines) {
      const double half = report::text_width(line.text, line.size, line.bold) / 2;
      wide += line.at.x - half < box.rect.x || line.at.x + half > box.rect.right() ? 1 : 0;
      wide += line.at.y - line.size < box.rect.y || line.at.y > box.rect.bottom() ? 1 : 0;
    }
  }
  for (const auto& frame : picture.frames) {
    const double share = report::text_width(frame.share, 10, false);
    wide += fits(frame.label, 11.5, true, frame.rect.w - 20 - share) ? 0 : 1;
  }
  for (const auto& stage : picture.stages) {
    const double shape = report::text_width(stage.shape, 10, false);
    wide += fits(stage.name, 11.5, true, stage.rect.w - 20 - shape) ? 0 : 1;
  }
  CHECK(wide == 0);
}

void check_nodes(const Spec& spec, const Picture& picture) {
  std::multiset<int> drawn;
  for (const auto& box : picture.boxes) drawn.insert(box.nodes.begin(), box.nodes.end());
  std::multiset<int> live;
  const auto alive = live_nodes(spec);
  for (size_t i = 0; i < alive.size(); ++i) {
    if (alive[i]) live.insert(static_cast<int>(i));
  }
  CHECK(drawn == live);
}

bool touches(const Rect& r, const Point& p) {
  return p.x >= r.x && p.x <= r.right() && p.y >= r.y && p.y <= r.bottom();
}

// An arrow ends at a box, and every box but the input is reached.
void check_edges(const Picture& picture) {
  std::set<size_t> reached;
  int lost = 0;
  for (const PictureEdge& edge : picture.edges) {
    REQUIRE(edge.points.size() >= 2);
    if (!edge.arrow && edge.strands == 1) continue;
    const auto box = std::find_if(picture.boxes.begin(), picture.boxes.end(),
                                  [&](const PictureBox& b) { return touches(b.rect, edge.points.back()); });
    if (box == picture.boxes.end()) {
      ++lost;
    } else {
      reached.insert(static_cast<size_t>(box - picture.boxes.begin()));
    }
  }
  CHECK(lost == 0);
  CHECK(reached.size() == picture.boxes.size() - 1);
}

// A right-angled line that runs through a box it has no business with.
int crossed_boxes(const Picture& picture) {
  int count = 0;
  for (const PictureEdge& edge : picture.edges) {
    for (size_t k = 1; k < edge.points.size(); ++k) {
      const Point &a = edge.points[k - 1], &b = edge.points[k];
      if (a.x != b.x && a.y != b.y) continue;
      for (const PictureBox& box : picture.boxes) {
        if (box.circle()) continue;  // its room is wider than what is drawn
        const Rect core{box.rect.x + 1, box.rect.y + 1, box.rect.w - 2, box.rect.h - 2};
        const Rect line{std::min(a.x, b.x), std::min(a.y, b.y), std::abs(a.x - b.x), std::abs(a.y - b.y)};
        count += line.x < core.right() && core.x < line.right() + 1e-9 && line.y < core.bottom() &&
                         core.y < line.bottom() + 1e-9
                     ? 1
                     : 0;
      }
    }
  }
  return count;
}

void check_all(const Spec& spec) {
  const Picture picture = report::picture_of(spec);
  check_places(picture);
  check_texts(picture);
  check_nodes(spec, picture);
  check_edges(picture);
  CHECK(crossed_boxes(picture) == 0);
  const std::string svg = report::to_svg(picture);
  CHECK(xml_fault(svg) == "");
  CHECK(svg == report::to_svg(report::picture_of(spec)));
  CHECK(svg.find("<script") == std::string::npos);
  CHECK(svg.find("href") == std::string::npos);
}

const PictureBox& box_of(const Picture& picture, const Spec& spec, const std::string& node) {
  const int id = find_node(spec, node);
  for (const auto& box : picture.boxes) {
    if (std::find(box.nodes.begin(), box.nodes.end(), id) != box.nodes.end()) return box;
  }
  throw core::Error("no box of " + node);
}

}  // namespace

TEST_CASE("pictures of the zoo: every node in one box, boxes apart, texts and lines in place", "[report]") {
  for (const ZooCard& card : zoo()) {
    INFO(card.name);
    check_all(card.make(card.input, card.classes));
  }
}

TEST_CASE("pictures of all operators and blocks", "[report]") {
  for (const auto& exemplar : testing::exemplars()) {
    INFO(exemplar.name);
    check_all(exemplar.spec);
  }
}

TEST_CASE("pictures of random graphs", "[report]") {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    INFO("seed " << seed);
    core::Rng rng(seed, 0, 0);
    check_all(testing::random_spec(rng, 3 + static_cast<int>(seed % 60)));
  }
}

TEST_CASE("a thousand nodes wrap into a page", "[report]") {
  core::Rng rng(7, 0, 0);
  const Spec spec = testing::random_spec(rng, 1000);
  const Picture picture = report::picture_of(spec);
  check_nodes(spec, picture);
  check_places(picture);
  Builder chain("chain", {3, 8, 8});
  int x = 0;
  for (int i = 0; i < 999; ++i) x = chain.add("a_" + std::to_string(i), Softmax{}, {x});
  check_all(chain.finish());
}

TEST_CASE("a double condenser shows both paths and where they meet", "[report]") {
  Builder b("net", {8, 16, 16});
  column_block(b, 0, "s1b1", {.channels = 12, .columns = 4, .stride = 2, .attention = true});
  const Spec spec = b.finish();
  const Picture picture = report::picture_of(spec);
  const PictureBox &attention = box_of(picture, spec, "s1b1_c2"), &value = box_of(picture, spec, "s1b1_sc");
  const PictureBox& joint = box_of(picture, spec, "s1b1_mul");
  CHECK(joint.glyph == Glyph::Attention);
  CHECK(&joint == &box_of(picture, spec, "s1b1_softmax"));
  CHECK(attention.spine < joint.spine);
  CHECK(value.spine > joint.spine);
  CHECK(attention.glyph == Glyph::Lanes);
  CHECK(attention.lanes == 4);
  CHECK(picture.notes.size() == 2);
  CHECK(std::any_of(picture.edges.begin(), picture.edges.end(), [](const auto& e) { return e.strands == 4; }));
}

TEST_CASE("a shortcut is an arc over its block, an attention condenser hangs below what it looks at", "[report]") {
  Builder b("net", {8, 16, 16});
  const int x = column_block(b, 0, "s1b1", {.channels = 8, .columns = 1});
  attention_condenser(b, x, "s2b1", {.embedding = {{8, 8}}});
  const Spec spec = b.finish();
  const Picture picture = report::picture_of(spec);
  const PictureBox& conv = box_of(picture, spec, "s1b1_c1");
  CHECK(std::any_of(picture.edges.begin(), picture.edges.end(), [&](const PictureEdge& edge) {
    return std::any_of(edge.points.begin(), edge.points.end(), [&](const Point& p) { return p.y < conv.rect.y; });
  }));
  CHECK(box_of(picture, spec, "s2b1_pool").spine > box_of(picture, spec, "s2b1_add").spine);
  CHECK(box_of(picture, spec, "s2b1_scale").spine == box_of(picture, spec, "s2b1_add").spine);
}

TEST_CASE("many groups and depthwise are a texture, not hundreds of lanes", "[report]") {
  const Picture picture = picture_of_zoo("mobilenet_v2");
  CHECK(std::none_of(picture.boxes.begin(), picture.boxes.end(), [](const auto& b) { return b.lanes > 8; }));
  CHECK(
      std::any_of(picture.boxes.begin(), picture.boxes.end(), [](const auto& b) { return b.glyph == Glyph::Texture; }));
}

TEST_CASE("names cannot break the file", "[report]") {
  Builder b("<svg>\"&\x01 \xff", {3, 8, 8});
  conv_bn_act(b, 0, "stem", {.out = 8});
  const std::string svg = report::to_svg(report::picture_of(b.finish()));
  CHECK(xml_fault(svg) == "");
  CHECK(std::all_of(svg.begin(), svg.end(), [](char c) { return c != '\x01' && c != '\xff'; }));
}

TEST_CASE("colour follows what was asked for", "[report]") {
  const ZooCard& card = find_zoo("resnet8");
  const Spec spec = card.make(card.input, card.classes);
  std::set<std::string> pictures;
  for (const char* name : {"macs", "memory", "params"}) {
    const Picture picture = report::picture_of(spec, report::measure_of(name));
    pictures.insert(report::to_svg(picture));
    double sum = 0;
    for (const auto& box : picture.boxes) sum += box.share;
    if (picture.measure != report::Measure::Memory) CHECK(sum == Approx(1));
  }
  CHECK(pictures.size() == 3);
  CHECK_THROWS_WITH(report::measure_of("red"), Catch::Matchers::Contains("macs, memory or params"));
}

TEST_CASE("the picture in the README is the one that is drawn", "[report]") {
  const std::filesystem::path file = std::filesystem::path(CONDENSER_SOURCE_DIR) / "docs/pictures/dcac_sca_325mf.svg";
  const std::string svg = report::to_svg(picture_of_zoo("dcac_sca_325mf"));
  if (const char* flag = std::getenv("CONDENSER_APPROVE"); flag != nullptr && std::string(flag) == "1")
    core::write_atomic(file, svg);
  INFO("approve with CONDENSER_APPROVE=1");
  CHECK(svg.size() < 200'000);
  CHECK((core::read_file(file) == svg));
}
