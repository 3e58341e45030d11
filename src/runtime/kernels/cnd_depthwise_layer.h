/* Depthwise int8 convolution, channel by channel: rows of a channel are laid out as 16-bit values with the zero point
 * around them, so that windows need no tests. The promise about overlap rests on this order. Written once for weights
 * of 8 and of 4 bits: who includes it says which by CND_DEPTHWISE_BITS. */
#ifndef CND_DEPTHWISE_LAYER_H
#define CND_DEPTHWISE_LAYER_H

#include "cnd_depthwise_params.h"
#include "cnd_dsp.h"
#include "cnd_mve.h"
#include "cnd_nine.h"
#include "cnd_panel.h"
#include "cnd_scale.h"

/* One direction of the map: sizes, and how far neighbours lie apart in input, output and weights. */
typedef struct {
  int32_t in, out;
  int32_t in_step, out_step, tap_step;
  int32_t kernel, stride, pad;
} cnd_depthwise_axis;

/* One output channel, line after line; in scratch a line is a row. A map whose lines are few and short lies on its side
 * there, so that they become long ones. */
typedef struct {
  cnd_depthwise_axis across, along; /* the lines */
  int16_t* rows;
  int16_t* weights;
  int32_t row;        /* values of a row in scratch */
  int32_t weight_row; /* values of a row of weights: even, at least two more than the kernel is wide */
  int32_t lines;      /* of the output that one filling of the scratch gives */
  int32_t zero_point;
  int32_t bias, multiplier, shift;
  cnd_scale_range range;
} cnd_depthwise_channel;

/* Bytes of the weights of a tap: of 4 bits, two channels share one. */
static int32_t cnd_depthwise_stored(int32_t channels) {
  return CND_DEPTHWISE_BITS == 4 ? (channels + 1) / 2 : channels;
}

static int32_t cnd_depthwise_even(int32_t n) { return n + n % 2; }

static int32_t cnd_depthwise_min(int32_t a, int32_t b) { return a < b ? a : b; }

static void cnd_depthwise_fill(int16_t* to, int32_t value, int32_t count) {
  for (; count > 0; --count) {
    *to++ = (int16_t)value;
  }
}

/* `count` values of a channel, `step` apart, from x on. */
static void cnd_depthwise_copy(const int8_t* x, int32_t step, int32_t count, int16_t* to) {
#if defined(CND_MVE)
  const uint32x4_t places = cnd_mve_places(step);
  for (; count >= 4; count -= 4) {
    vstrhq_s32(to, vldrbq_gather_offset_s32(x, places));
    x += 4 * step;
    to += 4;
  }
#elif defined(CND_DSP)
  for (; count >= 4; count -= 4) {
    cnd_store_near_2x16(to, cnd_pair(x[0], x[step]));
    cnd_store_near_2x16(to + 2, cnd_pair(x[2 * step], x[3 * step]));
    x += 4 * step;
    to += 4;
  }
#endif
  for (; count > 0; --count) {
    *to++ = *x;
    x += step;
  }
}

/* Lines `begin` to before `end` of the input, which may lie outside of it, become rows from number `at` on; x: the
 * channel's first value. */
CND_APART void cnd_depthwise_read(const cnd_depthwise_channel* c, const int8_t* x, int32_t begin, int32_t end,
                                  int32_t at) {
  const int32_t pad = c->along.pad;
  const int32_t width = cnd_depthwise_min(c->along.in, c->row - pad); /* columns beyond are in no window */
  int16_t* to = c->rows + at * c->row + pad;
  if (width <= 0) {
    return;
  }
  for (; begin < end; ++begin) {
    if (begin >= 0 && begin < c->across.in) {
      cnd_depthwise_copy(x + begin * c->across.in_step, c->along.in_step, width, to);
    } else if (c->lines < c->across.out) {
      cnd_depthwise_fill(to, c->zero_point, width);
    } else {
      /* nothing was ever there */
    }
    to += c->row;
  }
}

#ifdef CND_MVE

/* Four windows of a line, `apart` values between them. */
CND_INLINE int32x4_t cnd_depthwise_load(const int16_t* x, int32_t apart, uint32x4_t places) {
  return apart == 1 ? vldrhq_s32(x) : vldrhq_gather_shifted_offset_s32(x, places);
}

/* Lines of the output, four values at once, from the rows in scratch. What a store could change, as far as a compiler
 * knows, stands in variables. */
CND_INLINE void cnd_depthwise_fours(const cnd_depthwise_channel* c, int32_t height, int32_t width, int32_t apart,
                                    int32_t lines, int8_t* output) {
  const int32x4_t low = vdupq_n_s32(c->range.low);
  const int32x4_t high = vdupq_n_s32(c->range.high);
  const uint32x4_t places = cnd_mve_places(c->along.out_step);
  const uint32x4_t windows = cnd_mve_places(apart);
  const int16_t* const weights = c->weights;
  const int32_t next_row = c->row;
  const int32_t next_taps = c->weight_row;
  const int32_t bias = c->bias;
  const int32_t multiplier = c->multiplier;
  const int32_t shift = c->shift;
  const int32_t is_short = c->range.is_short;
  const int32_t zero_point = c->range.zero_point;
  const int32_t next_line = c->across.stride * next_row;
  const int32_t next_output = c->across.out_step;
  const int32_t next_out = 4 * c->along.out_step;
  const int32_t count = c->along.out;
  const int16_t* line = c->rows;
  int32_t nine[9] = {0, 0, 0, 0, 0, 0, 0, 0, 0};
  for (int32_t i = 0; height == 3 && width == 3 && i < 9; ++i) {
    nine[i] = weights[i / 3 * next_taps + i % 3];
  }
  for (; lines > 0; --lines) {
    const int16_t* x = line;
    int8_t* out = output;
    for (int32_t left = count; left > 0; left -= 4) {
      const int16_t* row = x;
      const int16_t* taps = weights;
      int32x4_t sum = vdupq_n_s32(bias);
      for (int32_t ky = 0; ky < height; ++ky) {
        for (int32_t kx = 0; kx < width; ++kx) {
          const int32_t tap = height == 3 && width == 3 ? nine[3 * ky + kx] : taps[kx];
          sum = vmlaq_n_s32(sum, cnd_depthwise_load(row + kx, apart, windows), tap);
        }
        row += next_row;
        taps += next_taps;
      }
      sum = is_short != 0 ? cnd_mve_scale_short_by(sum, multiplier, shift) : cnd_mve_scale_by(sum, multiplier, shift);
      sum = cnd_mve_place(sum, zero_point, low, high);
      if (left >= 4) {
        vstrbq_scatter_offset_s32(out, places, sum);
      } else {
        vstrbq_scatter_offset_p_s32(out, places, sum, vctp32q((uint32_t)left));
      }
      x += 4 * apart;
      out += next_out;
    }
    line += next_line;
    output += next_output;
  }
}

CND_APART void cnd_depthwise_nine(const cnd_depthwise_channel* c, int32_t lines, int8_t* output) {
  cnd_depthwise_fours(c, 3, 3, 1, lines, output);
}

CND_APART void cnd_depthwise_nine_apart(const cnd_depthwise_channel* c, int32_t lines, int8_t* output) {
  cnd_depthwise_fours(c, 3, 3, 2, lines, output);
}

CND_APART void cnd_depthwise_any(const cnd_depthwise_channel* c, int32_t lines, int8_t* output) {
  cnd_depthwise_fours(c, c->across.kernel, c->along.kernel, c->along.stride, lines, output);
}

static void cnd_depthwise_lines(const cnd_depthwise_channel* c, int32_t lines, int8_t* output) {
  const int32_t nine = c->across.kernel == 3 && c->along.kernel == 3 ? 1 : 0;
  if (nine != 0 && c->along.stride == 1) {
    cnd_depthwise_nine(c, lines, output);
  } else if (nine != 0 && c->along.stride == 2) {
    cnd_depthwise_nine_apart(c, lines, output);
  } else {
    cnd_depthwise_any(c, lines, output);
  }
}

#else

/* Lines of the output from the rows in scratch. */
CND_APART void cnd_depthwise_any(const cnd_depthwise_channel* c, int32_t lines, int8_t* output) {
  const int32_t width = c->along.kernel;
  const int16_t* line = c->rows;
  for (; lines > 0; --lines) {
    const int16_t* x = line;
    int8_t* out = output;
    for (int32_t n = c->along.out; n > 0; --n) {
      const int16_t* row = x;
      const int16_t* taps = c->weights;
      int32_t sum = c->bias;
      for (int32_t ky = c->across.kernel; ky > 0; --ky) {
#ifdef CND_DSP
        for (int32_t kx = 0; kx < width; kx += 2) { /* of an odd width, the last pair ends with a weight of zero */
          sum = cnd_smlad(cnd_load_near_2x16(row + kx), cnd_load_2x16(taps + kx), sum);
        }
#else
        for (int32_t kx = 0; kx < width; ++kx) {
          sum += (int32_t)row[kx] * (int32_t)taps[kx];
        }
#endif
        row += c->row;
        taps += c->weight_row;
      }
      *out = cnd_scale_any(sum, c->multiplier, c->shift, &c->range);
      x += c->along.stride;
      out += c->along.out_step;
    }
    line += c->across.stride * c->row;
    output += c->across.out_step;
  }
}

#ifdef CND_DSP

typedef struct {
  int32_t s0, s1, s2, s3;
} cnd_depthwise_sums;

/* One row of four windows three wide, one or two apart; the weights of a row stand as w0 w1 w1 w2. */
CND_INLINE cnd_depthwise_sums cnd_depthwise_row(const int16_t* x, const int16_t* w, int32_t apart,
                                                cnd_depthwise_sums s) {
  uint32_t x01, x23, x45, x67, w01, w12;
  cnd_load_4x16(w, &w01, &w12);
  cnd_load_4x16(x, &x01, &x23);
  if (apart == 1) {
    x45 = cnd_load_2x16(x + 4);
    s.s0 = cnd_smlabt(x23, w12, cnd_smlad(x01, w01, s.s0));
    s.s1 = cnd_smlatb(x01, w01, cnd_smlad(x23, w12, s.s1));
    s.s2 = cnd_smlabt(x45, w12, cnd_smlad(x23, w01, s.s2));
    s.s3 = cnd_smlatb(x23, w01, cnd_smlad(x45, w12, s.s3));
  } else {
    s.s0 = cnd_smlabt(x23, w12, cnd_smlad(x01, w01, s.s0));
    cnd_load_4x16(x + 4, &x45, &x67);
    s.s1 = cnd_smlabt(x45, w12, cnd_smlad(x23, w01, s.s1));
    s.s2 = cnd_smlabt(x67, w12, cnd_smlad(x45, w01, s.s2));
    s.s3 = cnd_smlabt(cnd_load_2x16(x + 8), w12, cnd_smlad(x67, w01, s.s3));
  }
  return s;
}

/* Lines of such windows, four values at once, of which a line's last four may be fewer. */
CND_INLINE void cnd_depthwise_fours(const cnd_depthwise_channel* c, int32_t apart, int32_t lines, int8_t* output) {
  const int32_t height = c->across.kernel;
  const int32_t step = c->along.out_step;
  const int32_t row = c->row;
  const int32_t bias = c->bias;
  const int32_t multiplier = c->multiplier; /* a store could change them, as far as a compiler knows */
  const int32_t shift = c->shift;
  const int16_t* const weights = c->weights;
  const int32_t next_line = c->across.stride * row;
  const int32_t next_output = c->across.out_step;
  const int32_t count = c->along.out;
  const cnd_scale_range range = c->range;
  const int16_t* line = c->rows;
  for (; lines > 0; --lines) {
    const int16_t* x = line;
    int8_t* out = output;
    for (int32_t left = count; left > 0; left -= 4) {
      const int16_t* w = weights;
      cnd_depthwise_sums s = {bias, bias, bias, bias};
      for (int32_t ky = 0; ky < height; ++ky) {
        s = cnd_depthwise_row(x + ky * row, w + 4 * ky, apart, s);
      }
      int32_t value[4] = {s.s0, s.s1, s.s2, s.s3};
      cnd_scale_four(value, multiplier, shift, multiplier, shift, &range);
      out[0] = (int8_t)value[0];
      if (left >= 4) {
        out[step] = (int8_t)value[1];
        out[2 * step] = (int8_t)value[2];
        out[3 * step] = (int8_t)value[3];
      } else {
        if (left > 1) {
          out[step] = (int8_t)value[1];
        }
        if (left > 2) {
          out[2 * step] = (int8_t)value[2];
        }
      }
      out += 4 * step;
      x += 4 * apart;
    }
    line += next_line;
    output += next_output;
  }
}

CND_APART void cnd_depthwise_fours_1(const cnd_depthwise_channel* c, int32_t lines, int8_t* output) {
  cnd_depthwise_fours(c, 1, lines, output);
}

CND_APART void cnd_depthwise_fours_2(const cnd_depthwise_channel* c, int32_t lines, int8_t* output) {
  cnd_depthwise_fours(c, 2, lines, output);
}

#ifdef CND_NINE

CND_APART void cnd_depthwise_nine(const cnd_depthwise_channel* c, int32_t lines, int8_t* output) {
  const int32_t bytes = (int32_t)sizeof *c->rows;
  cnd_nine nine;
  for (int32_t i = 0; i < 4; ++i) {
    nine.bias[i] = c->bias;
  }
  for (int32_t i = 0; i < 6; ++i) { /* rows of four */
    nine.weights[i] = cnd_load_2x16(c->weights + 2 * i);
  }
  nine.step = c->along.out_step;
  nine.multiplier = c->multiplier;
  nine.offset = cnd_scale_quick_offset(c->range.offset, -c->shift);
  nine.right = -c->shift;
  nine.row = c->row * bytes;
  nine.rest = c->along.out % 4;
  nine.whole = (c->along.out - nine.rest) * c->along.stride * bytes;
  nine.next_x = c->across.stride * nine.row;
  nine.next_out = c->across.out_step;
  nine.x = c->rows;
  nine.out = output;
  nine.lines = lines;
  if (c->along.stride == 1) {
    cnd_nine_1(&nine);
  } else {
    cnd_nine_2(&nine);
  }
}

#endif

/* Windows three wide, one or two apart, have a form of their own. */
static int32_t cnd_depthwise_has_fours(const cnd_depthwise_channel* c) {
  return (c->along.kernel == 3 && c->along.stride <= 2) ? 1 : 0;
}

#endif

static void cnd_depthwise_lines(const cnd_depthwise_channel* c, int32_t lines, int8_t* output) {
#ifdef CND_DSP
  if (cnd_depthwise_has_fours(c) != 0) {
#ifdef CND_NINE
    if (c->across.kernel == 3 && cnd_scale_is_quick(&c->range, c->shift) != 0) {
      cnd_depthwise_nine(c, lines, output);
      return;
    }
#endif
    if (c->along.stride == 1) {
      cnd_depthwise_fours_1(c, lines, output);
    } else {
      cnd_depthwise_fours_2(c, lines, output);
    }
    return;
  }
#endif
  cnd_depthwise_any(c, lines, output);
}

#endif

/* The weights of channel o; w: those of the layer. */
CND_APART void cnd_depthwise_weights(const cnd_depthwise_channel* c, const int8_t* w, int32_t o) {
  for (int32_t ky = 0; ky < c->across.kernel; ++ky) {
    int16_t* taps = c->weights + ky * c->weight_row;
    const int8_t* from = w + (CND_DEPTHWISE_BITS == 4 ? o / 2 : o) + ky * c->across.tap_step;
    for (int32_t kx = 0; kx < c->along.kernel; ++kx) {
#if CND_DEPTHWISE_BITS == 4
      taps[kx] = o % 2 != 0 ? cnd_nibble_high(*from) : cnd_nibble_low(*from);
#else
      taps[kx] = *from;
#endif
      from += c->along.tap_step;
    }
#if defined(CND_DSP) && !defined(CND_MVE)
    if (cnd_depthwise_has_fours(c) != 0) { /* w0 w1 w1 w2 */
      taps[3] = taps[2];
      taps[2] = taps[1];
    }
#endif
  }
}

/* The map of a channel, as many lines at once as scratch has room for. */
static void cnd_depthwise_map(const cnd_depthwise_channel* c, const int8_t* x, int8_t* output) {
  const int32_t stride = c->across.stride;
  int32_t kept = 0; /* rows that the lines before have read */
  for (int32_t line = 0; line < c->across.out; line += c->lines) {
    const int32_t lines = cnd_depthwise_min(c->lines, c->across.out - line);
    const int32_t first = line * stride - c->across.pad;
    cnd_depthwise_read(c, x, first + kept, first + (lines - 1) * stride + c->across.kernel, kept);
    cnd_depthwise_lines(c, lines, output + line * c->across.out_step);
    kept = c->across.kernel > stride ? c->across.kernel - stride : 0;
    if (line + lines < c->across.out) {
      const int16_t* from = c->rows + lines * stride * c->row;
      for (int32_t i = 0; i < kept * c->row; ++i) {
        c->rows[i] = from[i];
      }
    }
  }
}

#ifdef CND_WIDE

/* Sixteen channels at once, in rows of 16 values a pixel on the stack, padding around them. */
enum { CND_DEPTHWISE_PIXELS = 2048, CND_DEPTHWISE_TAPS = 64, CND_DEPTHWISE_TILE = 4 };

typedef struct {
  cnd_tap weights[16 * CND_DEPTHWISE_TAPS];
  int32_t at[CND_DEPTHWISE_TAPS]; /* where a tap's value lies, from the window's first one */
  int32_t pairs;
  cnd_panel_channels channels;
  int8_t rows[16 * CND_DEPTHWISE_PIXELS];
} cnd_depthwise_wide_block;

static int32_t cnd_depthwise_within(int32_t x, int32_t most) { return cnd_clamp(x, 0, most); }

/* Input row y, `columns` pixels from the padding on; x: where the channels of its first pixel would be. */
static void cnd_depthwise_wide_row(const cnd_depthwise_params* p, const int8_t* x, int32_t y, int32_t count,
                                   int32_t columns, int8_t* to) {
  const int32_t inside = (y >= 0 && y < p->in_h) ? 1 : 0;
  const int32_t x0 = cnd_depthwise_within(p->pad_left, columns);
  const int32_t x1 = inside != 0 ? cnd_depthwise_within(p->in_w + p->pad_left, columns) : x0;
  (void)memset(to, p->input_zero_point, (size_t)(16 * x0));
  to += 16 * x0;
  for (int32_t i = x0; i < x1; ++i) {
    if (count == 16) {
      cnd_store_16x8(to, cnd_load_16x8(x));
    } else {
      for (int32_t c = 0; c < count; ++c) {
        to[c] = x[c];
      }
    }
    x += p->in_c;
    to += 16;
  }
  (void)memset(to, p->input_zero_point, (size_t)(16 * (columns - x1)));
}

/* CND_DEPTHWISE_TILE neighbouring pixels, `apart` values from one to the next. */
CND_INLINE void cnd_depthwise_tile(const cnd_depthwise_wide_block* b, const int8_t* x, int32_t apart, int32_t* sums) {
  cnd_16 s0 = cnd_16_load(b->channels.start);
  cnd_16 s1 = s0;
  cnd_16 s2 = s0;
  cnd_16 s3 = s0;
  for (int32_t i = 0; i < b->pairs; ++i) {
    const cnd_tap* w = b->weights + 32 * i;
    const int8_t* first = x + b->at[2 * i];
    const int8_t* second = x + b->at[2 * i + 1];
    s0 = cnd_taps_add(s0, first, second, w);
    s1 = cnd_taps_add(s1, first + apart, second + apart, w);
    s2 = cnd_taps_add(s2, first + 2 * apart, second + 2 * apart, w);
    s3 = cnd_taps_add(s3, first + 3 * apart, second + 3 * apart, w);
  }
  cnd_16_store(sums, s0);
  cnd_16_store(sums + 16, s1);
  cnd_16_store(sums + 32, s2);
  cnd_16_store(sums + 48, s3);
}

#if CND_DEPTHWISE_BITS == 4
/* Up to 16 weights of a tap. */
static void cnd_depthwise_unpack(const int8_t* from, int32_t count, int8_t to[16]) {
  for (int32_t i = 0; i < count; i += 2) {
    to[i] = cnd_nibble_low(*from);
    to[i + 1] = cnd_nibble_high(*from);
    ++from;
  }
}
#endif

/* The taps of the channels at `weights`. */
static void cnd_depthwise_wide_taps(const cnd_depthwise_params* p, const int8_t* weights, int32_t count,
                                    int32_t columns, cnd_depthwise_wide_block* b) {
  const int32_t taps = p->kernel_h * p->kernel_w;
  b->pairs = (taps + 1) / 2;
  for (int32_t t = 0; t < taps; t += 2) {
    const int8_t* first = weights + t * cnd_depthwise_stored(p->out_c);
    const int8_t* second = t + 1 < taps ? first + cnd_depthwise_stored(p->out_c) : 0;
#if CND_DEPTHWISE_BITS == 4
    int8_t pair[32];
    cnd_depthwise_unpack(first, count, pair);
    first = pair;
    if (second) {
      cnd_depthwise_unpack(second, count, pair + 16);
      second = pair + 16;
    }
#endif
    cnd_taps_put(first, second, count, b->weights + 16 * t);
    b->at[t] = 16 * (t / p->kernel_w * columns + t % p->kernel_w);
    b->at[t + 1] = second ? 16 * ((t + 1) / p->kernel_w * columns + (t + 1) % p->kernel_w) : b->at[t];
  }
}

/* 0: a window is too large for the stack, or channels are several times those of the input. */
static int32_t cnd_depthwise_wide(const cnd_depthwise_params* p, const int8_t* weights, const int32_t* bias,
                                  const int32_t* multiplier, const int8_t* shift, const int8_t* input, int8_t* output) {
  const int32_t tiles = (p->out_w + CND_DEPTHWISE_TILE - 1) / CND_DEPTHWISE_TILE;
  const int32_t columns = (tiles * CND_DEPTHWISE_TILE - 1) * p->stride_w + p->kernel_w;
  if (p->out_c != p->in_c || p->kernel_h > CND_DEPTHWISE_TAPS || p->kernel_w > CND_DEPTHWISE_TAPS ||
      p->kernel_h * p->kernel_w >= CND_DEPTHWISE_TAPS || columns > CND_DEPTHWISE_PIXELS / p->kernel_h) {
    return 0;
  }
  const int32_t capacity = CND_DEPTHWISE_PIXELS / columns;
  const int32_t row = 16 * columns;
  const cnd_scale_range range = cnd_scale_range_of(p->output_zero_point, p->act_min, p->act_max, p->short_scale);
  cnd_depthwise_wide_block b;
  for (int32_t o = 0; o < p->out_c; o += 16) {
    const int32_t count = p->out_c - o < 16 ? p->out_c - o : 16;
    cnd_depthwise_wide_taps(p, weights + cnd_depthwise_stored(o), count, columns, &b);
    cnd_panel_prepare(bias + o, multiplier + o, shift + o, count, &b.channels);
    int32_t first = -p->pad_top; /* the row that stands in front, and the next one to read */
    int32_t next = first;
    for (int32_t oy = 0; oy < p->out_h; ++oy) {
      const int32_t top = oy * p->stride_h - p->pad_top;
      if (top + p->kernel_h - first > capacity) { /* what is still wanted moves to the front */
        for (int32_t y = top; y < next; ++y) {
          (void)memcpy(b.rows + (y - top) * row, b.rows + (y - first) * row, (size_t)row);
        }
        next = next > top ? next : top;
        first = top;
      }
      for (; next < top + p->kernel_h; ++next) {
        cnd_depthwise_wide_row(p, input + (next * p->in_w * p->in_c + o), next, count, columns,
                               b.rows + (next - first) * row);
      }
      const int8_t* x = b.rows + (top - first) * row;
      int8_t* out = output + oy * p->out_w * p->out_c + o;
      for (int32_t ox = 0; ox < p->out_w; ox += CND_DEPTHWISE_TILE) {
        const int32_t left = p->out_w - ox;
        int32_t sums[16 * CND_DEPTHWISE_TILE];
        cnd_depthwise_tile(&b, x + 16 * p->stride_w * ox, 16 * p->stride_w, sums);
        cnd_panel_scale(sums, &b.channels, &range, left < CND_DEPTHWISE_TILE ? left : CND_DEPTHWISE_TILE,
                        out + ox * p->out_c, p->out_c);
      }
    }
  }
  return 1;
}

#endif

CND_INLINE void cnd_depthwise_run(const cnd_depthwise_params* p, const int8_t* weights, const int32_t* bias,
                                  const int32_t* multiplier, const int8_t* shift, int16_t* scratch, const int8_t* input,
                                  int8_t* output) {
#ifdef CND_WIDE
  if (cnd_depthwise_wide(p, weights, bias, multiplier, shift, input, output) != 0) {
    return;
  }
#endif
  const int32_t multiple = p->out_c / p->in_c;
  const int32_t stored = cnd_depthwise_stored(p->out_c);
  const cnd_depthwise_axis down = {
      p->in_h,     p->out_h,    p->in_w * p->in_c, p->out_w * p->out_c, p->kernel_w * stored,
      p->kernel_h, p->stride_h, p->pad_top};
  const cnd_depthwise_axis right = {p->in_w, p->out_w,    p->in_c,     p->out_c,
                                    stored,  p->kernel_w, p->stride_w, p->pad_left};
  cnd_depthwise_channel c;
  const int32_t turned = (p->out_h > p->out_w && (p->out_w - 1) * p->stride_w <= CND_DEPTHWISE_ROWS) ? 1 : 0;
  c.across = turned != 0 ? right : down;
  c.along = turned != 0 ? down : right;
  c.weight_row = cnd_depthwise_even(c.along.kernel);
  c.row = cnd_depthwise_even(((c.along.out + 3) / 4 * 4 - 1) * c.along.stride + c.weight_row);
  c.lines = cnd_depthwise_min(CND_DEPTHWISE_ROWS / c.across.stride + 1, c.across.out);
  c.rows = scratch;
  c.weights = scratch + ((c.lines - 1) * c.across.stride + c.across.kernel) * c.row;
  c.zero_point = p->input_zero_point;
  c.range = cnd_scale_range_of(p->output_zero_point, p->act_min, p->act_max, p->short_scale);
  cnd_depthwise_fill(c.rows, c.zero_point, (int32_t)(c.weights - c.rows));
  cnd_depthwise_fill(c.weights, 0, c.across.kernel * c.weight_row);
  for (int32_t o = 0; o < p->out_c; ++o) {
    c.bias = bias[o];
    c.multiplier = multiplier[o];
    c.shift = shift[o];
    cnd_depthwise_weights(&c, weights, o);
    cnd_depthwise_map(&c, input + o / multiple, output + o);
  }
}

#endif
