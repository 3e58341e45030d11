/* Grouped int8 convolution. The part of the window that lies inside the input is found once per output pixel; rows of
 * a dense convolution are then one contiguous run of values. */
#include "cnd_conv2d.h"

#include "cnd_dot.h"
#include "cnd_fixed_point.h"

/* The window of one output pixel, cut to the input. */
typedef struct {
  int32_t y0, y1, x0, x1; /* kernel rows and columns that meet the input */
  int32_t top, left;      /* input position of kernel row 0, column 0; may be negative */
} cnd_conv2d_window;

/* First and one past the last kernel position that meets an input of `extent`, the window starting at `start`. */
static int32_t cnd_conv2d_first(int32_t start) { return start < 0 ? -start : 0; }

static int32_t cnd_conv2d_last(int32_t start, int32_t kernel, int32_t extent) {
  return extent - start < kernel ? extent - start : kernel;
}

/* Four output channels from `o`, accumulated into sum. */
static void cnd_conv2d_four(const cnd_conv2d_params* p, const cnd_conv2d_window* win, const int8_t* weights,
                            const int8_t* input, int32_t o, int32_t sum[4]) {
  const int32_t group_in = p->in_c / p->groups;
  const int32_t first_channel = (o / (p->out_c / p->groups)) * group_in;
  const int32_t filter = p->kernel_h * p->kernel_w * group_in;
  const int32_t columns = win->x1 - win->x0;
  for (int32_t ky = win->y0; ky < win->y1; ++ky) {
    const int8_t* x = input + ((win->top + ky) * p->in_w + win->left + win->x0) * p->in_c + first_channel;
    const int8_t* w = weights + o * filter + (ky * p->kernel_w + win->x0) * group_in;
    if (p->groups == 1) {
      cnd_dot4(x, p->input_offset, w, filter, columns * group_in, sum);
    } else {
      for (int32_t kx = 0; kx < columns; ++kx) {
        cnd_dot4(x + kx * p->in_c, p->input_offset, w + kx * group_in, filter, group_in, sum);
      }
    }
  }
}

/* One output channel. */
static int32_t cnd_conv2d_one(const cnd_conv2d_params* p, const cnd_conv2d_window* win, const int8_t* weights,
                              const int8_t* input, int32_t o) {
  const int32_t group_in = p->in_c / p->groups;
  const int32_t first_channel = (o / (p->out_c / p->groups)) * group_in;
  const int32_t filter = p->kernel_h * p->kernel_w * group_in;
  int32_t sum = 0;
  for (int32_t ky = win->y0; ky < win->y1; ++ky) {
    for (int32_t kx = win->x0; kx < win->x1; ++kx) {
      const int8_t* x = input + ((win->top + ky) * p->in_w + win->left + kx) * p->in_c + first_channel;
      const int8_t* w = weights + o * filter + (ky * p->kernel_w + kx) * group_in;
      sum += cnd_dot(x, p->input_offset, w, group_in);
    }
  }
  return sum;
}

void cnd_conv2d(const cnd_conv2d_params* p, const int8_t* weights, const int32_t* bias, const int32_t* multiplier,
                const int8_t* shift, const int8_t* input, int8_t* output) {
  const int32_t group_out = p->out_c / p->groups;
  for (int32_t oy = 0; oy < p->out_h; ++oy) {
    cnd_conv2d_window win;
    win.top = oy * p->stride_h - p->pad_top;
    win.y0 = cnd_conv2d_first(win.top);
    for (int32_t ox = 0; ox < p->out_w; ++ox) {
      win.y1 = cnd_conv2d_last(win.top, p->kernel_h, p->in_h);
      win.left = ox * p->stride_w - p->pad_left;
      win.x0 = cnd_conv2d_first(win.left);
      win.x1 = cnd_conv2d_last(win.left, p->kernel_w, p->in_w);
      if (win.x1 <= win.x0) { /* the window lies in the padding alone: no row to read */
        win.y1 = win.y0;
      }
      int8_t* out = output + (oy * p->out_w + ox) * p->out_c;
      for (int32_t group = 0; group < p->groups; ++group) {
        const int32_t end = (group + 1) * group_out;
        int32_t o = group * group_out;
        for (; o + 4 <= end; o += 4) {
          int32_t sum[4];
          for (int32_t i = 0; i < 4; ++i) {
            sum[i] = bias[o + i];
          }
          cnd_conv2d_four(p, &win, weights, input, o, sum);
          for (int32_t i = 0; i < 4; ++i) {
            out[o + i] = cnd_requantize_s8(sum[i], multiplier[o + i], shift[o + i], p->output_zero_point, p->act_min,
                                           p->act_max);
          }
        }
        for (; o < end; ++o) {
          const int32_t sum = bias[o] + cnd_conv2d_one(p, &win, weights, input, o);
          out[o] = cnd_requantize_s8(sum, multiplier[o], shift[o], p->output_zero_point, p->act_min, p->act_max);
        }
      }
    }
  }
}
