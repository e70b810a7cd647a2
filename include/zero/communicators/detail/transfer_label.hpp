// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/communicator.hpp>
#include <zero/error.hpp>
#include <zero/point_to_point.hpp>
#include <zero/support/message.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace zero::detail {

/// Which operation of its rank a message belongs to: what its error will say. Borrows its purpose.
struct TransferLabel {
  std::uint64_t sequence = 0;  ///< of the rank's transfers on the communicator
  CollectivePurpose purpose{};

  /// \p peer: the other rank, as the world counts.
  [[nodiscard]] std::string describe(zero::Transfer::Direction direction, std::size_t bytes, int peer) const {
    auto const bucket = purpose.bucket == CommunicationError::no_bucket ? "" : concat({", bucket ", purpose.bucket});
    return concat({name(direction), " #", sequence, " of ", purpose.what, bucket,
                   direction == zero::Transfer::Direction::send ? " to" : " from", " rank ", peer, " (", bytes,
                   " bytes)"});
  }
  /// \p rank: whose fault it is, as the world counts.
  [[nodiscard]] CommunicationError::Where where(zero::Transfer::Direction direction, int rank) const {
    return {rank, sequence, concat({name(direction), " of ", purpose.what}), purpose.bucket};
  }

 private:
  [[nodiscard]] static std::string_view name(zero::Transfer::Direction direction) noexcept {
    return direction == zero::Transfer::Direction::send ? "send" : "receive";
  }
};

}  // namespace zero::detail
