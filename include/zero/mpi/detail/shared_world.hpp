// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/bootstrap/host_failure.hpp>
#include <zero/error.hpp>
#include <zero/mpi/detail/futex.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace zero::detail {

/// The first failure of a world, as the ranks of one host tell each other: in memory that they share. Zeros are a board
/// on which nothing stands.
class FailureBoard {
 public:
  /// The first one counts. \return whether it was this one.
  bool record(HostFailure const& failure) noexcept {
    std::uint32_t nothing = empty;
    if (!state_.compare_exchange_strong(nothing, writing)) return false;
    kind_ = static_cast<std::uint32_t>(failure.kind);
    rank_ = static_cast<std::uint32_t>(failure.rank);
    auto* const end = std::copy_n(failure.reason.data(), (std::min)(failure.reason.size(), sizeof text_ - 1), text_);
    *end = '\0';
    state_.store(complete);
    return true;
  }
  [[nodiscard]] bool failed() const noexcept { return state_.load() != empty; }
  /// None also where it is being written, by a rank that may be dying.
  [[nodiscard]] std::optional<HostFailure> read() const {
    if (state_.load() != complete) return std::nullopt;
    return HostFailure{static_cast<CommunicationFailure>(kind_), static_cast<int>(rank_), std::string(text_)};
  }

 private:
  static constexpr std::uint32_t empty = 0, writing = 1, complete = 2;

  std::atomic<std::uint32_t> state_;
  std::uint32_t kind_;
  std::uint32_t rank_;
  char text_[500];
};

/// What the ranks of a host share of their world, whatever groups they are in.
struct SharedWorld {
  static constexpr std::size_t max_ranks = 1024;  ///< on one host

  FailureBoard board;
  std::atomic<std::uint32_t> has_left[max_ranks];  ///< by place on the host
};

}  // namespace zero::detail
