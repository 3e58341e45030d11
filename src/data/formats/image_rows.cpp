// Rows on their way from a decoder to a picture: colours to what is wanted, and means of cells.
#include <algorithm>

#include "data/formats/image.hpp"

namespace condenser::data {
namespace {

// a * b / 255, rounded.
int scaled(int a, int b) {
  const int t = a * b + 128;
  return (t + (t >> 8)) >> 8;
}

// Calls put(pixel, r, g, b) for a row of 1, 3 or 4 channels. Four are cyan, magenta, yellow and black as Adobe stores
// them, inverted; converted without a profile, as Pillow does.
template <class Put>
void each_pixel(const uint8_t* row, int row_channels, int w, const Put& put) {
  for (int x = 0; x < w; ++x, row += row_channels) {
    if (row_channels == 1) {
      put(x, row[0], row[0], row[0]);
    } else if (row_channels == 3) {
      put(x, row[0], row[1], row[2]);
    } else {
      const int paper = row[3];
      put(x, paper - scaled(255 - row[0], paper), paper - scaled(255 - row[1], paper),
          paper - scaled(255 - row[2], paper));
    }
  }
}

}  // namespace

RowSink::RowSink(int channels, int h, int w, int cell)
    : picture_{channels, (h + cell - 1) / cell, (w + cell - 1) / cell, {}, 0, 0, {0, h, cell}, {0, w, cell}}, w_(w) {
  const size_t row = static_cast<size_t>(picture_.w) * static_cast<size_t>(channels);
  picture_.pixels.resize(row * static_cast<size_t>(picture_.h));
  if (cell > 1) sums_.resize(row);
}

void RowSink::add(const uint8_t* row, int row_channels) {
  const int c = picture_.c;
  if (row_channels != c) {
    converted_.resize(static_cast<size_t>(w_) * static_cast<size_t>(c));
    uint8_t* to = converted_.data();
    if (c == 1) {
      each_pixel(row, row_channels, w_, [&](int x, int r, int g, int b) { to[x] = luma(r, g, b); });
    } else {
      each_pixel(row, row_channels, w_, [&](int x, int r, int g, int b) {
        to[3 * x] = static_cast<uint8_t>(r);
        to[3 * x + 1] = static_cast<uint8_t>(g);
        to[3 * x + 2] = static_cast<uint8_t>(b);
      });
    }
    row = to;
  }
  if (picture_.down.cell > 1) {
    add_to_cells(row);
  } else {
    std::copy_n(row, ptrdiff_t{w_} * c, picture_.pixels.begin() + ptrdiff_t{rows_} * w_ * c);
  }
  ++rows_;
}

void RowSink::add_to_cells(const uint8_t* row) {
  const int c = picture_.c, cell = picture_.down.cell;
  for (int x = 0; x < w_; ++x, row += c) {
    uint32_t* sum = sums_.data() + ptrdiff_t{x / cell} * c;
    for (int k = 0; k < c; ++k) sum[k] += row[k];
  }
  const int in_cell = rows_ % cell + 1;
  if (in_cell < cell && rows_ + 1 < picture_.down.extent) return;
  uint8_t* to = picture_.pixels.data() + ptrdiff_t{rows_ / cell} * picture_.w * c;
  for (int x = 0; x < picture_.w; ++x) {
    const auto count = static_cast<uint32_t>(in_cell * std::min(cell, w_ - x * cell));
    for (int k = 0; k < c; ++k)
      *to++ = static_cast<uint8_t>((sums_[static_cast<size_t>(x * c + k)] + count / 2) / count);
  }
  std::ranges::fill(sums_, 0u);
}

}  // namespace condenser::data
