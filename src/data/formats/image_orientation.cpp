// EXIF orientation: telephones store what the sensor saw and say how it is to be turned.
#include <algorithm>
#include <array>

#include "data/formats/image.hpp"

namespace condenser::data {
namespace {

// A TIFF file's numbers, in the byte order that its first two bytes name.
class Tiff {
 public:
  explicit Tiff(std::string_view bytes) : bytes_(bytes), big_(bytes.starts_with("MM")) {}
  bool valid() const {
    return bytes_.size() >= 8 && (big_ || bytes_.starts_with("II")) && (number(2, 2) == 42 || number(2, 2) == 42 << 8);
  }
  bool holds(uint64_t at, uint64_t count) const { return at + count <= bytes_.size(); }
  uint32_t number(size_t at, size_t count) const {
    uint32_t value = 0;
    for (size_t i = 0; i < count; ++i)
      value = value << 8 | static_cast<uint8_t>(bytes_[at + (big_ ? i : count - 1 - i)]);
    return value;
  }

 private:
  std::string_view bytes_;
  bool big_;
};

// An orientation is made of these, in this order: rows and columns exchanged, then mirrored along either axis.
struct Turn {
  bool transposed, mirrored_down, mirrored_across;
};

constexpr std::array<Turn, 9> kTurns{{{},
                                      {false, false, false},
                                      {false, false, true},
                                      {false, true, true},
                                      {false, true, false},
                                      {true, false, false},
                                      {true, false, true},
                                      {true, true, true},
                                      {true, true, false}}};

Side mirrored(const Side& side, int pixels) {
  return side.extent == 0 ? side : Side{side.cell * pixels - side.begin - side.extent, side.extent, side.cell};
}

}  // namespace

int exif_orientation(std::string_view bytes) {
  const Tiff tiff(bytes);
  if (!tiff.valid()) return 0;
  const uint64_t folder = tiff.number(4, 4);
  if (!tiff.holds(folder, 2)) return 0;
  const uint32_t entries = tiff.number(folder, 2);
  for (uint32_t i = 0; i < entries; ++i) {
    const uint64_t at = folder + 2 + 12 * uint64_t{i};
    if (!tiff.holds(at, 12)) return 0;
    if (tiff.number(at, 2) != 0x0112) continue;
    const uint32_t type = tiff.number(at + 2, 2);  // 3: 16 bits, as the standard wants it; 4: 32 bits
    if (type != 3 && type != 4) return 1;
    const uint32_t value = tiff.number(at + 8, type == 3 ? 2 : 4);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 0;
}

int xmp_orientation(std::string_view packet) {
  constexpr std::string_view kName = "tiff:Orientation";
  const size_t at = packet.find(kName);
  if (at == packet.npos) return 0;
  std::string_view value = packet.substr(at + kName.size());
  for (const std::string_view opening : {"=\"", ">"}) {
    if (!value.starts_with(opening)) continue;
    value.remove_prefix(opening.size());
    return !value.empty() && value[0] >= '1' && value[0] <= '8' ? value[0] - '0' : 1;
  }
  return 0;
}

bool sides_exchanged(int orientation) { return kTurns[orientation].transposed; }

Rect stored_rect(const Rect& upright, int orientation, int height, int width) {
  const Turn& turn = kTurns[orientation];
  Rect r = upright;
  const int h = turn.transposed ? width : height, w = turn.transposed ? height : width;
  if (turn.mirrored_down) r.y = h - r.y - r.h;
  if (turn.mirrored_across) r.x = w - r.x - r.w;
  return turn.transposed ? Rect{r.x, r.y, r.w, r.h} : r;
}

Rect stored_rect(const Window& upright, int orientation, int height, int width) {
  const bool turned = sides_exchanged(orientation);
  const Rect rect = rect_of(upright, turned ? width : height, turned ? height : width);
  return stored_rect(rect, orientation, height, width);
}

Picture upright(Picture stored, int orientation) {
  const Turn& turn = kTurns[orientation];
  if (orientation == 1) return stored;
  const View from = view_of(stored);
  Picture to{stored.c, turn.transposed ? stored.w : stored.h, turn.transposed ? stored.h : stored.w, {}, 0, 0, {}, {}};
  to.down = turn.transposed ? stored.across : stored.down;
  to.across = turn.transposed ? stored.down : stored.across;
  if (turn.mirrored_down) to.down = mirrored(to.down, to.h);
  if (turn.mirrored_across) to.across = mirrored(to.across, to.w);
  to.pixels.resize(static_cast<size_t>(to.h) * static_cast<size_t>(to.w) * static_cast<size_t>(to.c));
  uint8_t* out = to.pixels.data();
  for (int y = 0; y < to.h; ++y)
    for (int x = 0; x < to.w; ++x, out += to.c) {
      const int row = turn.mirrored_down ? to.h - 1 - y : y, column = turn.mirrored_across ? to.w - 1 - x : x;
      const uint8_t* pixel =
          from.pixels + (turn.transposed ? column : row) * from.stride + (turn.transposed ? row : column) * from.c;
      std::copy_n(pixel, to.c, out);
    }
  return to;
}

}  // namespace condenser::data
