// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "decoding_kernels.hpp"

#include "../target_region.hpp"

#include <zero/kernels/float_types.hpp>
#include <zero/kernels/instruction_set.hpp>

#include <cstring>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// kernels_lanes.inc also cuts the products of training, of which there are none here.
namespace gpt2 {
namespace {
constexpr std::size_t panel_unit = 96;
}

namespace decoding_baseline {
#define GPT2_NAME "baseline"
#define GPT2_LANES 4
#define GPT2_MICRO_ROWS 6
#include "decoding_table.inc"
}  // namespace decoding_baseline

#if defined(__x86_64__)

GPT2_BEGIN_TARGET("avx2,fma,f16c")
namespace decoding_avx2 {
#define GPT2_NAME "AVX2"
#define GPT2_LANES 8
#define GPT2_MICRO_ROWS 6
#include "decoding_table.inc"
}  // namespace decoding_avx2
GPT2_END_TARGET

GPT2_BEGIN_TARGET("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")
namespace decoding_avx512 {
#define GPT2_NAME "AVX-512"
#define GPT2_LANES 16
#define GPT2_MICRO_ROWS 8
#include "decoding_table.inc"
}  // namespace decoding_avx512
GPT2_END_TARGET

GPT2_BEGIN_TARGET("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")
namespace decoding_avx512_vnni {
#define GPT2_NAME "AVX-512 VNNI"
#define GPT2_LANES 16
#define GPT2_MICRO_ROWS 8
#define GPT2_VNNI
#include "decoding_table.inc"
#undef GPT2_VNNI
}  // namespace decoding_avx512_vnni
GPT2_END_TARGET

#endif  // defined(__x86_64__)

std::span<DecodingKernels const* const> all_decoding_kernels() {
  static std::vector<DecodingKernels const*> const tables = [] {
    std::vector<DecodingKernels const*> found;
#if defined(__x86_64__)
    auto const best = zero::best_instruction_set();
    if (best == zero::InstructionSet::avx512) {
      if (__builtin_cpu_supports("avx512vnni")) found.push_back(&decoding_avx512_vnni::table);
      found.push_back(&decoding_avx512::table);
    }
    if (best != zero::InstructionSet::baseline) found.push_back(&decoding_avx2::table);
#endif
    found.push_back(&decoding_baseline::table);
    return found;
  }();
  return tables;
}

DecodingKernels const& decoding_kernels() { return *all_decoding_kernels().front(); }

}  // namespace gpt2
