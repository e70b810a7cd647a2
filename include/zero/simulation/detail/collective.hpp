// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/communicators/detail/collective_label.hpp>
#include <zero/simulation/detail/operation.hpp>
#include <zero/simulation/detail/stream.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace zero::detail::simulation {

/// One rank's part in a collective.
struct CollectivePart {
  Posting posting{};
  void const* send = nullptr;
  void* into = nullptr;
  Stream* stream = nullptr;                       ///< null: an exchange of the hosts
  std::vector<std::byte> message{};               ///< what a host sends in an exchange
  std::shared_ptr<VectorClock const> snapshot{};  ///< what had happened before the host came
};

/// What all ranks do together: it runs when every rank's part is the next operation of its stream, and everything
/// before any part has then happened before the end of every part.
class Collective {
 public:
  /// On communicator number \p communicator of \p ranks, as the world counts, of which \p expected come: fewer where
  /// one stands for all.
  Collective(std::size_t communicator, std::vector<int> ranks, std::size_t expected)
      : communicator_(communicator), ranks_(std::move(ranks)), parts_(ranks_.size()), expected_(expected) {}

  /// Enters the part of a rank of the communicator. \throws CommunicationError where it is not what another rank calls.
  void post(int rank, CollectivePart part, std::function<void(Collective const&)> run) {
    for (std::size_t r = 0; r < parts_.size(); ++r) {
      if (parts_[r] && !parts_[r]->posting.matches(part.posting)) {
        mismatch(r, static_cast<std::size_t>(rank), part.posting);
      }
    }
    parts_[static_cast<std::size_t>(rank)] = std::move(part);
    ++posted_;
    if (!run_) run_ = std::move(run);
  }
  /// The part of one rank has nothing left before it.
  void arrive() noexcept { ++arrived_; }
  /// One rank has taken what it came for; true for the last one.
  [[nodiscard]] bool leave() noexcept { return ++left_ == expected_; }

  [[nodiscard]] std::size_t communicator() const noexcept { return communicator_; }
  /// The ranks of its communicator, as the world counts.
  [[nodiscard]] std::vector<int> const& ranks() const noexcept { return ranks_; }
  [[nodiscard]] bool all_posted() const noexcept { return posted_ == expected_; }
  [[nodiscard]] bool may_run() const noexcept { return arrived_ == expected_; }
  /// Moves the data of all ranks.
  void run() const { run_(*this); }

  [[nodiscard]] std::span<std::optional<CollectivePart> const> parts() const noexcept { return parts_; }
  [[nodiscard]] CollectivePart const& part(std::size_t rank) const { return *parts_[rank]; }
  /// The part of a rank of the world, which has come.
  [[nodiscard]] CollectivePart const& part_of(int world_rank) const {
    auto const at = std::find(ranks_.begin(), ranks_.end(), world_rank) - ranks_.begin();
    return *parts_[static_cast<std::size_t>(at)];
  }

 private:
  [[noreturn]] void mismatch(std::size_t first, std::size_t second, Posting const& posting) const {
    auto const& other = parts_[first]->posting;
    throw CommunicationError(CommunicationFailure::mismatch, posting.where(ranks_[second]),
                             concat({"zero: ranks called different collectives: rank ", ranks_[first], " ",
                                     other.describe(&posting), ", rank ", ranks_[second], " ", posting.describe(&other),
                                     ": call the engine in the same order on every rank"}));
  }

  std::size_t communicator_;
  std::vector<int> ranks_;
  std::vector<std::optional<CollectivePart>> parts_;
  std::function<void(Collective const&)> run_;
  std::size_t expected_;
  std::size_t posted_ = 0;
  std::size_t arrived_ = 0;
  std::size_t left_ = 0;
};

}  // namespace zero::detail::simulation
