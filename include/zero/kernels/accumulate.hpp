// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/kernels/detail/load_store.hpp>
#include <zero/kernels/float_types.hpp>
#include <zero/kernels/real.hpp>
#include <zero/support/out_of_line.hpp>

#include <cstddef>
#include <cstring>
#include <type_traits>

namespace zero {

namespace detail {

/// into[i] = narrow<Sum>(widen(into[i]) + widen(addends[i])). A sum waits for memory, and a processor looks the further
/// ahead the less it does for each cache line: so what two ranks or two micro-batches add has a loop of its own.
template <class Real, class Sum, class Element>
ZERO_DRIVER_BODY void add_blocks(Sum* into, Element const* addends, std::size_t n) {
  for (std::size_t i = 0; i < n; i += Real::width) {
    Real sum, addend;
    prefetch_ahead(into + i);
    prefetch_ahead(addends + i);
    load(sum, into + i);
    load(addend, addends + i);
    store(into + i, round_to(Sum{}, sum + addend));
  }
}

template <class Real, class Sum, class Element>
ZERO_DRIVER_BODY void accumulate_blocks(Sum* into, Element const* const* sources, std::size_t source_count,
                                        std::size_t n, bool first) {
  if (!first && source_count == 1) return add_blocks<Real>(into, sources[0], n);
  if constexpr (std::is_same_v<Sum, Element>) {
    bool const is_pair = first && source_count == 2;
    if (is_pair && sources[0] == into) return add_blocks<Real>(into, sources[1], n);
    if (is_pair && sources[1] == into) return add_blocks<Real>(into, sources[0], n);
  }
  for (std::size_t i = 0; i < n; i += Real::width) {
    Real sum, addend;
    prefetch_ahead(into + i);
    prefetch_ahead(sources[0] + i);
    load(addend, sources[0] + i);
    if (!first) {
      load(sum, into + i);
      addend = sum + addend;
    }
    sum = round_to(Sum{}, addend);
    for (std::size_t q = 1; q < source_count; ++q) {
      prefetch_ahead(sources[q] + i);
      load(addend, sources[q] + i);
      sum = round_to(Sum{}, sum + addend);
    }
    store(into + i, sum);
  }
}

template <class Sum, class Element>
ZERO_DRIVER void accumulate_baseline(Sum* into, Element const* const* sources, std::size_t count, std::size_t n,
                                     bool first) {
  accumulate_blocks<Real1>(into, sources, count, n, first);
}
#if defined(__x86_64__)
template <class Sum, class Element>
ZERO_TARGET_AVX2 ZERO_DRIVER void accumulate_avx2(Sum* into, Element const* const* sources, std::size_t count,
                                                  std::size_t n, bool first) {
  accumulate_blocks<detail::Real8>(into, sources, count, n, first);
}
template <class Sum, class Element>
ZERO_TARGET_AVX512 ZERO_DRIVER void accumulate_avx512(Sum* into, Element const* const* sources, std::size_t count,
                                                      std::size_t n, bool first) {
  accumulate_blocks<detail::Real16>(into, sources, count, n, first);
}
#endif

template <class Sum, class Element>
ZERO_OUT_OF_LINE void accumulate_whole_blocks(InstructionSet set, Sum* into, Element const* const* sources,
                                              std::size_t count, std::size_t n, bool first) {
  switch (set) {
#if defined(__x86_64__)
    case InstructionSet::avx512:
      return accumulate_avx512(into, sources, count, n, first);
    case InstructionSet::avx2:
      return accumulate_avx2(into, sources, count, n, first);
#endif
    default:
      return accumulate_baseline(into, sources, count, n, first);
  }
}

// The last elements through padded copies, a source at a time: the order of additions is the same.
template <class Sum, class Element>
void accumulate_tail(InstructionSet set, Sum* into, Element const* const* sources, std::size_t count, std::size_t from,
                     std::size_t n, bool first) {
  Tail<Sum> sum(into + from, n);
  for (std::size_t q = 0; q < count; ++q) {
    Tail<Element> const addend(sources[q] + from, n);
    Element const* const source = addend.elements;
    accumulate_whole_blocks(set, sum.elements, &source, 1, vector_block, first && q == 0);
  }
  sum.copy_to(into + from, n);
}

}  // namespace detail

/// Adds \p source_count arrays of \p n elements to a sum, in their order, one pass over memory. The sum is rounded to
/// Sum (float or bfloat16) after every addend, so that it does not matter in how many calls the addends come:
///
///   first:      into[i] = narrow<Sum>(widen(sources[0][i]))
///   otherwise:  into[i] = narrow<Sum>(widen(into[i]) + widen(sources[0][i])), and so for each further source
///
/// Without a source a first sum is +0, and a later one stays as it is.
/// \p into may be one of the sources (the same address and size of element). The same bits in every instruction set.
template <class Sum, class Element>
void accumulate(InstructionSet set, Sum* into, Element const* const* sources, std::size_t source_count, std::size_t n,
                bool first) {
  if (source_count == 0) {
    if (first && n > 0) std::memset(into, 0, n * sizeof(Sum));
    return;
  }
  if constexpr (std::is_same_v<Sum, Element>) {
    if (first && source_count == 1 && into == sources[0]) return;  // a sum of one addend, in its own place
  }
  FloatingPointGuard const guard;
  std::size_t const tail = n % detail::vector_block;
  detail::accumulate_whole_blocks(set, into, sources, source_count, n - tail, first);
  if (tail != 0) detail::accumulate_tail(set, into, sources, source_count, n - tail, tail, first);
}

}  // namespace zero
