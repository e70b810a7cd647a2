// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/kernels/float_types.hpp>

#include <nccl.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace zero::detail {

/// NCCL's name for \p Element.
template <class Element>
[[nodiscard]] consteval ncclDataType_t nccl_type() {
  if constexpr (std::is_same_v<Element, float>) {
    return ncclFloat32;
  } else if constexpr (std::is_same_v<Element, float16>) {
    return ncclFloat16;
  } else if constexpr (std::is_same_v<Element, bfloat16>) {
    return ncclBfloat16;
  } else if constexpr (std::is_same_v<Element, std::uint64_t>) {
    return ncclUint64;
  } else {
    static_assert(std::is_same_v<Element, std::byte>, "zero::NcclCommunicator sends float, float16 and bfloat16");
    return ncclUint8;
  }
}

}  // namespace zero::detail
