// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "kernels.hpp"

#include "target_region.hpp"

#include <cstdint>
#include <cstring>
#include <memory>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace gpt2 {
namespace {

// A panel of b is at most 32 columns wide and takes 32 KB, a first-level cache; the packed block of b takes 512 KB,
// half of a second-level cache.
constexpr std::size_t column_block = 512;

struct PackingBuffers {
  alignas(64) float a[depth_block * 256];
  alignas(64) float b[depth_block * column_block];
};

thread_local std::unique_ptr<PackingBuffers> const own_buffers(new PackingBuffers);

PackingBuffers& packing_buffers() { return *own_buffers; }

}  // namespace

namespace baseline {
#define GPT2_NAME "baseline"
#define GPT2_LANES 4
#define GPT2_MICRO_ROWS 6
#include "kernels_table.inc"
}  // namespace baseline

#if defined(__x86_64__)

GPT2_BEGIN_TARGET("avx2,fma")
namespace avx2 {
#define GPT2_NAME "AVX2"
#define GPT2_LANES 8
#define GPT2_MICRO_ROWS 6
#include "kernels_table.inc"
}  // namespace avx2
GPT2_END_TARGET

GPT2_BEGIN_TARGET("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")
namespace avx512 {
#define GPT2_NAME "AVX-512"
#define GPT2_LANES 16
#define GPT2_MICRO_ROWS 8
#include "kernels_table.inc"
}  // namespace avx512
GPT2_END_TARGET

#endif  // defined(__x86_64__)

Kernels const& kernels(zero::InstructionSet set) {
#if defined(__x86_64__)
  if (set == zero::InstructionSet::avx512) return avx512::table;
  if (set == zero::InstructionSet::avx2) return avx2::table;
#endif
  static_cast<void>(set);
  return baseline::table;
}

Kernels const& kernels() {
  static Kernels const& best = kernels(zero::best_instruction_set());
  return best;
}

}  // namespace gpt2
