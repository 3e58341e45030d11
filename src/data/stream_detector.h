/* From a stream of answers to keywords: the probabilities of the last answers are averaged, and a keyword whose mean
 * reaches a threshold is heard, once, as a pause follows in which nothing is. C99 and C++; allocates nothing. */
#ifndef STREAM_DETECTOR_H
#define STREAM_DETECTOR_H

#include <stdint.h>

typedef struct {
  int32_t classes;        /* of an answer */
  int32_t answers;        /* that are averaged, 1 or more: some tenths of a second */
  int32_t pause;          /* answers behind a keyword in which none is heard: about a second */
  float threshold;        /* of the mean, 0..1 */
  const uint8_t* keyword; /* [classes]: 0 for silence and other words, which are never heard */
  float* history;         /* [answers * classes] */
} stream_detector;

typedef struct {
  int32_t next;  /* answer of the history that is replaced */
  int32_t pause; /* answers that are left of it */
} stream_detector_state;

/* Before the first answer, and where a stream begins anew. */
static inline void stream_detector_restart(const stream_detector* d, stream_detector_state* s) {
  for (int32_t i = 0; i < d->answers * d->classes; ++i) {
    d->history[i] = 0.0f;
  }
  s->next = 0;
  s->pause = 0;
}

/* Takes one more answer, the probabilities of all classes. Returns the keyword that is heard, or -1. */
static inline int32_t stream_detector_hear(const stream_detector* d, stream_detector_state* s,
                                           const float* probabilities) {
  float highest = 0.0f;
  int32_t likeliest = -1;
  for (int32_t c = 0; c < d->classes; ++c) {
    float sum = 0.0f;
    d->history[s->next * d->classes + c] = probabilities[c];
    for (int32_t a = 0; a < d->answers; ++a) {
      sum += d->history[a * d->classes + c];
    }
    if (d->keyword[c] != 0u && sum > highest) {
      highest = sum;
      likeliest = c;
    }
  }
  s->next = s->next + 1 < d->answers ? s->next + 1 : 0;
  if (s->pause > 0) {
    --s->pause;
    return -1;
  }
  if (likeliest < 0 || highest < d->threshold * (float)d->answers) {
    return -1;
  }
  s->pause = d->pause;
  return likeliest;
}

#endif
