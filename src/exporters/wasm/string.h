/* As much of the C library as the sources need; the compiler makes instructions of these calls. */
#ifndef CND_WASM_STRING_H
#define CND_WASM_STRING_H

#include <stddef.h>

void* memcpy(void* to, const void* from, size_t bytes);
void* memset(void* to, int byte, size_t bytes);

#endif
