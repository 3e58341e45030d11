/* A range of channels, int8. Input and output share scale and zero point. Tensors are [pixels, c]. */
#ifndef CND_SLICE_H
#define CND_SLICE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int32_t pixels;
  int32_t in_c;         /* channels of the input */
  int32_t begin, count; /* channels begin .. begin + count - 1 are copied */
} cnd_slice_params;

/* The output must not overlap the input. */
void cnd_slice(const cnd_slice_params* p, const int8_t* input, int8_t* output);

#ifdef __cplusplus
}
#endif

#endif
