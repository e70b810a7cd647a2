// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/support/out_of_line.hpp>

#if defined(__x86_64__)
#include <cpuid.h>
#elif !defined(__aarch64__)
#error "zero: the kernels are written for x86-64 and AArch64 (and for CUDA devices beside them)"
#endif

/// Marks a function that a CUDA translation unit compiles for the host and for the device; nothing elsewhere.
#ifdef __CUDACC__
#define ZERO_HOST_DEVICE __host__ __device__
#else
#define ZERO_HOST_DEVICE
#endif

// What a function is compiled for, whatever the flags of its translation unit say. A driver is flattened, so that all
// that it calls is inlined into it and compiled for its instruction set; it is not inlined itself, so that nothing of
// it moves across the FloatingPointGuard around it.
#define ZERO_TARGET_AVX2 __attribute__((target("avx2,fma,f16c")))
#define ZERO_TARGET_AVX512 __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma,f16c")))
#define ZERO_DRIVER __attribute__((flatten, noinline))

// The body of a driver, a template compiled for nothing in particular, and what a rule calls. GCC flattens all levels
// of calls, and is only hindered by more attributes; Clang flattens one, so each level says so. Clang's function
// sanitizer refers to each function in front of it, so that none is dropped where all calls are inlined; but what is
// compiled for nothing in particular cannot stand alone.
#ifdef __clang__
#define ZERO_INLINE __attribute__((always_inline, no_sanitize("function"))) inline
#define ZERO_DRIVER_BODY __attribute__((flatten, always_inline, no_sanitize("function"))) inline
#else
#define ZERO_INLINE inline
#define ZERO_DRIVER_BODY inline
#endif

namespace zero {

/// What the host drivers of the kernels are compiled for. All give the same bits; only their speed differs.
enum class InstructionSet {
  baseline,  ///< any CPU of the architecture
  avx2,      ///< AVX2, FMA and F16C: x86-64 from 2013 on
  avx512,    ///< AVX-512 F, DQ, BW and VL as well: x86-64 servers from 2017 on
};

namespace detail {

inline InstructionSet detect_instruction_set() noexcept {
#if defined(__x86_64__)
  // __builtin_cpu_supports asks the operating system too; clang 14 does not know "f16c" there, so CPUID is asked.
  unsigned a = 0, b = 0, c = 0, d = 0;
  bool const f16c = __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
  if (!f16c || !__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return InstructionSet::baseline;
  bool const avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  return avx512 ? InstructionSet::avx512 : InstructionSet::avx2;
#else
  return InstructionSet::baseline;
#endif
}

}  // namespace detail

/// The best instruction set that this machine and its operating system have; found once.
[[nodiscard]] ZERO_OUT_OF_LINE inline InstructionSet best_instruction_set() noexcept {
  static InstructionSet const best = detail::detect_instruction_set();
  return best;
}

}  // namespace zero
