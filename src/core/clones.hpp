#pragma once
// One clone of a loop per instruction set, chosen when the program is loaded. Wider vectors than AVX2's gain little on
// planes of a few hundred pixels and cost compile time. clang 14 knows no clones by architecture.

#if defined(__x86_64__) && defined(__linux__) && !defined(__clang__)
// A platform attribute cannot be a constant or a template.
#define CONDENSER_CLONES __attribute__((target_clones("arch=x86-64-v3", "default"), flatten))
#else
#define CONDENSER_CLONES __attribute__((flatten))
#endif
