/* Grouped int8 convolution as a matrix product: the windows of two neighbouring pixels are laid out as patches, which
 * every output channel of the group then reads; see cnd_tile.h. */
#include "cnd_conv2d.h"

#include "cnd_scale.h"
#include "cnd_tile.h"

/* The window of output pixel `n`, channels from `first`, as patch number `pixel` of a tile. `whole`: where
 * the window is one pixel, number n of the input, its channels of a group; else 0. */
static void cnd_conv2d_patch(const cnd_conv2d_params* p, const int8_t* input, int32_t n, int32_t first, int32_t whole,
                             int16_t* tile, int32_t pixel) {
  if (whole != 0) {
    const int32_t depth = whole;
    cnd_tile_writer writer = cnd_tile_begin(tile, depth, pixel, p->input_offset);
    cnd_tile_put(&writer, input + n * p->in_c + first, depth);
    cnd_tile_end(&writer);
    return;
  }
  const int32_t channels = p->in_c / p->groups;
  const int32_t row = p->kernel_w * channels;
  const int32_t depth = p->kernel_h * row;
  const int32_t top = n / p->out_w * p->stride_h - p->pad_top;
  const int32_t left = n % p->out_w * p->stride_w - p->pad_left;
  const int32_t x0 = left < 0 ? -left : 0; /* kernel columns and rows that meet the input */
  const int32_t x1 = p->in_w - left < p->kernel_w ? p->in_w - left : p->kernel_w;
  const int32_t y0 = top < 0 ? -top : 0;
  const int32_t y1 = p->in_h - top < p->kernel_h ? p->in_h - top : p->kernel_h;
  const int32_t lines = x0 < x1 && y0 < y1 ? y1 - y0 : 0;
  const int32_t columns = p->groups == 1 ? 1 : x1 - x0; /* of a dense convolution, all columns are one run of values */
  const int32_t run = p->groups == 1 ? (x1 - x0) * channels : channels;
  const int8_t* x = input + ((top + y0) * p->in_w + left + x0) * p->in_c + first;
  cnd_tile_writer writer = cnd_tile_begin(tile, depth, pixel, p->input_offset);
  int32_t zeros = lines > 0 ? y0 * row + x0 * channels : depth; /* padding before the next run */
  for (int32_t line = 0;; ++line) {
    if (zeros > 0) {
      cnd_tile_clear(&writer, zeros);
    }
    if (line >= lines) {
      break;
    }
    for (int32_t column = 0; column < columns; ++column) {
      cnd_tile_put(&writer, x + column * p->in_c, run);
    }
    x += p->in_w * p->in_c;
    zeros = row - (x1 - x0) * channels;
    if (line + 1 == lines) {
      zeros += (p->kernel_h - y1) * row - x0 * channels;
    }
  }
  cnd_tile_end(&writer);
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

/* Output channels from `o` to before `end` of two pixels, `second` values apart; 0: of one pixel. */
static void cnd_conv2d_outputs(const cnd_conv2d_layer* l, const int16_t* tile, int32_t o, int32_t end, int32_t second,
                               int8_t* out) {
  const int32_t depth = l->depth;
  const int8_t* a = l->weights + o * depth;
  for (; o < end; o += 2) {
    const int32_t next = o + 1 < end ? 1 : 0; /* of an odd number of channels, the last one is computed twice */
    const int32_t whole = o + 1 < l->padded ? cnd_tile_floor(depth + 3, 4) : cnd_tile_floor(depth, 4);
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
  const int32_t point = p->kernel_h * p->kernel_w * p->stride_h * p->stride_w; /* 1: and no padding, by the sizes */
  const int32_t whole =
      (point == 1 && p->in_h == p->out_h && p->in_w == p->out_w && p->pad_top == 0 && p->pad_left == 0) ? channels : 0;
  for (int32_t n = 0; n < count; n += 2) {
    const int32_t pixels = n + 1 < count ? 2 : 1;
    for (int32_t group = 0; group < p->groups; ++group) {
      const int32_t o = group * group_out;
      for (int32_t i = 0; i < 2; ++i) { /* of one pixel, both patches are its own */
        cnd_conv2d_patch(p, input, n + (pixels == 2 ? i : 0), group * channels, whole, scratch, i);
      }
      cnd_conv2d_outputs(&layer, scratch, o, o + group_out, pixels == 2 ? p->out_c : 0, output + n * p->out_c);
    }
  }
}
