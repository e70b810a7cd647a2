// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/kernels/float_types.hpp>
#include <zero/kernels/real.hpp>
#include <zero/support/out_of_line.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace zero::detail {

/// Elements that drivers take at a time: the widest vector. What is left over goes through a padded copy of this size,
/// so that no driver has a second loop, and a tail has the bits that it would have anywhere else.
inline constexpr std::size_t vector_block = 16;

/// A padded copy of the last elements of an array: zeros beyond them.
template <class Element>
struct Tail {
  Element elements[vector_block] = {};

  Tail() = default;
  ZERO_OUT_OF_LINE Tail(Element const* from, std::size_t count) {
    std::memcpy(elements, from, count * sizeof(Element));
  }
  ZERO_OUT_OF_LINE void copy_to(Element* to, std::size_t count) const {
    std::memcpy(to, elements, count * sizeof(Element));
  }
};

// Real1: memory is copied, because a caller's buffer may be of another type of the same size.
template <class Element>
inline void load(Real1& r, Element const* p) {
  Element x;
  std::memcpy(&x, p, sizeof(Element));
  r.bits[0] = widen_bits(x);
}
template <class Element>
inline void store(Element* p, Real1 const& a) {
  Element const x = narrow_bits(Element{}, a.bits[0]);
  std::memcpy(p, &x, sizeof(Element));
}
template <class Element>
inline void store_streaming(Element* p, Real1 const& a) {
  store(p, a);
}

/// \p a rounded to Element and widened again.
template <class Element>
inline Real1 round_to(Element, Real1 const& a) {
  return real1(widen_bits(narrow_bits(Element{}, a.bits[0])));
}

/// Asks for the cache line that a loop will need about 1 KB from now: +8 % on a streaming update. Beyond the end of an
/// array it asks for a line that nobody needs, and faults nowhere.
template <class Element>
inline void prefetch_ahead(Element const* p) {
  __builtin_prefetch(reinterpret_cast<void const*>(reinterpret_cast<std::uintptr_t>(p) + 1024));
}

/// Orders streaming stores before all that this thread stores later, as ordinary ones are.
inline void finish_streaming() {
#if defined(__x86_64__)
  asm volatile("sfence" : : : "memory");
#endif
}

}  // namespace zero::detail

#include <zero/kernels/detail/load_store_x86.hpp>
