// FOR_EACH_CPU compiles a function for several kinds of processor; the loader picks one.

#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define FOR_EACH_CPU __attribute__((target_clones("avx2", "default")))   // integers only: all give the same bytes
#else
#define FOR_EACH_CPU
#endif
