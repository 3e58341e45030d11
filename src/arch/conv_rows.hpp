#pragma once
// How many rows of the output the dense kernel computes at once: as src/runtime/kernels/cnd_conv2d.h says.

#include <algorithm>

#include "arch/round_up.hpp"
#include "condenser/arch/ops.hpp"

namespace condenser::arch {

// CND_CONV2D_ROWS, CND_CONV2D_ROWS_LONG, CND_CONV2D_BYTES
inline constexpr int64_t kConvRows = 16, kConvRowsLong = 6, kConvBytes = 1024;

// Windows of one pixel, of a map that keeps its size: it is computed as if it were one pixel wide.
inline bool keeps_pixels(const Conv2d& conv, const Shape& in, const Shape& out) {
  return conv.kernel == square(1) && conv.stride == square(1) && conv.pad == Pad{} && in.h == out.h && in.w == out.w;
}

// Rows of the output in a pair of columns.
inline int64_t conv_column(const Conv2d& conv, const Shape& in, const Shape& out) {
  if (keeps_pixels(conv, in, out)) return (out.h * out.w + 1) / 2;
  return out.w > 1 ? out.h : (out.h + 1) / 2;
}

inline int64_t conv_rows(const Conv2d& conv, const Shape& in, const Shape& out) {
  const int64_t line = 4 * round_up(in.c / conv.groups * conv.kernel.w, 4);
  const int64_t rows = conv_column(conv, in, out);
  int64_t most = std::min(rows, kConvRows);
  const auto fits = [&] {
    const int64_t bytes = ((most - 1) * conv.stride.h + 2 * conv.kernel.h) * line;
    return bytes <= in.elements() + out.elements() && (bytes <= kConvBytes || most <= kConvRowsLong);
  };
  while (most > 2 && !fits()) --most;
  const int64_t bands = (rows + most - 1) / most;
  return (rows + bands - 1) / bands;
}

}  // namespace condenser::arch
