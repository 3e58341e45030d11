/* Grouped int8 convolution as a matrix product: the windows of two pixels are laid out as patches, which every output
 * channel of the group then reads; see cnd_tile.h. Written once for weights of 8 and of 4 bits: who includes it says
 * which by CND_CONV2D_BITS. */
#ifndef CND_CONV2D_LAYER_H
#define CND_CONV2D_LAYER_H

#include "cnd_conv2d_params.h"
#include "cnd_panel.h"
#include "cnd_scale.h"
#include "cnd_tile.h"

/* Rows of weights as they are stored, of so many channels of a group: of 4 bits, two channels share one. */
static int32_t cnd_conv2d_stored(int32_t channels) { return CND_CONV2D_BITS == 4 ? (channels + 1) / 2 : channels; }

#if defined(CND_DSP) || defined(CND_MVE)

/* What all pixels share. Two columns of the output are computed at once, a few rows of them at a time: the lines of the
 * input that their windows see become lines of patches, of which windows of neighbouring rows share some. So the
 * weights of two channels are widened once for all these pixels. */
typedef struct {
  const cnd_conv2d_params* p;
  const int8_t* weights;
  const int32_t* bias;
  const int32_t* multiplier;
  const int8_t* shift;
  const int8_t* input;
  int16_t* patches;
  int16_t* pair;             /* the weights of two channels */
  int32_t channels, outputs; /* of a group */
  int32_t run, line;         /* values of a line of a window; of the patches of two pixels, filled up */
  int32_t rows;              /* of the output, at once */
  cnd_scale_range range;
} cnd_conv2d_layer;

static int32_t cnd_conv2d_min(int32_t a, int32_t b) { return a < b ? a : b; }

/* Line number y of the input, columns from `left` on, which may lie in the padding; at: where they would begin. */
static void cnd_conv2d_line(const cnd_conv2d_layer* l, int32_t y, int32_t left, int32_t at, void* to, int32_t pixel) {
  const cnd_conv2d_params* p = l->p;
  const int32_t x0 = left < 0 ? -left : 0; /* columns that meet the input */
  const int32_t x1 = cnd_conv2d_min(p->in_w - left, p->kernel_w);
  cnd_tile_writer writer = cnd_tile_begin(to, 0, pixel);
  if (y < 0 || y >= p->in_h || x0 >= x1) {
    cnd_tile_fill(&writer, p->input_zero_point, l->run);
  } else {
    const int32_t together = p->groups == 1 ? x1 - x0 : 1; /* columns whose channels are neighbours */
    const int8_t* x = l->input + (at + x0 * p->in_c);
    cnd_tile_fill(&writer, p->input_zero_point, x0 * l->channels);
    for (int32_t kx = x0; kx < x1; kx += together) {
      cnd_tile_put(&writer, x, together * l->channels);
      x += p->in_c;
    }
    cnd_tile_fill(&writer, p->input_zero_point, l->run - x1 * l->channels);
  }
  cnd_tile_end(&writer);
}

#ifdef CND_MVE

/* Whether the windows of a column that begins at (top, left) are runs of values in the input: so they are read there.
 */
static int32_t cnd_conv2d_is_run(const cnd_conv2d_params* p, int32_t top, int32_t left, int32_t lines) {
  return (p->kernel_h == 1 && (p->groups == 1 || p->kernel_w == 1) && top >= 0 && left >= 0 && top + lines <= p->in_h &&
          left + p->kernel_w <= p->in_w)
             ? 1
             : 0;
}

/* `lines` lines of that column as bytes, channels from `first`. */
CND_APART void cnd_conv2d_patches(const cnd_conv2d_layer* l, int32_t top, int32_t left, int32_t first, int32_t lines,
                                  int8_t* to) {
  const cnd_conv2d_params* p = l->p;
  const int32_t dense = (p->groups == 1 && left >= 0 && left + p->kernel_w <= p->in_w) ? 1 : 0;
  int32_t at = (top * p->in_w + left) * p->in_c + first;
  for (; lines > 0; --lines) {
    if (dense != 0 && top >= 0 && top < p->in_h) {
      cnd_mve_copy(to, l->input + at, l->run);
    } else {
      cnd_conv2d_line(l, top, left, at, to, 0);
    }
    to += l->run;
    at += p->in_w * p->in_c;
    ++top;
  }
}

/* Output channels from `o`, whose weights begin at w, to before `end` of `rows` rows. The last one of an odd number
 * makes a pair with itself. */
static void cnd_conv2d_outputs(const cnd_conv2d_layer* l, const int8_t* w, const int8_t* x, const int8_t* y,
                               int32_t step, int32_t o, int32_t end, int32_t rows, int8_t* out, int8_t* next_out) {
  cnd_mve_tiles tiles;
  tiles.x = x;
  tiles.y = y;
  tiles.step = step;
  tiles.depth = l->p->kernel_h * l->run;
  tiles.count = rows;
  tiles.next = l->p->out_w * l->p->out_c;
  tiles.range = &l->range;
  for (; o < end; o += 2) {
    const int32_t next = o + 1 < end ? 1 : 0;
#if CND_CONV2D_BITS == 4
    int8_t* const a = (int8_t*)l->pair;
    cnd_nibbles_unpack(w, tiles.depth, a, a + tiles.depth);
    tiles.a = a;
    tiles.b = a + tiles.depth;
#else
    tiles.a = w;
    tiles.b = w + next * tiles.depth;
#endif
    w += cnd_conv2d_stored(2) * tiles.depth;
    tiles.bias_a = l->bias[o];
    tiles.bias_b = l->bias[o + next];
    for (int32_t i = 0; i < 4; ++i) {
      const int32_t channel = o + i / 2 * next;
      tiles.multiplier[i] = l->multiplier[channel];
      tiles.shift[i] = l->shift[channel];
      tiles.place[i] = (uint32_t)(i / 2 * next) + (uint32_t)(i % 2) * (uint32_t)(next_out - out);
    }
    tiles.out = out + o;
    cnd_mve_run_tiles(&tiles);
  }
}

#else

/* `lines` lines of patches, of the columns that begin at (top, left) and (next_top, next_left), channels from `first`.
 */
CND_APART void cnd_conv2d_patches(const cnd_conv2d_layer* l, int32_t top, int32_t left, int32_t next_top,
                                  int32_t next_left, int32_t first, int32_t lines) {
  const cnd_conv2d_params* p = l->p;
  const int32_t most = p->in_w - p->kernel_w;
  const int32_t inside = (p->groups == 1 && left >= 0 && left <= most && next_left >= 0 && next_left <= most) ? 1 : 0;
  int32_t at = (top * p->in_w + left) * p->in_c + first;
  int32_t next_at = (next_top * p->in_w + next_left) * p->in_c + first;
  int16_t* to = l->patches;
  const int32_t end = p->in_h - lines; /* windows as wide as the input: their lines follow each other */
  if (inside != 0 && l->run == p->in_w * p->in_c && l->run % 4 == 0 && top >= 0 && next_top >= 0 && top <= end &&
      next_top <= end) {
    (void)cnd_tile_pair(to, l->input + at, l->input + next_at, lines * l->run);
    return;
  }
  for (; lines > 0; --lines) {
    if (inside != 0 && top >= 0 && next_top >= 0 && top < p->in_h && next_top < p->in_h) {
      (void)cnd_tile_pair(to, l->input + at, l->input + next_at, l->run);
    } else {
      cnd_conv2d_line(l, top, left, at, to, 0);
      cnd_conv2d_line(l, next_top, next_left, next_at, to, 1);
    }
    to += l->line;
    at += p->in_w * p->in_c;
    next_at += p->in_w * p->in_c;
    ++top;
    ++next_top;
  }
}

#if CND_CONV2D_BITS == 4

/* A run of bytes of two channels each, widened. Where it ends. */
CND_APART int16_t* cnd_conv2d_unpack(int16_t* to, const int8_t* w, int32_t count) {
  const int8_t* const fours = w + cnd_tile_floor(count, 4);
  while (w != fours) {
    cnd_nibbles_group(to, cnd_load_4x8(w));
    w += 4;
    to += 8;
  }
  if (count % 4 != 0) {
    cnd_nibbles_group(to, cnd_tile_rest(w, count, count % 4));
    to += 8;
  }
  return to;
}

#endif

/* The weights of two output channels, the first one's at w; next: 0 where it makes a pair with itself. */
static void cnd_conv2d_weights(const cnd_conv2d_layer* l, const int8_t* w, int32_t next) {
  const int32_t whole = l->run % 4 == 0 ? 1 : 0; /* lines follow each other */
  const int32_t depth = l->p->kernel_h * l->run;
  const int32_t run = whole != 0 ? depth : l->run;
  int16_t* to = l->pair;
  for (int32_t line = whole != 0 ? 1 : l->p->kernel_h; line > 0; --line) {
#if CND_CONV2D_BITS == 4
    to = cnd_conv2d_unpack(to, w, run);
    (void)next;
#else
    to = cnd_tile_pair(to, w, w + next * depth, run);
#endif
    w += run;
  }
}

/* A row of tiles where something is cut off, or scaling is long: one tile after the other. */
static void cnd_conv2d_values(const cnd_conv2d_layer* l, cnd_tile_row* row, int32_t rows, int32_t o) {
  const int32_t sa = l->shift[o];
  const int32_t sb = l->shift[o + row->next];
  const int32_t start_a = row->sums[0];
  const int32_t start_b = row->sums[2];
  row->end = 0;
  for (; rows > 0; --rows) {
    cnd_tile_run_row(row);
    cnd_scale_four(row->sums, row->multiplier_a, sa, row->multiplier_b, sb, &l->range);
    row->x[0] = (int8_t)row->sums[0];
    row->y[0] = (int8_t)row->sums[1];
    row->x[row->next] = (int8_t)row->sums[2];
    row->y[row->next] = (int8_t)row->sums[3];
    row->sums[0] = row->sums[1] = start_a;
    row->sums[2] = row->sums[3] = start_b;
    row->x += row->step;
    row->y += row->step;
    row->patches += l->p->stride_h * l->line;
  }
}

/* Output channels from `o`, whose weights begin at w, to before `end` of `rows` rows. The last one of an odd number
 * makes a pair with itself. */
static void cnd_conv2d_outputs(const cnd_conv2d_layer* l, const int8_t* w, int32_t o, int32_t end, int32_t rows,
                               int8_t* x, int8_t* y) {
  const int32_t height = l->p->kernel_h;
  cnd_tile_row row;
  row.weights = l->pair;
  row.weights_end = l->pair + height * l->line;
  row.back = (l->p->stride_h - height) * l->line * (int32_t)sizeof *l->patches;
  row.step = l->p->out_w * l->p->out_c;
  for (; o < end; o += 2) {
    const int32_t next = o + 1 < end ? 1 : 0;
    const int32_t sa = l->shift[o];
    const int32_t sb = l->shift[o + next];
    cnd_conv2d_weights(l, w, next);
    w += cnd_conv2d_stored(2) * height * l->run;
    row.sums[0] = row.sums[1] = l->bias[o];
    row.sums[2] = row.sums[3] = l->bias[o + next];
    row.multiplier_a = l->multiplier[o];
    row.multiplier_b = l->multiplier[o + next];
    row.patches = l->patches;
    row.x = x + o;
    row.y = y + o;
    row.next = next;
    if (cnd_scale_is_quick(&l->range, sa < sb ? sa : sb) != 0) {
      row.offset_a = cnd_scale_quick_offset(l->range.offset, -sa);
      row.offset_b = cnd_scale_quick_offset(l->range.offset, -sb);
      row.right_a = -sa;
      row.right_b = -sb;
      row.end = row.x + rows * row.step;
      cnd_tile_run_row(&row);
    } else {
      cnd_conv2d_values(l, &row, rows, o);
    }
  }
}

#endif

/* Output columns x from row 0 on, and next_x from row next_y on, as many rows of both. */
static void cnd_conv2d_columns(const cnd_conv2d_layer* l, int32_t x, int32_t next_x, int32_t next_y, int32_t rows,
                               int8_t* output) {
  const cnd_conv2d_params* p = l->p;
  const int32_t left = x * p->stride_w - p->pad_left;
  const int32_t next_left = next_x * p->stride_w - p->pad_left;
  for (int32_t y = 0; y < rows; y += l->rows) {
    const int32_t count = cnd_conv2d_min(rows - y, l->rows);
    const int32_t top = y * p->stride_h - p->pad_top;
    const int32_t next_top = (y + next_y) * p->stride_h - p->pad_top;
    int8_t* const out = output + (y * p->out_w + x) * p->out_c;
    int8_t* const next_out = output + ((y + next_y) * p->out_w + next_x) * p->out_c;
    for (int32_t group = 0; group < p->groups; ++group) {
      const int32_t first = group * l->channels;
      const int32_t o = group * l->outputs;
      const int32_t lines = (count - 1) * p->stride_h + p->kernel_h;
      const int8_t* const w = l->weights + group * cnd_conv2d_stored(l->outputs) * p->kernel_h * l->run;
#ifdef CND_MVE
      const int8_t* left_x = (int8_t*)l->patches;
      const int8_t* right_x = left_x + lines * l->run;
      int32_t step = p->stride_h * l->run;
      if (cnd_conv2d_is_run(p, top, left, lines) != 0 && cnd_conv2d_is_run(p, next_top, next_left, lines) != 0) {
        left_x = l->input + ((top * p->in_w + left) * p->in_c + first);
        right_x = l->input + ((next_top * p->in_w + next_left) * p->in_c + first);
        step = p->stride_h * p->in_w * p->in_c;
      } else {
        cnd_conv2d_patches(l, top, left, first, lines, (int8_t*)l->patches);
        cnd_conv2d_patches(l, next_top, next_left, first, lines, (int8_t*)l->patches + lines * l->run);
      }
      cnd_conv2d_outputs(l, w, left_x, right_x, step, o, o + l->outputs, count, out, next_out);
#else
      cnd_conv2d_patches(l, top, left, next_top, next_left, first, lines);
      cnd_conv2d_outputs(l, w, o, o + l->outputs, count, out, next_out);
#endif
    }
  }
}

/* Pixels that are alone with themselves stand one below the other, as a map is computed in columns. */
static cnd_conv2d_params cnd_conv2d_upright(const cnd_conv2d_params* p) {
  cnd_conv2d_params upright = *p;
  if (p->kernel_h == 1 && p->kernel_w == 1 && p->stride_h == 1 && p->stride_w == 1 && p->in_h == p->out_h &&
      p->in_w == p->out_w && p->pad_top == 0 && p->pad_left == 0) {
    upright.in_h = p->in_h * p->in_w;
    upright.in_w = 1;
    upright.out_h = upright.in_h;
    upright.out_w = 1;
  }
  return upright;
}

/* Rows by at most so many, shared out evenly. */
static int32_t cnd_conv2d_shared(int32_t rows, int32_t most) {
  const int32_t times = (rows + most - 1) / most;
  return (rows + times - 1) / times;
}

/* How many rows scratch has room for: see cnd_conv2d.h. */
static int32_t cnd_conv2d_rows(const cnd_conv2d_params* p, int32_t rows, int32_t line) {
  const int32_t room = p->in_h * p->in_w * p->in_c + p->out_h * p->out_w * p->out_c;
  int32_t most = cnd_conv2d_min(rows, CND_CONV2D_ROWS);
  for (; most > 2; --most) {
    const int32_t bytes = ((most - 1) * p->stride_h + 2 * p->kernel_h) * 2 * line;
    if (bytes <= room && (bytes <= CND_CONV2D_BYTES || most <= CND_CONV2D_ROWS_LONG)) {
      break;
    }
  }
  return cnd_conv2d_shared(rows, most);
}

#ifdef CND_MVE
/* Lines of bytes of two columns, without weights, unless they are unpacked: of these it has room for more; and windows
 * that are runs of the input need none. */
static int32_t cnd_conv2d_rows_of_bytes(const cnd_conv2d_params* p, int32_t rows, int32_t line) {
  const int32_t unpacked = CND_CONV2D_BITS == 4 ? p->kernel_h : 0;
  const int32_t lines = 2 * ((cnd_conv2d_rows(p, rows, line) - 1) * p->stride_h + 2 * p->kernel_h) - unpacked;
  const int32_t last_top = (p->out_h - 1) * p->stride_h;
  const int32_t last_left = (p->out_w - 1) * p->stride_w;
  if (p->pad_top == 0 && p->pad_left == 0 && cnd_conv2d_is_run(p, last_top, last_left, 1) != 0) {
    return rows;
  }
  return cnd_conv2d_shared(rows, (lines - p->kernel_h) / p->stride_h + 1);
}
#endif

CND_INLINE void cnd_conv2d_run(const cnd_conv2d_params* p, const int8_t* weights, const int32_t* bias,
                               const int32_t* multiplier, const int8_t* shift, int16_t* scratch, const int8_t* input,
                               int8_t* output) {
  const cnd_conv2d_params upright = cnd_conv2d_upright(p);
  const int32_t channels = p->in_c / p->groups;
  const int32_t run = p->kernel_w * channels;
  const int32_t line = 2 * cnd_tile_run(run);
  const int32_t half = (upright.out_h + 1) / 2; /* rows of the last column of an odd number: both halves at once */
  const int32_t column = upright.out_w > 1 ? upright.out_h : half;
#ifdef CND_MVE
  const int32_t rows = cnd_conv2d_rows_of_bytes(p, column, line);
  int16_t* const patches = scratch + (CND_CONV2D_BITS == 4 ? p->kernel_h * run : 0);
#else
  const int32_t rows = cnd_conv2d_rows(p, column, line);
  int16_t* const patches = scratch + p->kernel_h * line;
#endif
  const cnd_conv2d_layer layer = {
      &upright, weights,
      bias,     multiplier,
      shift,    input,
      patches,  scratch,
      channels, p->out_c / p->groups,
      run,      line,
      rows,     cnd_scale_range_of(p->output_zero_point, p->act_min, p->act_max, p->short_scale)};
  int32_t x = 0;
  for (; x + 1 < upright.out_w; x += 2) {
    cnd_conv2d_columns(&layer, x, x + 1, 0, upright.out_h, output);
  }
  if (x < upright.out_w) {
    cnd_conv2d_columns(&layer, x, x, upright.out_h - half, half, output);
  }
}

#else

/* A window that lies in the input, from x on. Of a dense convolution, a row of it is one run of values. */
CND_APART void cnd_conv2d_inside(const cnd_conv2d_params* p, const int8_t* x, void* tile, int32_t pixel) {
  const int32_t dense = p->groups == 1 ? 1 : 0;
  const int32_t columns = dense != 0 ? 1 : p->kernel_w;
  const int32_t run = dense != 0 ? p->kernel_w * p->in_c : p->in_c / p->groups;
  const int32_t apart = p->in_c;
  const int32_t next_line = p->in_w * apart - columns * apart;
  cnd_tile_writer writer = cnd_tile_begin(tile, p->kernel_h * columns * run, pixel);
  for (int32_t line = p->kernel_h; line > 0; --line) {
    for (int32_t column = columns; column > 0; --column) {
      cnd_tile_put(&writer, x, run);
      x += apart;
    }
    x += next_line;
  }
  cnd_tile_end(&writer);
}

/* The window at (top, left), part of which may lie in the padding; at: where it begins in the input, if it does. */
CND_APART void cnd_conv2d_border(const cnd_conv2d_params* p, const int8_t* input, int32_t top, int32_t left, int32_t at,
                                 void* tile, int32_t pixel) {
  const int32_t channels = p->in_c / p->groups;
  const int32_t row = p->kernel_w * channels;
  const int32_t x0 = left < 0 ? -left : 0; /* columns that meet the input */
  const int32_t x1 = p->in_w - left < p->kernel_w ? p->in_w - left : p->kernel_w;
  const int32_t dense = p->groups == 1 ? x1 - x0 : 1; /* those whose channels are neighbours */
  cnd_tile_writer writer = cnd_tile_begin(tile, p->kernel_h * row, pixel);
  int32_t outside = 0; /* since the last value */
  for (int32_t y = top; y < top + p->kernel_h; ++y) {
    if (y < 0 || y >= p->in_h || x0 >= x1) {
      outside += row;
    } else {
      cnd_tile_fill(&writer, p->input_zero_point, outside + x0 * channels);
      for (int32_t kx = x0; kx < x1; kx += dense) {
        cnd_tile_put(&writer, input + (at + kx * p->in_c), dense * channels);
      }
      outside = row - x1 * channels;
    }
    at += p->in_w * p->in_c;
  }
  cnd_tile_fill(&writer, p->input_zero_point, outside);
  cnd_tile_end(&writer);
}

/* The window of output pixel (oy, ox), channels from `first`, as patch number `pixel` of a tile. */
static void cnd_conv2d_patch(const cnd_conv2d_params* p, const int8_t* input, int32_t oy, int32_t ox, int32_t first,
                             void* tile, int32_t pixel) {
  const int32_t top = oy * p->stride_h - p->pad_top;
  const int32_t left = ox * p->stride_w - p->pad_left;
  const int32_t at = (top * p->in_w + left) * p->in_c + first;
  if (top >= 0 && left >= 0 && top + p->kernel_h <= p->in_h && left + p->kernel_w <= p->in_w) {
    cnd_conv2d_inside(p, input + at, tile, pixel);
  } else {
    cnd_conv2d_border(p, input, top, left, at, tile, pixel);
  }
}

/* What all pixels share. */
typedef struct {
  const int32_t* bias;
  const int32_t* multiplier;
  const int8_t* shift;
  int32_t depth;
  cnd_scale_range range;
} cnd_conv2d_layer;

#if CND_CONV2D_BITS == 4

#if CND_TILE_PASSES == 2
/* One patch with a row of two channels. */
static void cnd_nibbles_1x2(const int8_t* x, const int8_t* w, int32_t depth, int32_t* sum_a, int32_t* sum_b) {
  int32_t sa = *sum_a;
  int32_t sb = *sum_b;
  for (int32_t i = 0; i < depth; ++i) {
    sa += (int32_t)x[i] * (int32_t)cnd_nibble_low(w[i]);
    sb += (int32_t)x[i] * (int32_t)cnd_nibble_high(w[i]);
  }
  *sum_a = sa;
  *sum_b = sb;
}
#endif

/* cnd_tile_2x2() with a row of two channels. */
CND_INLINE void cnd_nibbles_2x2(const int16_t* tile, const int8_t* w, int32_t depth, int32_t sum[4]) {
  const int8_t* x = (const int8_t*)tile;
  const int8_t* y = x + depth;
#if CND_TILE_PASSES == 2
  cnd_nibbles_1x2(x, w, depth, &sum[0], &sum[2]);
  cnd_nibbles_1x2(y, w, depth, &sum[1], &sum[3]);
#else
  int32_t s0 = sum[0];
  int32_t s1 = sum[1];
  int32_t s2 = sum[2];
  int32_t s3 = sum[3];
  for (int32_t i = 0; i < depth; ++i) {
    const int32_t a = cnd_nibble_low(w[i]);
    const int32_t b = cnd_nibble_high(w[i]);
    s0 += (int32_t)x[i] * a;
    s1 += (int32_t)y[i] * a;
    s2 += (int32_t)x[i] * b;
    s3 += (int32_t)y[i] * b;
  }
  sum[0] = s0;
  sum[1] = s1;
  sum[2] = s2;
  sum[3] = s3;
#endif
}

#endif

/* Pairs of output channels, o and o + next and so on to before `end`, of two pixels that lie `second` values apart; 0:
 * of one pixel. The first one's weights begin at w. */
static void cnd_conv2d_pairs(const cnd_conv2d_layer* l, const int8_t* w, const int16_t* tile, int32_t o, int32_t end,
                             int32_t next, int32_t second, int8_t* out) {
  const int32_t depth = l->depth;
  for (; o < end; o += 2) {
    const int32_t bias = l->bias[o];
    const int32_t bias_next = l->bias[o + next];
    int32_t sum[4] = {bias, bias, bias_next, bias_next};
#if CND_CONV2D_BITS == 4
    cnd_nibbles_2x2(tile, w, depth, sum);
#else
    cnd_tile_2x2(tile, w, w + next * depth, depth, sum);
#endif
    cnd_scale_four(sum, l->multiplier[o], l->shift[o], l->multiplier[o + next], l->shift[o + next], &l->range);
    out[o + second] = (int8_t)sum[1];
    out[o] = (int8_t)sum[0]; /* of one pixel, over the other one's value */
    out[o + next + second] = (int8_t)sum[3];
    out[o + next] = (int8_t)sum[2];
    w += cnd_conv2d_stored(2) * depth;
  }
}

/* Output channels from `o` to before `end`. The last one of an odd number makes a pair with itself. */
static void cnd_conv2d_outputs(const cnd_conv2d_layer* l, const int8_t* w, const int16_t* tile, int32_t o, int32_t end,
                               int32_t second, int8_t* out) {
  const int32_t even = cnd_tile_floor(end - o, 2);
  cnd_conv2d_pairs(l, w, tile, o, o + even, 1, second, out);
  if (o + even < end) {
    cnd_conv2d_pairs(l, w + cnd_conv2d_stored(even) * l->depth, tile, o + even, end, 0, second, out);
  }
}

#ifdef CND_WIDE

/* Weights of 16 output channels become a panel, once per call, and a tile of neighbouring pixels meets it. Input values
 * lie in rows on the stack, padding around them, so that windows need no tests and are not copied one by one. Sizes of
 * both in values: int8, or int16 with AVX2. */
enum { CND_PANEL_VALUES = 36864, CND_PANEL_MOST = 8, CND_PANEL_ROWS = 12288 };

/* Steps of a run of values, the last one filled up. */
static inline int32_t cnd_panel_steps(int32_t run) { return (run + CND_STEP - 1) / CND_STEP; }

/* The weights of `count` channels, each of `lines` runs, in the order of products: step by step, 16 channels in each.
 * Channels that are not there have weights of zero, and so has what fills the last step of a run. */
static void cnd_panel_pack(const int8_t* weights, int32_t count, int32_t lines, int32_t run, cnd_weight* to) {
  const int32_t depth = lines * run;
  const int32_t line = cnd_panel_steps(run) * 16 * CND_STEP;
  if (count < 16 || run % CND_STEP != 0) {
    (void)memset(to, 0, (size_t)(lines * line) * sizeof *to);
  }
  for (int32_t k = 0; k < lines; ++k) {
    for (int32_t o = 0; o < count; o += 4) {
      const int32_t rows = count - o < 4 ? count - o : 4;
#if CND_CONV2D_BITS == 4
      int8_t w[4 * (CND_PANEL_VALUES / 16)];
      const int32_t apart = run;
      for (int32_t r = 0; r < rows; r += 2) {
        cnd_nibbles_unpack(weights + (o + r) / 2 * depth + k * run, run, w + r * run, w + (r + 1) * run);
      }
#else
      const int8_t* w = weights + o * depth + k * run;
      const int32_t apart = depth;
#endif
      int32_t i = 0;
      for (; rows == 4 && i + 4 * CND_STEP <= run; i += 4 * CND_STEP) {
        cnd_weights_4(w + i, apart, to + 16 * i + o * CND_STEP);
      }
      for (; i < run; ++i) {
        cnd_weight* const at = to + (i / CND_STEP * 16 + o) * CND_STEP + i % CND_STEP;
        for (int32_t r = 0; r < rows; ++r) {
          at[r * CND_STEP] = w[r * apart + i];
        }
      }
    }
    to += line;
  }
}

/* A strip of the output: the input columns that its windows see. */
typedef struct {
  const cnd_conv2d_params* p;
  const int8_t* input;       /* first channel of the group */
  int32_t channels, columns; /* of a row in the ring */
  int32_t left;              /* input column of its first one */
  int32_t row;               /* values from one row to the next */
} cnd_conv2d_strip;

static int32_t cnd_conv2d_within(int32_t x, int32_t most) { return cnd_clamp(x, 0, most); }

/* Input row y, which may lie in the padding. */
static void cnd_conv2d_row(const cnd_conv2d_strip* s, int32_t y, cnd_value* to) {
  const cnd_conv2d_params* p = s->p;
  const int32_t inside = (y >= 0 && y < p->in_h) ? 1 : 0;
  const int32_t x0 = cnd_conv2d_within(-s->left, s->columns);
  const int32_t x1 = inside != 0 ? cnd_conv2d_within(p->in_w - s->left, s->columns) : x0;
  const int32_t zero = p->input_zero_point;
  cnd_values_fill(to, zero, x0 * s->channels);
  if (x0 < x1) {
    const int8_t* x = s->input + (y * p->in_w + s->left + x0) * p->in_c;
    const int32_t together = p->groups == 1 ? x1 - x0 : 1;
    for (int32_t at = x0; at < x1; at += together) {
      cnd_values_put(to + at * s->channels, x, together * s->channels);
      x += together * p->in_c;
    }
  }
  const int32_t end = (x1 > x0 ? x1 : x0) * s->channels;
  cnd_values_fill(to + end, zero, s->row - end);
}

/* Panels of output channels, packed. */
typedef struct {
  const cnd_weight* weights;
  const cnd_panel_channels* channels;
  int32_t count, steps; /* of panels; of a run */
  cnd_scale_range range;
} cnd_conv2d_panels;

/* Neighbouring pixels, up to CND_PIXELS of them, from line number `line` of the ring on. */
static void cnd_conv2d_tile(const cnd_conv2d_strip* s, const cnd_conv2d_panels* panels, const cnd_value* ring,
                            int32_t line, int32_t pixels, int8_t* out) {
  const cnd_conv2d_params* p = s->p;
  const int32_t apart = p->stride_w * s->channels;
  const int32_t panel = p->kernel_h * panels->steps * 16 * CND_STEP;
  const cnd_panel_channels* c = panels->channels;
  const cnd_weight* w = panels->weights;
  for (int32_t i = 0; i < panels->count; ++i) {
    int32_t sums[16 * CND_PIXELS];
    cnd_tile_sums_16(ring, line, p->kernel_h, s->row, apart, w, panels->steps, c->start, sums);
    cnd_panel_scale(sums, c, &panels->range, pixels, out, p->out_c);
    w += panel;
    ++c;
    out += 16;
  }
}

/* Output columns from `first` to before `end`, of all rows. */
static void cnd_conv2d_columns(const cnd_conv2d_strip* s, const cnd_conv2d_panels* panels, cnd_value* ring,
                               int32_t first, int32_t end, int8_t* output) {
  const cnd_conv2d_params* p = s->p;
  const int32_t lines = p->kernel_h;
  int32_t next = -p->pad_top; /* the next row to read: rows take turns in the ring */
  for (int32_t oy = 0; oy < p->out_h; ++oy) {
    const int32_t top = oy * p->stride_h - p->pad_top;
    for (int32_t y = next > top ? next : top; y < top + lines; ++y) {
      cnd_conv2d_row(s, y, ring + (y + p->pad_top) % lines * s->row);
    }
    next = top + lines;
    for (int32_t ox = first; ox < end; ox += CND_PIXELS) {
      const int32_t pixels = end - ox < CND_PIXELS ? end - ox : CND_PIXELS;
      const cnd_value* x = ring + (ox - first) * p->stride_w * s->channels;
      cnd_conv2d_tile(s, panels, x, oy * p->stride_h % lines, pixels, output + (oy * p->out_w + ox) * p->out_c);
    }
  }
}

/* A map whose pixels are alone with themselves is one row. */
static cnd_conv2d_params cnd_conv2d_flat(const cnd_conv2d_params* p) {
  cnd_conv2d_params flat = *p;
  if (p->kernel_h == 1 && p->kernel_w == 1 && p->stride_h == 1 && p->stride_w == 1 && p->in_h == p->out_h &&
      p->in_w == p->out_w && p->pad_top == 0 && p->pad_left == 0) {
    flat.in_w = flat.out_w = p->in_h * p->in_w;
    flat.in_h = flat.out_h = 1;
  }
  return flat;
}

static int32_t cnd_conv2d_min(int32_t a, int32_t b) { return a < b ? a : b; }

/* 0: a window, or the weights of a panel, are too large for the stack. */
static int32_t cnd_conv2d_wide(const cnd_conv2d_params* params, const int8_t* weights, const int32_t* bias,
                               const int32_t* multiplier, const int8_t* shift, const int8_t* input, int8_t* output) {
  const cnd_conv2d_params flat = cnd_conv2d_flat(params);
  const cnd_conv2d_params* p = &flat;
  const int32_t channels = p->in_c / p->groups;
  const int32_t group_out = p->out_c / p->groups;
  const int32_t depth = p->kernel_h * p->kernel_w * channels;
  if (depth > CND_PANEL_VALUES / 16) {
    return 0;
  }
  const int32_t steps = cnd_panel_steps(p->kernel_w * channels);
  const int32_t panel = p->kernel_h * steps * 16 * CND_STEP;
  const int32_t room = (CND_PANEL_ROWS / p->kernel_h - CND_STEP) / channels - p->kernel_w;
  const int32_t most = (p->out_w + CND_PIXELS - 1) / CND_PIXELS * CND_PIXELS;
  const int32_t strip = room < 0 ? 0 : cnd_conv2d_min((room / p->stride_w + 1) / CND_PIXELS * CND_PIXELS, most);
  if (strip == 0 || panel > CND_PANEL_VALUES) {
    return 0;
  }
  const int32_t block = 16 * cnd_conv2d_min(CND_PANEL_VALUES / panel, CND_PANEL_MOST);
  cnd_weight packed[CND_PANEL_VALUES];
  cnd_value ring[CND_PANEL_ROWS];
  cnd_panel_channels constants[CND_PANEL_MOST];
  cnd_conv2d_strip s = {p, input, channels, (strip - 1) * p->stride_w + p->kernel_w, 0, 0};
  s.row = s.columns * channels + CND_STEP - 1;
  cnd_conv2d_panels panels = {packed, constants, 0, steps,
                              cnd_scale_range_of(p->output_zero_point, p->act_min, p->act_max, p->short_scale)};
  for (int32_t o = 0; o < p->out_c; o += cnd_conv2d_min(block, group_out - o % group_out)) {
    const int32_t end = o + cnd_conv2d_min(block, group_out - o % group_out);
    panels.count = 0;
    for (int32_t at = o; at < end; at += 16) {
      cnd_weight* const to = packed + panels.count * panel;
      const int32_t count = cnd_conv2d_min(16, end - at);
      const int32_t stored = cnd_conv2d_stored(group_out) * (at / group_out) + cnd_conv2d_stored(at % group_out);
      cnd_panel_pack(weights + stored * depth, count, p->kernel_h, p->kernel_w * channels, to);
      cnd_panel_prepare(bias + at, multiplier + at, shift + at, count, &constants[panels.count]);
#ifdef CND_VALUE_OFFSET
      cnd_weights_offset(to, p->kernel_h * steps, constants[panels.count].start);
#endif
      ++panels.count;
    }
    s.input = input + o / group_out * channels;
    for (int32_t first = 0; first < p->out_w; first += strip) {
      s.left = first * p->stride_w - p->pad_left;
      cnd_conv2d_columns(&s, &panels, ring, first, cnd_conv2d_min(first + strip, p->out_w), output + o);
    }
  }
  return 1;
}

#endif

CND_INLINE void cnd_conv2d_run(const cnd_conv2d_params* p, const int8_t* weights, const int32_t* bias,
                               const int32_t* multiplier, const int8_t* shift, int16_t* scratch, const int8_t* input,
                               int8_t* output) {
#ifdef CND_WIDE
  if (cnd_conv2d_wide(p, weights, bias, multiplier, shift, input, output) != 0) {
    return;
  }
#endif
  const int32_t channels = p->in_c / p->groups;
  const int32_t group_out = p->out_c / p->groups;
  const int32_t count = p->out_h * p->out_w;
  const int32_t depth = p->kernel_h * p->kernel_w * channels;
  const cnd_conv2d_layer layer = {bias, multiplier, shift, depth,
                                  cnd_scale_range_of(p->output_zero_point, p->act_min, p->act_max, p->short_scale)};
  int32_t oy = 0;
  int32_t ox = 0;
  for (int32_t n = 0; n < count; n += 2) {
    const int32_t next_y = ox + 1 < p->out_w ? oy : oy + 1;
    const int32_t next_x = ox + 1 < p->out_w ? ox + 1 : 0;
    const int32_t second = n + 1 < count ? p->out_c : 0; /* 0: the last pixel of an odd number, alone */
    for (int32_t group = 0; group < p->groups; ++group) {
      const int32_t o = group * group_out;
      const int8_t* const w = weights + group * cnd_conv2d_stored(group_out) * depth;
      cnd_conv2d_patch(p, input, oy, ox, group * channels, scratch, 0);
      cnd_conv2d_patch(p, input, second != 0 ? next_y : oy, second != 0 ? next_x : ox, group * channels, scratch, 1);
      cnd_conv2d_outputs(&layer, w, scratch, o, o + group_out, second, output + n * p->out_c);
    }
    ox = next_x + 1 < p->out_w ? next_x + 1 : 0;
    oy = next_x + 1 < p->out_w ? next_y : next_y + 1;
  }
}

#endif

#endif
