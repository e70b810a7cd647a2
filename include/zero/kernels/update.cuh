// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/kernels/decide.hpp>
#include <zero/kernels/detail/segments.cuh>
#include <zero/kernels/detail/vec4.cuh>
#include <zero/kernels/launch.cuh>
#include <zero/kernels/update.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace zero::inline ZERO_KERNELS_NAMESPACE::kernels {

/// Arguments of the fused update on a device: those of `fused_update`, for the segments of a range. Arrays are aligned
/// to 16 bytes, and may be read and written up to the end of the last norm block.
template <class Rule, class Compute, class Sum>
struct Update {
  float* master;                                                  ///< fp32 parameters
  Compute* value;                                                 ///< null: none
  Sum const* gradient;                                            ///< reduced gradients, not yet averaged or unscaled
  float* states[Rule::state_count == 0 ? 1 : Rule::state_count];  ///< of the rule
  DeviceSegments segments;                                        ///< the parameters in it
  Decision<Rule> const* decision;                                 ///< of this step
};

// Vec4 elements of a thread, through the rule that the host runs.
template <class Rule, class Compute, class Sum, std::size_t... k>
__device__ inline void update_vec4(Update<Rule, Compute, Sum> const& a, std::uint64_t at, unsigned count,
                                   typename Rule::Constants const& constants, float multiplier,
                                   std::index_sequence<k...>) {
  Vec4 p = load_vec4(a.master + at), g = load_vec4(a.gradient + at);
  Vec4 s[sizeof...(k) + 1] = {load_vec4(a.states[k] + at)...};
#pragma unroll
  for (unsigned i = 0; i < 4; ++i) {
    States<Real1, Rule::state_count> states;
    ((states[k] = s[k].x[i]), ...);
    Rule::update(p.x[i], g.x[i] * Real1(multiplier), states, constants);
    ((s[k].x[i] = states[k]), ...);
  }
  if (count == 4) {
    store_vec4(a.master + at, p);
    (store_vec4(a.states[k] + at, s[k]), ...);
    if (a.value != nullptr) store_vec4(a.value + at, p);
  } else {  // what follows is padding
    store_some(a.master + at, p, count);
    (store_some(a.states[k] + at, s[k], count), ...);
    if (a.value != nullptr) store_some(a.value + at, p, count);
  }
}

template <class Rule, class Compute, class Sum>
ZERO_KERNEL(block_threads)
update(Update<Rule, Compute, Sum> const a) {
  if (!a.decision->apply) return;
  float const multiplier = a.decision->multiplier;
  unsigned const warp = threadIdx.x / warp_size, lane = threadIdx.x % warp_size;
  std::uint64_t const first = std::uint64_t{blockIdx.x} * tile_norm_blocks + warp;
  if (first >= a.segments.norm_blocks) return;
  std::uint32_t p = a.segments.find(first * norm_block);
  Segment segment = a.segments.segments[p];
  typename Rule::Constants constants = a.decision->constants[segment.group];
  for (unsigned i = 0; i < tile_norm_blocks; i += block_warps) {
    if (first + i >= a.segments.norm_blocks) return;
    std::uint64_t const x = (first + i) * norm_block;
    while (x >= segment.offset + segment.count && p + 1 < a.segments.count && a.segments.segments[p + 1].offset <= x) {
      std::uint32_t const group = segment.group;
      segment = a.segments.segments[++p];
      if (segment.group != group) constants = a.decision->constants[segment.group];
    }
    unsigned const elements = elements_of(segment, x), mine = lane * 4;
    if (mine >= elements) continue;
    update_vec4(a, x + mine, elements - mine < 4 ? elements - mine : 4, constants, multiplier,
                std::make_index_sequence<Rule::state_count>{});
  }
}

}  // namespace zero::inline ZERO_KERNELS_NAMESPACE::kernels
