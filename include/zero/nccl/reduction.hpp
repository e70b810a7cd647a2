// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/communicator.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace zero {

/// How NcclCommunicator adds the ranks' gradients.
enum class NcclReduction : std::uint8_t {
  ordered,  ///< every rank receives its slice of all ranks and adds them in rank order in fp32: the same bits as on
            ///< every other communicator, whatever the world
  native,  ///< ncclReduceScatter with ncclSum: NCCL's own order, which depends on the world and rounds to the type that
           ///< travels at every hop
};

/// Which of them for elements of which size, and the device memory that it takes: what is received lies there before it
/// is added.
struct NcclReductions {
  std::optional<NcclReduction> asked{};  ///< absent: native for fp32 elements in SumOrder::fastest, else ordered

  /// Slices that CudaStream::accumulate reads before it writes.
  static constexpr std::size_t most_at_once = 256;

  /// The reduction of elements of this size.
  [[nodiscard]] constexpr NcclReduction of(std::size_t element_bytes, SumOrder order) const noexcept {
    bool const is_ordered = element_bytes < 4 || order == SumOrder::by_rank;
    return asked.value_or(is_ordered ? NcclReduction::ordered : NcclReduction::native);
  }
  /// Bytes from one received slice of \p count elements to the next.
  [[nodiscard]] static constexpr std::size_t pitch(std::size_t count, std::size_t element_bytes) noexcept {
    return (count * element_bytes + 255) / 256 * 256;
  }
  /// Bytes that a reduction of slices of \p count elements receives before it adds.
  [[nodiscard]] constexpr std::size_t staging_bytes(std::size_t world, std::size_t count, std::size_t element_bytes,
                                                    SumOrder order) const noexcept {
    // Above `most_at_once` ranks, the sum could overwrite this rank's slice before it has been added.
    std::size_t const slices = of(element_bytes, order) == NcclReduction::native ? 1
                               : world > most_at_once                            ? world
                                                                                 : world - 1;
    return slices * pitch(count, element_bytes);
  }
};

}  // namespace zero
