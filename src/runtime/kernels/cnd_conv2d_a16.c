/* Window by window: a line of a window is one run of values, or one for each of its pixels. */
#include "cnd_conv2d_a16.h"

#include "cnd_int16.h"

/* Where the values of a line lie, and its weights, which follow each other. */
typedef struct {
  int32_t runs, length, step; /* values of a run, and from one to the next */
  int32_t run_step;           /* from one run to the next */
} cnd_conv2d_a16_line;

static cnd_conv2d_a16_line cnd_conv2d_a16_line_of(const cnd_conv2d_a16_params* p, int32_t columns) {
  const int32_t depth = p->in_c / p->groups;
  cnd_conv2d_a16_line line = {1, columns * depth, 1, 0};
  if (p->groups > 1 && depth == 1) {
    line.length = columns;
    line.step = p->in_c;
  } else if (p->groups > 1) {
    line.runs = columns;
    line.length = depth;
    line.run_step = p->in_c;
  } else {
    /* all channels of all columns, one after the other */
  }
  return line;
}

static int32_t cnd_conv2d_a16_sum_16(const cnd_conv2d_a16_line* line, const int16_t* x, const int8_t* w) {
  int32_t sum = 0;
  for (int32_t r = 0; r < line->runs; ++r) {
    const int16_t* in = x + r * line->run_step;
    if (line->step == 1) {
      for (int32_t i = 0; i < line->length; ++i) {
        sum += (int32_t)in[i] * (int32_t)w[i];
      }
    } else {
      for (int32_t i = 0; i < line->length; ++i) {
        sum += (int32_t)in[i * line->step] * (int32_t)w[i];
      }
    }
    w += line->length;
  }
  return sum;
}

static int32_t cnd_conv2d_a16_sum_8(const cnd_conv2d_a16_line* line, const int8_t* x, int32_t zero_point,
                                    const int8_t* w) {
  int32_t sum = 0;
  for (int32_t r = 0; r < line->runs; ++r) {
    const int8_t* in = x + r * line->run_step;
    if (line->step == 1) {
      for (int32_t i = 0; i < line->length; ++i) {
        sum += ((int32_t)in[i] - zero_point) * (int32_t)w[i];
      }
    } else {
      for (int32_t i = 0; i < line->length; ++i) {
        sum += ((int32_t)in[i * line->step] - zero_point) * (int32_t)w[i];
      }
    }
    w += line->length;
  }
  return sum;
}

static int32_t cnd_conv2d_a16_max(int32_t a, int32_t b) { return a > b ? a : b; }

static int32_t cnd_conv2d_a16_min(int32_t a, int32_t b) { return a < b ? a : b; }

void cnd_conv2d_a16(const cnd_conv2d_a16_params* p, const int8_t* weight, const int32_t* bias,
                    const int32_t* multiplier, const int8_t* shift, const void* input, void* output) {
  const int32_t depth = p->in_c / p->groups;
  const int32_t group_out = p->out_c / p->groups;
  const int32_t zero_point = p->output_zero_point;
  for (int32_t oy = 0; oy < p->out_h; ++oy) {
    const int32_t top = oy * p->stride_h - p->pad_top;
    const int32_t y0 = cnd_conv2d_a16_max(-top, 0);
    const int32_t y1 = cnd_conv2d_a16_min(p->in_h - top, p->kernel_h);
    for (int32_t ox = 0; ox < p->out_w; ++ox) {
      const int32_t left = ox * p->stride_w - p->pad_left;
      const int32_t x0 = cnd_conv2d_a16_max(-left, 0);
      const int32_t x1 = cnd_conv2d_a16_min(p->in_w - left, p->kernel_w);
      const cnd_conv2d_a16_line line = cnd_conv2d_a16_line_of(p, cnd_conv2d_a16_max(x1 - x0, 0));
      for (int32_t o = 0; o < p->out_c; ++o) {
        int32_t sum = bias[o];
        for (int32_t ky = y0; ky < y1 && x0 < x1; ++ky) {
          const int32_t from = ((top + ky) * p->in_w + left + x0) * p->in_c + o / group_out * depth;
          const int8_t* w = weight + ((o * p->kernel_h + ky) * p->kernel_w + x0) * depth;
          sum += p->input_bits == 16 ? cnd_conv2d_a16_sum_16(&line, (const int16_t*)input + from, w)
                                     : cnd_conv2d_a16_sum_8(&line, (const int8_t*)input + from, p->input_zero_point, w);
        }
        cnd_put(output, p->output_bits, (oy * p->out_w + ox) * p->out_c + o,
                cnd_requantize_within(sum, multiplier[o], (int32_t)shift[o], zero_point, p->act_min, p->act_max));
      }
    }
  }
}
