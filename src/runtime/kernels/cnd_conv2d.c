/* Grouped int8 convolution as a matrix product: the windows of two neighbouring pixels are laid out as patches, which
 * every output channel of the group then reads; see cnd_tile.h. */
#include "cnd_conv2d.h"

#include "cnd_scale.h"
#include "cnd_tile.h"

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

#ifdef CND_MVE

/* The window at (top, left), channels from `first`, as one run of values: where it lies so in the input, there. */
CND_APART const int8_t* cnd_conv2d_window(const cnd_conv2d_params* p, const int8_t* input, int32_t top, int32_t left,
                                          int32_t first, int8_t* patch) {
  const int32_t line = p->in_w * p->in_c;
  const int32_t at = top * line + left * p->in_c + first;
  const int32_t height = p->kernel_h;
  if (top < 0 || left < 0 || top + height > p->in_h || left + p->kernel_w > p->in_w) {
    cnd_conv2d_border(p, input, top, left, at, patch, 0);
    return patch;
  }
  const int8_t* x = input + at;
  if (p->kernel_w == 1 && height == 1) {
    return x;
  }
  if (p->groups != 1) {
    cnd_conv2d_inside(p, x, patch, 0);
    return patch;
  }
  const int32_t run = p->kernel_w * p->in_c;
  int8_t* to = patch;
  for (int32_t y = height; y > 0; --y) {
    cnd_mve_copy(to, x, run);
    to += run;
    x += line;
  }
  return patch;
}

void cnd_conv2d(const cnd_conv2d_params* p, const int8_t* weights, const int32_t* bias, const int32_t* multiplier,
                const int8_t* shift, int16_t* scratch, const int8_t* input, int8_t* output) {
  const int32_t channels = p->in_c / p->groups;
  const int32_t group_out = p->out_c / p->groups;
  const int32_t depth = p->kernel_h * p->kernel_w * channels;
  cnd_mve_rows rows = {weights,
                       bias,
                       multiplier,
                       shift,
                       depth,
                       p->out_c,
                       cnd_scale_range_of(p->output_zero_point, p->act_min, p->act_max, p->short_scale),
                       {input, input, input, input},
                       0};
  const int32_t count = p->out_h * p->out_w;
  int32_t oy = 0;
  int32_t ox = 0;
  for (int32_t n = 0; n < count; n += CND_MVE_PIXELS) {
    int32_t top[CND_MVE_PIXELS];
    int32_t left[CND_MVE_PIXELS];
    rows.pixels = count - n < CND_MVE_PIXELS ? count - n : CND_MVE_PIXELS;
    for (int32_t k = 0; k < rows.pixels; ++k) {
      top[k] = oy * p->stride_h - p->pad_top;
      left[k] = ox * p->stride_w - p->pad_left;
      ox = ox + 1 < p->out_w ? ox + 1 : 0;
      oy = ox == 0 ? oy + 1 : oy;
    }
    for (int32_t group = 0; group < p->groups; ++group) {
      for (int32_t k = 0; k < rows.pixels; ++k) {
        rows.x[k] = cnd_conv2d_window(p, input, top[k], left[k], group * channels, (int8_t*)scratch + k * depth);
      }
      cnd_mve_product(&rows, group * group_out, (group + 1) * group_out, output);
    }
    output += rows.pixels * p->out_c;
  }
}

#else

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
  const int8_t* weights;
  const int32_t* bias;
  const int32_t* multiplier;
  const int8_t* shift;
  int32_t depth;
  int32_t padded; /* the first rows of weights, behind which at least three more bytes of weights stand */
  cnd_scale_range range;
} cnd_conv2d_layer;

/* Pairs of output channels, o and o + next and so on to before `end`, of two pixels that lie `second` values apart; 0:
 * of one pixel. `whole` as in cnd_tile_2x2(). */
static void cnd_conv2d_pairs(const cnd_conv2d_layer* l, const int16_t* tile, int32_t o, int32_t end, int32_t next,
                             int32_t whole, int32_t second, int8_t* out) {
  const int32_t depth = l->depth;
  const int8_t* a = l->weights + o * depth;
  for (; o < end; o += 2) {
    const int32_t bias = l->bias[o];
    const int32_t bias_next = l->bias[o + next];
    int32_t sum[4] = {bias, bias, bias_next, bias_next};
    cnd_tile_2x2(tile, a, a + next * depth, depth, whole, sum);
    cnd_scale_four(sum, l->multiplier[o], l->shift[o], l->multiplier[o + next], l->shift[o + next], &l->range);
    out[o + second] = (int8_t)sum[1];
    out[o] = (int8_t)sum[0]; /* of one pixel, over the other one's value */
    out[o + next + second] = (int8_t)sum[3];
    out[o + next] = (int8_t)sum[2];
    a += 2 * depth;
  }
}

/* Output channels from `o` to before `end`. The last one of an odd number makes a pair with itself. */
static void cnd_conv2d_outputs(const cnd_conv2d_layer* l, const int16_t* tile, int32_t o, int32_t end, int32_t second,
                               int8_t* out) {
  const int32_t up = cnd_tile_floor(l->depth + 3, 4);
  const int32_t down = cnd_tile_floor(l->depth, 4);
  const int32_t padded = up == down || end < l->padded ? end : l->padded;
  if (o + 1 < padded) {
    const int32_t until = o + cnd_tile_floor(padded - o, 2);
    cnd_conv2d_pairs(l, tile, o, until, 1, up, second, out);
    o = until;
  }
  if (o + 1 < end) {
    const int32_t until = o + cnd_tile_floor(end - o, 2);
    cnd_conv2d_pairs(l, tile, o, until, 1, down, second, out);
    o = until;
  }
  if (o < end) {
    cnd_conv2d_pairs(l, tile, o, end, 0, down, second, out);
  }
}

void cnd_conv2d(const cnd_conv2d_params* p, const int8_t* weights, const int32_t* bias, const int32_t* multiplier,
                const int8_t* shift, int16_t* scratch, const int8_t* input, int8_t* output) {
  const int32_t channels = p->in_c / p->groups;
  const int32_t group_out = p->out_c / p->groups;
  const int32_t count = p->out_h * p->out_w;
  const int32_t depth = p->kernel_h * p->kernel_w * channels;
  const cnd_conv2d_layer layer = {weights,
                                  bias,
                                  multiplier,
                                  shift,
                                  depth,
                                  p->out_c - (depth + 2) / depth,
                                  cnd_scale_range_of(p->output_zero_point, p->act_min, p->act_max, p->short_scale)};
  int32_t oy = 0;
  int32_t ox = 0;
  for (int32_t n = 0; n < count; n += 2) {
    const int32_t next_y = ox + 1 < p->out_w ? oy : oy + 1;
    const int32_t next_x = ox + 1 < p->out_w ? ox + 1 : 0;
    const int32_t second = n + 1 < count ? p->out_c : 0; /* 0: the last pixel of an odd number, alone */
    for (int32_t group = 0; group < p->groups; ++group) {
      const int32_t o = group * group_out;
      cnd_conv2d_patch(p, input, oy, ox, group * channels, scratch, 0);
      cnd_conv2d_patch(p, input, second != 0 ? next_y : oy, second != 0 ? next_x : ox, group * channels, scratch, 1);
      cnd_conv2d_outputs(&layer, scratch, o, o + group_out, second, output + n * p->out_c);
    }
    ox = next_x + 1 < p->out_w ? next_x + 1 : 0;
    oy = next_x + 1 < p->out_w ? next_y : next_y + 1;
  }
}

#endif
