// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/communicators/detail/collective_label.hpp>
#include <zero/communicators/detail/thread_messages.hpp>
#include <zero/communicators/detail/thread_world.hpp>
#include <zero/error.hpp>
#include <zero/support/adaptive_spin.hpp>
#include <zero/support/fixed_array.hpp>
#include <zero/support/message.hpp>
#include <zero/support/reusable_vector.hpp>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace zero::detail {

/// Where ranks of one process meet: a barrier that knows who is missing, and that a failure of any rank of the world,
/// in whatever group, opens for good. Ranks count within the group; errors name those of the world. The ranks of a
/// group share it.
class ThreadGroup {
 public:
  /// \p ranks: of \p world, in the order of the group.
  ThreadGroup(std::shared_ptr<ThreadWorld> world, std::vector<int> ranks)
      : world_(std::move(world)), ranks_(std::move(ranks)), members_(ranks_.size()), messages_(*world_, ranks_) {
    world_->add(woken_);
  }
  /// All \p ranks of a world of their own, every wait of which for a rank that does not come ends after
  /// \p deadline.
  [[nodiscard]] static std::shared_ptr<ThreadGroup> of_all(int ranks, std::chrono::nanoseconds deadline) {
    std::vector<int> all(static_cast<std::size_t>(ranks));
    for (int rank = 0; rank < ranks; ++rank) all[static_cast<std::size_t>(rank)] = rank;
    return std::make_shared<ThreadGroup>(std::make_shared<ThreadWorld>(ranks, deadline), std::move(all));
  }
  ThreadGroup(ThreadGroup const&) = delete;
  ThreadGroup& operator=(ThreadGroup const&) = delete;
  ~ThreadGroup() { world_->remove(woken_); }

  [[nodiscard]] int size() const noexcept { return static_cast<int>(members_.size()); }
  [[nodiscard]] ThreadWorld& world() const noexcept { return *world_; }
  [[nodiscard]] Posting const& posting(int rank) const noexcept { return member(rank).posting; }
  /// What ranks send each other beside collectives.
  [[nodiscard]] ThreadMessages& messages() noexcept { return messages_; }

  /// A group of \p members of this one, which may outlive it.
  [[nodiscard]] std::shared_ptr<ThreadGroup> make_group(std::vector<int> members) const {
    for (auto& rank : members) rank = world_rank(rank);
    return std::make_shared<ThreadGroup>(world_, std::move(members));
  }

  /// Waits until every rank has posted its part, and makes sure that all called the same collective: every rank
  /// compares the parts of all, so that every rank throws. Nobody posts in a world that has failed, so that what was
  /// posted last stays for those who still compare.
  void enter(int rank, Posting const& posting) {
    if (world_->failed()) throw_failed(rank, posting);
    member(rank).posting = posting;
    meet(rank);
    if (given_up_.load()) throw_if_given_up(rank, posting);
    for (int r = 1; r < size(); ++r) {
      if (!this->posting(r).matches(this->posting(0))) throw_mismatch(r);
    }
  }

  /// Waits until every rank has done with its peers' buffers. All of them are inside, and come, so that nothing else
  /// ends this wait: a failure in another group must not take a buffer away that a slower rank still reads.
  void leave(int rank) {
    std::uint64_t const meeting = arrive(rank);
    if (spin(rank, meeting)) return;
    std::unique_lock lock(world_->mutex());
    sleepers_.fetch_add(1);
    woken_.wait(lock, [&] { return !missing(meeting); });
    sleepers_.fetch_sub(1);
  }

  /// The same for a rank that has failed inside: its peers leave as if it had not, because what they have read is
  /// whole. The world has failed: nobody enters any group of it again.
  void leave_failed(int rank) noexcept {
    std::uint64_t const meeting = member(rank).meetings.fetch_add(1) + 1;
    std::unique_lock lock(world_->mutex());
    woken_.notify_all();
    sleepers_.fetch_add(1);
    (void)woken_.wait_for(lock, world_->deadline(), [&] { return !missing(meeting); });
    sleepers_.fetch_sub(1);
    auto const fail = [&](std::string reason) {
      world_->fail_locked(CommunicationFailure::peer_failed, world_rank(rank), std::move(reason));
    };
    try {
      fail(concat({"failed inside ", posting(rank).describe()}));
    } catch (std::bad_alloc const&) {
      fail({});
    }
  }

  /// Keeps what the peers of \p rank may still look at when it has gone.
  void keep(int rank, std::shared_ptr<void> const& shown) { member(rank).shown.push_back(shown); }

 private:
  // Padded, so that a rank that spins on one counter does not slow the others' down.
  struct alignas(64) Member {
    std::atomic<std::uint64_t> meetings{0};
    Posting posting;
    AdaptiveSpin<> spin;  // of this rank's thread
    ReusableVector<std::shared_ptr<void>> shown;
  };

  [[nodiscard]] Member& member(int rank) noexcept { return members_[static_cast<std::size_t>(rank)]; }
  [[nodiscard]] Member const& member(int rank) const noexcept { return members_[static_cast<std::size_t>(rank)]; }
  [[nodiscard]] int world_rank(int rank) const noexcept { return ranks_[static_cast<std::size_t>(rank)]; }

  // Both counters are sequentially consistent: either the sleeper sees the last arrival, or that one sees a sleeper.
  [[nodiscard]] std::uint64_t arrive(int rank) {
    std::uint64_t const meeting = member(rank).meetings.fetch_add(1) + 1;
    if (sleepers_.load() > 0) {
      std::lock_guard const lock(world_->mutex());
      woken_.notify_all();
    }
    return meeting;
  }
  [[nodiscard]] bool spin(int rank, std::uint64_t meeting) noexcept {
    return member(rank).spin.wait([&] { return !missing(meeting); });
  }
  void meet(int rank) {
    std::uint64_t const meeting = arrive(rank);
    if (!spin(rank, meeting)) sleep(rank, meeting);
  }

  /// The first rank that has not come to \p meeting.
  [[nodiscard]] std::optional<int> missing(std::uint64_t meeting) const noexcept {
    for (int r = 0; r < size(); ++r) {
      if (member(r).meetings.load() < meeting) return r;
    }
    return std::nullopt;
  }

  void sleep(int rank, std::uint64_t meeting) {
    std::unique_lock lock(world_->mutex());
    sleepers_.fetch_add(1);
    bool const over = woken_.wait_for(lock, world_->deadline(), [&] { return settled(meeting); });
    sleepers_.fetch_sub(1);
    if (!missing(meeting)) return;
    // Whoever comes now goes no further: it finds this after its arrival, or is seen here.
    bool const gave_up_before = given_up_.exchange(true);
    auto const absent = missing(meeting);
    if (!absent && !gave_up_before) {
      given_up_.store(false);
      return;
    }
    if (!over && absent) {
      auto const ms = std::chrono::duration_cast<std::chrono::milliseconds>(world_->deadline()).count();
      world_->fail_locked(CommunicationFailure::deadline, world_rank(*absent),
                          concat({"did not arrive within the deadline of ", ms,
                                  " ms: find what holds it up, or set a longer RunOptions::deadline"}));
    }
    Posting const& mine = posting(rank);
    auto const& failure = world_->failure();
    throw CommunicationError(failure.kind, mine.where(failure.rank),
                             concat({"zero: rank ", world_rank(rank), " waited in ", mine.describe(), ": rank ",
                                     failure.rank, " ", failure.reason}));
  }
  // A rank that waited has gone, because the world has failed, and its buffer with it.
  [[gnu::cold]] void throw_if_given_up(int rank, Posting const& wanted) {
    {
      std::lock_guard const lock(world_->mutex());
      if (!given_up_.load()) return;
    }
    throw_failed(rank, wanted);
  }
  [[noreturn, gnu::cold]] void throw_failed(int rank, Posting const& wanted) {
    std::lock_guard const lock(world_->mutex());
    auto const& failure = world_->failure();
    throw CommunicationError(
        failure.kind, wanted.where(failure.rank),
        concat({"zero: rank ", world_rank(rank), " may not enter ", wanted.describe(), ", because rank ", failure.rank,
                " ", failure.reason, ": end the ranks, and start again from a checkpoint"}));
  }

  [[nodiscard]] bool settled(std::uint64_t meeting) {
    for (int r = 0; r < size(); ++r) {
      if (member(r).meetings.load() < meeting && world_->has_left(world_rank(r))) {
        world_->fail_locked(CommunicationFailure::peer_failed, world_rank(r),
                            "has left: call the engine equally often on every rank");
      }
    }
    return world_->failed() || !missing(meeting);
  }

  [[noreturn, gnu::cold]] void throw_mismatch(int rank) {
    auto const parts = concat({"rank ", world_rank(0), " ", posting(0).describe(&posting(rank)), ", rank ",
                               world_rank(rank), " ", posting(rank).describe(&posting(0))});
    world_->fail(CommunicationFailure::mismatch, world_rank(rank),
                 concat({"called another collective than rank ", world_rank(0), " (", parts, ")"}));
    throw CommunicationError(CommunicationFailure::mismatch, posting(rank).where(world_rank(rank)),
                             concat({"zero: ranks called different collectives: ", parts,
                                     ": call the engine in the same order on every rank"}));
  }

  std::shared_ptr<ThreadWorld> world_;
  std::vector<int> ranks_;  // of the world
  FixedArray<Member> members_;
  ThreadMessages messages_;
  std::condition_variable woken_;
  std::atomic<int> sleepers_{0};
  std::atomic<bool> given_up_{false};  // by a rank that waited for others to enter; for good
};

}  // namespace zero::detail
