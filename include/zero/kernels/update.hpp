// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/kernels/detail/load_store.hpp>
#include <zero/kernels/float_types.hpp>
#include <zero/kernels/real.hpp>
#include <zero/support/out_of_line.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace zero {

/// What one fused update reads and writes: \p count elements of a shard. Arrays need the alignment of their elements
/// only and do not overlap; nothing is owned.
template <class Rule, class Compute, class Sum>
struct UpdateArguments {
  float* master;                                 ///< the parameters in fp32; read and written
  Compute* value;                                ///< their copy in the compute type; written, unless null
  Sum const* gradient;                           ///< the reduced gradient; read
  std::array<float*, Rule::state_count> states;  ///< the rule's states; read and written
  std::size_t count;                             ///< elements
  typename Rule::Constants constants;            ///< of the parameter's group
  float multiplier;  ///< what the gradient is multiplied by first: unscaling, averaging and clipping in one
};

namespace detail {

// A vector of elements: g = gradient · multiplier, the rule, and everything stored.
template <class Real, class Rule, class Compute, class Sum, std::size_t... k>
ZERO_DRIVER_BODY void update_vector(UpdateArguments<Rule, Compute, Sum> const& a, std::size_t i, bool streaming,
                                    std::index_sequence<k...>) {
  Real p, g;
  States<Real, Rule::state_count> s;
  prefetch_ahead(a.master + i);
  prefetch_ahead(a.gradient + i);
  (prefetch_ahead(a.states[k] + i), ...);
  load(p, a.master + i);
  load(g, a.gradient + i);
  (load(s[k], a.states[k] + i), ...);
  Rule::update(p, g * Real(a.multiplier), s, a.constants);
  store(a.master + i, p);
  (store(a.states[k] + i, s[k]), ...);
  if (streaming) {
    store_streaming(a.value + i, p);
  } else if (a.value != nullptr) {
    store(a.value + i, p);
  }
}

// The copy is not read again before it has left the cache: a streaming store saves reading its lines first.
template <class Real, class Rule, class Compute, class Sum>
ZERO_DRIVER_BODY void update_blocks(UpdateArguments<Rule, Compute, Sum> const& arguments) {
  auto const a = arguments;  // a local one: no store can change it, so it is not read again
  bool const streaming = Real::width > 1 && a.value != nullptr &&
                         reinterpret_cast<std::uintptr_t>(a.value) % (Real::width * sizeof(Compute)) == 0;
  for (std::size_t i = 0; i < a.count; i += Real::width) {
    update_vector<Real>(a, i, streaming, std::make_index_sequence<Rule::state_count>{});
  }
}

template <class Rule, class Compute, class Sum>
ZERO_DRIVER void update_baseline(UpdateArguments<Rule, Compute, Sum> const& a) {
  update_blocks<Real1>(a);
}
#if defined(__x86_64__)
template <class Rule, class Compute, class Sum>
ZERO_TARGET_AVX2 ZERO_DRIVER void update_avx2(UpdateArguments<Rule, Compute, Sum> const& a) {
  update_blocks<detail::Real8>(a);
}
template <class Rule, class Compute, class Sum>
ZERO_TARGET_AVX512 ZERO_DRIVER void update_avx512(UpdateArguments<Rule, Compute, Sum> const& a) {
  update_blocks<detail::Real16>(a);
}
#endif

template <class Rule, class Compute, class Sum>
ZERO_OUT_OF_LINE void update_whole_blocks(InstructionSet set, UpdateArguments<Rule, Compute, Sum> const& a) {
  switch (set) {
#if defined(__x86_64__)
    case InstructionSet::avx512:
      return update_avx512(a);
    case InstructionSet::avx2:
      return update_avx2(a);
#endif
    default:
      return update_baseline(a);
  }
}

// The last count % vector_block elements, through padded copies.
template <class Rule, class Compute, class Sum, std::size_t... k>
void update_tail(InstructionSet set, UpdateArguments<Rule, Compute, Sum> const& a, std::size_t from,
                 std::index_sequence<k...>) {
  std::size_t const n = a.count - from;
  Tail<float> master(a.master + from, n);
  Tail<Sum> const gradient(a.gradient + from, n);
  std::array<Tail<float>, Rule::state_count> states = {Tail<float>(a.states[k] + from, n)...};
  Tail<Compute> value;
  update_whole_blocks<Rule, Compute, Sum>(set, {master.elements,
                                                value.elements,
                                                gradient.elements,
                                                {states[k].elements...},
                                                vector_block,
                                                a.constants,
                                                a.multiplier});
  master.copy_to(a.master + from, n);
  (states[k].copy_to(a.states[k] + from, n), ...);
  if (a.value != nullptr) value.copy_to(a.value + from, n);
}

}  // namespace detail

/// Unscales, clips, updates and casts \p count elements in one pass over memory: for each,
/// `g = widen(gradient) · multiplier`, then `Rule::update`, then `value = narrow<Compute>(master)`. The same bits in
/// every instruction set and build. When it returns its stores are visible to whoever synchronizes with this thread,
/// streaming ones included.
template <class Rule, class Compute, class Sum>
void fused_update(InstructionSet set, UpdateArguments<Rule, Compute, Sum> const& arguments) {
  FloatingPointGuard const guard;
  auto whole = arguments;
  whole.count -= arguments.count % detail::vector_block;
  detail::update_whole_blocks(set, whole);
  if (whole.count != arguments.count) {
    detail::update_tail(set, arguments, whole.count, std::make_index_sequence<Rule::state_count>{});
  }
  detail::finish_streaming();
}

}  // namespace zero
