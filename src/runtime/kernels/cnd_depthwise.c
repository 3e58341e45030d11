/* Depthwise int8 convolution, channel by channel: rows of a channel are laid out as 16-bit values with
 * the zero point around them, so that windows need no tests. The header's promise about overlap rests on this order. */
#include "cnd_depthwise.h"

#include "cnd_dsp.h"
#include "cnd_scale.h"

/* One output channel. Rows of scratch stand for input rows `first` and following: `held` of them,
 * `capacity` at most. */
typedef struct {
  const cnd_depthwise_params* p;
  int16_t* rows;
  int16_t* weights;
  int32_t row;        /* values of a row in scratch */
  int32_t weight_row; /* values of a row of weights: even, at least two more than the kernel is wide */
  int32_t first, held, capacity;
  int32_t bias, multiplier, shift;
  cnd_scale_range range;
} cnd_depthwise_channel;

static int32_t cnd_depthwise_even(int32_t n) { return n + n % 2; }

/* `count` values of a channel from x on, as 16-bit values. */
static void cnd_depthwise_copy(const cnd_depthwise_params* p, const int8_t* x, int32_t count, int16_t* to) {
  const int32_t step = p->in_c;
#ifdef CND_DSP
  for (; count >= 2; count -= 2) {
    const uint32_t two = (uint32_t)(uint8_t)x[0] | ((uint32_t)(uint8_t)x[step] << 16);
    cnd_store_near_2x16(to, cnd_sxtb16(two));
    x += 2 * step;
    to += 2;
  }
#endif
  for (; count > 0; --count) {
    *to++ = *x;
    x += step;
  }
}

/* Reads input rows up to before `end`, of which those from `begin` on are wanted. x: the channel's first value. */
static void cnd_depthwise_read(cnd_depthwise_channel* c, const int8_t* x, int32_t begin, int32_t end) {
  const cnd_depthwise_params* p = c->p;
  if (end - c->first > c->capacity) { /* what is still wanted moves to the front */
    const int32_t keep = c->first + c->held > begin ? c->first + c->held - begin : 0;
    const int16_t* from = c->rows + (c->held - keep) * c->row;
    for (int32_t i = 0; i < keep * c->row; ++i) {
      c->rows[i] = from[i];
    }
    c->first = begin;
    c->held = keep;
  }
  const int32_t room = c->row - p->pad_left;
  const int32_t width = p->in_w < room ? p->in_w : room; /* columns beyond are in no window */
  while (c->first + c->held < end) {
    cnd_depthwise_copy(p, x + (c->first + c->held) * p->in_w * p->in_c, width,
                       c->rows + (c->held * c->row + (width > 0 ? p->pad_left : 0)));
    ++c->held;
  }
}

/* A line of the output, from windows of `lines` rows, the first ones at x and w. */
static void cnd_depthwise_line(const cnd_depthwise_channel* c, const int16_t* x, const int16_t* w, int32_t lines,
                               int8_t* out) {
  const int32_t width = c->p->kernel_w;
  for (int32_t n = 0; n < c->p->out_w; ++n) {
    const int16_t* row = x + n * c->p->stride_w;
    const int16_t* taps = w;
    int32_t sum = c->bias;
    for (int32_t ky = 0; ky < lines; ++ky) {
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
    out[n * c->p->out_c] = cnd_scale_any(sum, c->multiplier, c->shift, &c->range);
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

/* A line of such windows, four values at once, of which the line's last four may be fewer. */
CND_INLINE void cnd_depthwise_fours(const cnd_depthwise_channel* c, const int16_t* x, const int16_t* w, int32_t lines,
                                    int32_t apart, int8_t* out) {
  const int32_t step = c->p->out_c;
  const int32_t row = c->row;
  const int32_t bias = c->bias;
  for (int32_t left = c->p->out_w; left > 0; left -= 4) {
    cnd_depthwise_sums s = {bias, bias, bias, bias};
    if (lines == 3) {
      s = cnd_depthwise_row(x, w, apart, s);
      s = cnd_depthwise_row(x + row, w + 4, apart, s);
      s = cnd_depthwise_row(x + 2 * row, w + 8, apart, s);
    } else {
      for (int32_t ky = 0; ky < lines; ++ky) {
        s = cnd_depthwise_row(x + ky * row, w + 4 * ky, apart, s);
      }
    }
    int32_t value[4] = {s.s0, s.s1, s.s2, s.s3};
    cnd_scale_four(value, c->multiplier, c->shift, c->multiplier, c->shift, &c->range);
    out[0] = (int8_t)value[0];
    if (left > 1) {
      out[step] = (int8_t)value[1];
    }
    if (left > 2) {
      out[2 * step] = (int8_t)value[2];
    }
    if (left > 3) {
      out[3 * step] = (int8_t)value[3];
    }
    out += 4 * step;
    x += 4 * apart;
  }
}

static void cnd_depthwise_fours_1(const cnd_depthwise_channel* c, const int16_t* x, const int16_t* w, int32_t lines,
                                  int8_t* out) {
  cnd_depthwise_fours(c, x, w, lines, 1, out);
}

static void cnd_depthwise_fours_2(const cnd_depthwise_channel* c, const int16_t* x, const int16_t* w, int32_t lines,
                                  int8_t* out) {
  cnd_depthwise_fours(c, x, w, lines, 2, out);
}

#endif

/* What the padded rows of a window add: `lines` of them from w on. */
static int32_t cnd_depthwise_outside(const cnd_depthwise_params* p, const int8_t* w, int32_t lines) {
  int32_t sum = 0;
  for (int32_t i = lines * p->kernel_w; i > 0; --i) {
    sum += *w;
    w += p->out_c;
  }
  return p->input_zero_point * sum;
}

/* The weights of channel o. */
static void cnd_depthwise_weights(const cnd_depthwise_channel* c, const int8_t* weights, int32_t fours) {
  for (int32_t ky = 0; ky < c->p->kernel_h; ++ky) {
    int16_t* taps = c->weights + ky * c->weight_row;
    for (int32_t kx = 0; kx < c->p->kernel_w; ++kx) {
      taps[kx] = weights[(ky * c->p->kernel_w + kx) * c->p->out_c];
    }
    if (fours != 0) {
      taps[3] = taps[2];
      taps[2] = taps[1];
    }
  }
}

void cnd_depthwise(const cnd_depthwise_params* p, const int8_t* weights, const int32_t* bias, const int32_t* multiplier,
                   const int8_t* shift, int16_t* scratch, const int8_t* input, int8_t* output) {
  const int32_t multiple = p->out_c / p->in_c;
  const int32_t capacity = p->in_h < p->kernel_h + CND_DEPTHWISE_ROWS ? p->in_h : p->kernel_h + CND_DEPTHWISE_ROWS;
#ifdef CND_DSP
  const int32_t fours = (p->kernel_w == 3 && p->stride_w <= 2) ? 1 : 0;
#else
  const int32_t fours = 0;
#endif
  cnd_depthwise_channel c = {p, scratch, scratch, 0, 0, 0, 0, 0, 0, 0, 0, {0, 0, 0, 0, 0, 0, 0}};
  c.row = (p->out_w + 3) / 4 * 4 * p->stride_w - p->stride_w + cnd_depthwise_even(p->kernel_w);
  c.row = cnd_depthwise_even(c.row);
  c.weight_row = cnd_depthwise_even(p->kernel_w);
  c.capacity = capacity;
  c.weights = scratch + capacity * c.row;
  c.range = cnd_scale_range_of(p->output_zero_point, p->act_min, p->act_max, p->short_scale);
  for (int32_t i = 0; i < capacity * c.row; ++i) {
    scratch[i] = (int16_t)p->input_zero_point;
  }
  for (int32_t i = 0; i < p->kernel_h * c.weight_row; ++i) {
    c.weights[i] = 0;
  }
  for (int32_t o = 0; o < p->out_c; ++o) {
    const int8_t* channel = input + o / multiple;
    cnd_depthwise_weights(&c, weights + o, fours);
    c.multiplier = multiplier[o];
    c.shift = shift[o];
    c.first = 0;
    c.held = 0;
    for (int32_t oy = 0; oy < p->out_h; ++oy) {
      const int32_t top = oy * p->stride_h - p->pad_top;
      const int32_t begin = top < 0 ? 0 : (top < p->in_h ? top : p->in_h);
      const int32_t bottom = top + p->kernel_h < p->in_h ? top + p->kernel_h : p->in_h;
      const int32_t end = bottom < begin ? begin : bottom;
      cnd_depthwise_read(&c, channel, begin, end);
      const int16_t* x = c.rows + (begin - c.first) * c.row;
      const int32_t above = begin < end ? begin - top : 0;
      const int32_t lines = end - begin;
      const int16_t* w = c.weights + above * c.weight_row;
      int8_t* out = output + oy * p->out_w * p->out_c + o;
      c.bias = bias[o];
      if (lines < p->kernel_h) {
        const int8_t* below = weights + (above + lines) * p->kernel_w * p->out_c;
        c.bias += cnd_depthwise_outside(p, weights + o, above) +
                  cnd_depthwise_outside(p, below + o, p->kernel_h - above - lines);
      }
#ifdef CND_DSP
      if (fours != 0 && p->stride_w == 1) {
        cnd_depthwise_fours_1(&c, x, w, lines, out);
        continue;
      }
      if (fours != 0) {
        cnd_depthwise_fours_2(&c, x, w, lines, out);
        continue;
      }
#endif
      cnd_depthwise_line(&c, x, w, lines, out);
    }
  }
}
