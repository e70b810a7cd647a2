// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/bootstrap/detail/deadline.hpp>
#include <zero/bootstrap/detail/host_channel.hpp>
#include <zero/bootstrap/host_failure.hpp>
#include <zero/error.hpp>
#include <zero/mpi/detail/calls.hpp>
#include <zero/mpi/detail/card.hpp>
#include <zero/mpi/detail/mpi.hpp>
#include <zero/mpi/detail/pause.hpp>
#include <zero/mpi/detail/roll_call.hpp>
#include <zero/support/message.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zero::detail {

/// What ranks tell each other by MPI alone before they have connections of their own: all of them exchange cards, as
/// often as one of them. Every wait is polled, since a rank may never come and MPI itself would wait for ever.
class MpiMeeting {
 public:
  /// Duplicates \p caller. \throws CommunicationError where not all ranks come within \p deadline.
  MpiMeeting(MPI_Comm caller, std::chrono::nanoseconds deadline)
      : time_(deadline), deadline_(deadline), errors_of_caller_(caller), roll_call_(caller) {
    check_mpi(MPI_Comm_rank(caller, &rank_), "MPI_Comm_rank");
    check_mpi(MPI_Comm_size(caller, &size_), "MPI_Comm_size");
    duplicate(caller);
  }

  [[nodiscard]] int rank() const noexcept { return rank_; }
  [[nodiscard]] int size() const noexcept { return size_; }
  [[nodiscard]] Deadline const& deadline() const noexcept { return deadline_; }
  /// Of all ranks, and nobody else's. Never freed.
  [[nodiscard]] MPI_Comm messages() const noexcept { return messages_; }

  /// This rank has waited for another one in vain: \p missed is what it throws where the others do not come, either.
  void miss(CommunicationError const& missed) { missed_.emplace(missed); }
  [[nodiscard]] std::optional<CommunicationError> const& missed() const noexcept { return missed_; }
  /// From now on waits end with a failure that \p channel tells of.
  void listen_to(HostChannel const& channel) noexcept { channel_ = &channel; }
  /// Tells \p others that \p missing is.
  void notify(std::span<int const> others, int missing) { roll_call_.notify(others, missing); }

  /// All ranks' cards.
  [[nodiscard]] std::vector<MpiCard> exchange(MpiCard const& mine) {
    auto const ranks = static_cast<std::size_t>(size_);
    auto made = std::make_unique<std::vector<MpiCard>>(ranks + 1, mine);  // the last one is sent
    MPI_Request request = MPI_REQUEST_NULL;
    constexpr int bytes = static_cast<int>(sizeof(MpiCard));
    check_mpi(MPI_Iallgather(&made->back(), bytes, MPI_BYTE, made->data(), bytes, MPI_BYTE, messages_, &request),
              "MPI_Iallgather");
    // A rank that has waited for others until the deadline is to tell what it knows: all by the cards, or, where some
    // never come, those that do not know whom they wait for.
    constexpr std::chrono::seconds grace(5);
    auto const patience = missed_ || channel_ == nullptr ? grace : grace + std::chrono::seconds(1);
    await_with(made, request, "MPI_Iallgather", Deadline(longer(deadline_.at() - Deadline::Clock::now(), patience)));
    made->pop_back();
    return std::move(*made);
  }

  /// Tells others that this rank is there. To be called again and again by whoever waits beside MPI.
  /// \throws CommunicationError where some ranks are known to be missing.
  void answer() {
    if (auto const missing = roll_call_.answer()) throw_missing(*missing, "the meeting");
  }

 private:
  void duplicate(MPI_Comm caller) {
    ErrorsReturned const of_world(MPI_COMM_WORLD);  // where MPI reports what ends the request
    MPI_Request request = MPI_REQUEST_NULL;
    auto made = std::make_unique<MPI_Comm>(MPI_COMM_NULL);
    check_mpi(MPI_Comm_idup(caller, made.get(), &request), "MPI_Comm_idup");
    await_with(made, request, "MPI_Comm_idup", deadline_);
    messages_ = *made;
    check_mpi(MPI_Comm_set_errhandler(messages_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  }
  /// A wait that is given up ends nothing: MPI may write \p memory to the end of the process.
  template <class Memory>
  void await_with(std::unique_ptr<Memory>& memory, MPI_Request& request, std::string_view call,
                  Deadline const& deadline) {
    try {
      await(request, call, deadline);
    } catch (...) {
      (void)memory.release();
      throw;
    }
  }
  void await(MPI_Request& request, std::string_view call, Deadline const& deadline) {
    int done = 0;
    for (Pause pause;; pause()) {
      check_mpi(MPI_Test(&request, &done, MPI_STATUS_IGNORE), call);
      if (done != 0) return;
      expect_no_failure();
      auto const missing = roll_call_.answer();
      if (!missing && !deadline.passed()) continue;
      if (missed_) throw CommunicationError(*missed_);
      throw_missing(missing ? *missing : roll_call_.missing(), call);
    }
  }
  void expect_no_failure() const {
    auto const failure = channel_ != nullptr ? channel_->failure() : std::nullopt;
    if (!failure) return;
    throw CommunicationError(failure->kind, {failure->rank, 0, "the meeting"},
                             concat({"zero::MpiCommunicator: rank ", rank_, " waited for the meeting: rank ",
                                     failure->rank, " ", failure->reason}));
  }
  [[noreturn]] void throw_missing(std::vector<int> const& missing, std::string_view call) const {
    throw CommunicationError(
        CommunicationFailure::deadline, {missing.empty() ? -1 : missing.front(), 0, "the meeting"},
        concat({"zero::MpiCommunicator: rank ", rank_, " of ", size_, " waited in ", call,
                " for ranks that did not come within the meeting deadline of ", milliseconds_of(time_), " ms",
                missing.empty() ? std::string() : " (no answer of: " + listed(missing) + ")",
                ": make a communicator on every rank of the MPI_Comm, and see which process hangs or has ended"}));
  }

  std::chrono::nanoseconds time_;
  Deadline deadline_;
  int rank_ = 0, size_ = 1;
  ErrorsReturned errors_of_caller_;  // as long as the roll call, which asks ranks that may have died
  MpiRollCall roll_call_;
  MPI_Comm messages_ = MPI_COMM_NULL;
  HostChannel const* channel_ = nullptr;
  std::optional<CommunicationError> missed_;  // what this rank has found out by itself
};

}  // namespace zero::detail
