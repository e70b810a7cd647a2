// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/communicators/detail/collective_label.hpp>
#include <zero/simulation/detail/operation.hpp>
#include <zero/simulation/detail/stream.hpp>
#include <zero/support/message.hpp>

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
  /// \p expected parts; fewer than the world has ranks where one stands for all.
  Collective(std::size_t communicator, std::size_t ranks, std::size_t expected)
      : communicator_(communicator), parts_(ranks), expected_(expected) {}

  /// Enters a rank's part. \throws CommunicationError where it is not what another rank calls.
  void post(int rank, CollectivePart part, std::function<void(Collective const&)> run) {
    for (std::size_t r = 0; r < parts_.size(); ++r) {
      if (parts_[r] && !parts_[r]->posting.matches(part.posting)) mismatch(r, rank, part.posting);
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
  [[nodiscard]] bool all_posted() const noexcept { return posted_ == expected_; }
  [[nodiscard]] bool may_run() const noexcept { return arrived_ == expected_; }
  /// Moves the data of all ranks.
  void run() const { run_(*this); }

  [[nodiscard]] std::span<std::optional<CollectivePart> const> parts() const noexcept { return parts_; }
  [[nodiscard]] CollectivePart const& part(std::size_t rank) const { return *parts_[rank]; }

 private:
  [[noreturn]] void mismatch(std::size_t first, int second, Posting const& posting) const {
    auto const& other = parts_[first]->posting;
    throw CommunicationError(
        CommunicationFailure::mismatch, posting.where(second),
        concat({"zero: ranks called different collectives: rank ", first, " ", other.describe(), ", rank ", second, " ",
                posting.describe(), ": call the engine in the same order on every rank"}));
  }

  std::size_t communicator_;
  std::vector<std::optional<CollectivePart>> parts_;
  std::function<void(Collective const&)> run_;
  std::size_t expected_;
  std::size_t posted_ = 0;
  std::size_t arrived_ = 0;
  std::size_t left_ = 0;
};

}  // namespace zero::detail::simulation
