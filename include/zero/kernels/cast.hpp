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

template <class Real, class To, class From>
ZERO_DRIVER_BODY void cast_blocks(To* out, From const* in, std::size_t n) {
  for (std::size_t i = 0; i < n; i += Real::width) {
    Real x;
    load(x, in + i);
    store(out + i, x);
  }
}

template <class To, class From>
ZERO_DRIVER void cast_baseline(To* out, From const* in, std::size_t n) {
  cast_blocks<Real1>(out, in, n);
}
#if defined(__x86_64__)
template <class To, class From>
ZERO_TARGET_AVX2 ZERO_DRIVER void cast_avx2(To* out, From const* in, std::size_t n) {
  cast_blocks<detail::Real8>(out, in, n);
}
template <class To, class From>
ZERO_TARGET_AVX512 ZERO_DRIVER void cast_avx512(To* out, From const* in, std::size_t n) {
  cast_blocks<detail::Real16>(out, in, n);
}
#endif

template <class To, class From>
ZERO_OUT_OF_LINE void cast_whole_blocks(InstructionSet set, To* out, From const* in, std::size_t n) {
  switch (set) {
#if defined(__x86_64__)
    case InstructionSet::avx512:
      return cast_avx512(out, in, n);
    case InstructionSet::avx2:
      return cast_avx2(out, in, n);
#endif
    default:
      return cast_baseline(out, in, n);
  }
}

}  // namespace detail

/// `out[i] = narrow<To>(widen(in[i]))` for \p n elements; float, bfloat16 and float16 each way. The same bits in every
/// instruction set. The arrays do not overlap.
template <class To, class From>
void cast(InstructionSet set, To* out, From const* in, std::size_t n) {
  if (n == 0) return;
  if constexpr (std::is_same_v<To, From>) {
    std::memcpy(out, in, n * sizeof(To));
  } else {
    FloatingPointGuard const guard;
    std::size_t const tail = n % detail::vector_block, whole = n - tail;
    detail::cast_whole_blocks(set, out, in, whole);
    if (tail == 0) return;
    detail::Tail<From> const last(in + whole, tail);
    detail::Tail<To> result;
    detail::cast_whole_blocks(set, result.elements, last.elements, detail::vector_block);
    result.copy_to(out + whole, tail);
  }
}

}  // namespace zero
