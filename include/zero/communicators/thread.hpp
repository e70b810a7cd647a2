// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/backends/host.hpp>
#include <zero/communicator.hpp>
#include <zero/communicators/collective_stream.hpp>
#include <zero/communicators/detail/collective_label.hpp>
#include <zero/error.hpp>
#include <zero/support/fixed_array.hpp>
#include <zero/support/message.hpp>
#include <zero/support/reusable_vector.hpp>

#include <array>
#include <atomic>
#include <condition_variable>  // durations, too: <chrono> itself would bring calendars and <sstream>, at 0.1 s
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace zero {
namespace detail {

/// Where the ranks of one process meet: a barrier that knows who is missing, and that a failure opens for good.
class ThreadGroup {
 public:
  ThreadGroup(int size, std::chrono::nanoseconds deadline)
      : members_(static_cast<std::size_t>(size)), deadline_(deadline) {}

  [[nodiscard]] int size() const noexcept { return static_cast<int>(members_.size()); }
  [[nodiscard]] Posting const& posting(int rank) const noexcept { return member(rank).posting; }

  /// Waits until every rank has posted its part, and makes sure that all called the same collective: every rank
  /// compares the parts of all, so that every rank throws. Nobody posts in a group that has failed, so that what was
  /// posted last stays for those who still compare.
  void enter(int rank, Posting const& posting) {
    if (failed_.load()) throw_failed(rank, posting);
    member(rank).posting = posting;
    meet(rank);
    for (int r = 1; r < size(); ++r) {
      if (!this->posting(r).matches(this->posting(0))) throw_mismatch(r);
    }
  }

  /// Waits until every rank has done with its peers' buffers.
  void leave(int rank) { meet(rank); }

  /// The same for a rank that has failed inside: its peers leave as if it had not, because what they have read is
  /// whole. The group has failed: nobody enters it again.
  void leave_failed(int rank) noexcept {
    std::uint64_t const meeting = member(rank).meetings.fetch_add(1) + 1;
    std::unique_lock lock(mutex_);
    woken_.notify_all();
    sleepers_.fetch_add(1);
    (void)woken_.wait_for(lock, deadline_, [&] { return !missing(meeting); });
    sleepers_.fetch_sub(1);
    try {
      fail_locked(CommunicationFailure::peer_failed, rank, concat({"failed inside ", posting(rank).describe()}));
    } catch (std::bad_alloc const&) {
      fail_locked(CommunicationFailure::peer_failed, rank, {});
    }
  }

  /// Ends every wait, now and later. The first failure counts.
  void fail(CommunicationFailure kind, int rank, std::string reason) {
    std::lock_guard lock(mutex_);
    fail_locked(kind, rank, std::move(reason));
  }

  /// Keeps what the peers of \p rank may still look at when it has gone.
  void keep(int rank, std::shared_ptr<void> const& shown) { member(rank).shown.push_back(shown); }

  /// Says that \p rank will not come to any further collective.
  void retire(int rank) {
    std::lock_guard lock(mutex_);
    member(rank).retired.store(true);
    woken_.notify_all();
  }

 private:
  // Padded, so that a rank that spins on one counter does not slow the others' down.
  struct alignas(64) Member {
    std::atomic<std::uint64_t> meetings{0};
    std::atomic<bool> retired{false};
    Posting posting;
    detail::ReusableVector<std::shared_ptr<void>> shown;
  };
  struct Failure {
    CommunicationFailure kind = CommunicationFailure::peer_failed;
    int rank = 0;
    std::string reason;
  };
  static constexpr int spins = 4096;

  [[nodiscard]] Member& member(int rank) noexcept { return members_[static_cast<std::size_t>(rank)]; }
  [[nodiscard]] Member const& member(int rank) const noexcept { return members_[static_cast<std::size_t>(rank)]; }

  // Both counters are sequentially consistent: either the sleeper sees the last arrival, or that one sees a sleeper.
  void meet(int rank) {
    std::uint64_t const meeting = member(rank).meetings.fetch_add(1) + 1;
    if (sleepers_.load() > 0) {
      std::lock_guard lock(mutex_);
      woken_.notify_all();
    }
    // A short spin first: the collectives of a step follow each other closely, and a wake-up costs more than most.
    for (int i = 0; i < spins; ++i) {
      if (!missing(meeting)) return;
      if (i % 32 == 31) std::this_thread::yield();
    }
    sleep(rank, meeting);
  }

  /// The first rank that has not come to \p meeting.
  [[nodiscard]] std::optional<int> missing(std::uint64_t meeting) const noexcept {
    for (int r = 0; r < size(); ++r) {
      if (member(r).meetings.load() < meeting) return r;
    }
    return std::nullopt;
  }

  void sleep(int rank, std::uint64_t meeting) {
    std::unique_lock lock(mutex_);
    sleepers_.fetch_add(1);
    bool const over = woken_.wait_for(lock, deadline_, [&] { return settled(meeting); });
    sleepers_.fetch_sub(1);
    auto const absent = missing(meeting);
    if (!absent) return;
    if (!over) {
      auto const ms = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_).count();
      fail_locked(CommunicationFailure::deadline, *absent,
                  concat({"did not arrive within the deadline of ", ms,
                          " ms: find what holds it up, or set a longer RunOptions::deadline"}));
    }
    Posting const& mine = posting(rank);
    throw CommunicationError(failure_.kind, mine.where(failure_.rank),
                             detail::concat({"zero: rank ", rank, " waited in ", mine.describe(), ": rank ",
                                             failure_.rank, " ", failure_.reason}));
  }
  [[noreturn, gnu::cold]] void throw_failed(int rank, Posting const& wanted) {
    std::lock_guard lock(mutex_);
    throw CommunicationError(
        failure_.kind, wanted.where(failure_.rank),
        detail::concat({"zero: rank ", rank, " may not enter ", wanted.describe(), ", because rank ", failure_.rank,
                        " ", failure_.reason, ": end the ranks, and start again from a checkpoint"}));
  }

  [[nodiscard]] bool settled(std::uint64_t meeting) {
    for (int r = 0; r < size(); ++r) {
      if (member(r).meetings.load() < meeting && member(r).retired.load()) {
        fail_locked(CommunicationFailure::peer_failed, r, "has left: call the engine equally often on every rank");
      }
    }
    return failed_.load() || !missing(meeting);
  }

  void fail_locked(CommunicationFailure kind, int rank, std::string reason) {
    if (!failed_.load()) failure_ = {kind, rank, std::move(reason)};
    failed_.store(true);
    woken_.notify_all();
  }

  [[noreturn, gnu::cold]] void throw_mismatch(int rank) {
    auto const parts = concat({"rank 0 ", posting(0).describe(), ", rank ", rank, " ", posting(rank).describe()});
    fail(CommunicationFailure::mismatch, rank, concat({"called another collective than rank 0 (", parts, ")"}));
    throw CommunicationError(CommunicationFailure::mismatch, posting(rank).where(rank),
                             concat({"zero: ranks called different collectives: ", parts,
                                     ": call the engine in the same order on every rank"}));
  }

  detail::FixedArray<Member> members_;
  std::chrono::nanoseconds deadline_;
  std::mutex mutex_;
  std::condition_variable woken_;
  std::atomic<int> sleepers_{0};
  Failure failure_;
  std::atomic<bool> failed_{false};
};

}  // namespace detail

/// One rank of a world whose ranks are threads of one process. Reads its peers' buffers directly; each rank sums its
/// own slice in rank order, in place. Made by `run_ranks`; used by its own thread only.
class ThreadCommunicator {
 public:
  /// Most ranks of one group.
  static constexpr int max_ranks = 256;  // all addends of an element are read in one pass

  /// \p group is shared by all ranks and must outlive them.
  ThreadCommunicator(detail::ThreadGroup& group, int rank) : group_(&group), rank_(rank) {}

  /// This rank's number, from 0.
  [[nodiscard]] int rank() const noexcept { return rank_; }
  /// Number of ranks.
  [[nodiscard]] int size() const noexcept { return group_->size(); }
  /// Number of ranks that share this machine's cores.
  [[nodiscard]] int local_size() const noexcept { return group_->size(); }

  /// Adds this rank's slice of all ranks' \p send to \p into; see communicator_on.
  template <class Sum, class T, collective_stream Stream>
  void reduce_scatter_add(T const* send, Sum* into, std::size_t count, SumRange range, CollectivePurpose purpose,
                          Stream stream) {
    together<T>("reduce_scatter_add", purpose, count, send, stream, range, [&] {
      std::array<T const*, max_ranks> sources;
      int const addends = range.count(size());
      for (int q = 0; q < addends; ++q) {
        sources[static_cast<std::size_t>(q)] = peer<T>(q) + static_cast<std::size_t>(rank_) * count;
      }
      stream.accumulate(into, sources.data(), static_cast<std::size_t>(addends), count, range.first);
    });
  }

  /// Gathers all ranks' \p own into \p full; see communicator_on.
  template <class T, collective_stream Stream>
  void all_gather(T const* own, T* full, std::size_t count, CollectivePurpose purpose, Stream stream) {
    together<T>("all_gather", purpose, count, own, stream, no_sum, [&] {
      for (int q = 0; q < size(); ++q) {
        T* const to = full + static_cast<std::size_t>(q) * count;
        T const* const from = peer<T>(q);
        if (to != from) stream.copy(to, from, count * sizeof(T));
      }
    });
  }

  /// Sums unsigned integers over the ranks, in place; see communicator_on.
  template <collective_stream Stream>
  void all_reduce(std::uint64_t* words, std::size_t count, CollectivePurpose purpose, Stream stream) {
    auto& sums = state<Stream>().words;
    if (sums.size() < count) sums = stream.make_u64_buffer(count);
    together<std::uint64_t>("all_reduce", purpose, count, words, stream, no_sum, [&] {
      std::array<std::uint64_t const*, max_ranks> sources;
      for (int q = 0; q < size(); ++q) sources[static_cast<std::size_t>(q)] = peer<std::uint64_t>(q);
      stream.sum_u64(sums.data(), sources.data(), static_cast<std::size_t>(size()), count);
    });
    stream.copy(words, sums.data(), count * sizeof(std::uint64_t));
  }

  /// Gathers bytes of all ranks on the host, and blocks; see communicator_on.
  void exchange(std::span<std::byte const> mine, std::span<std::byte> all) {
    group_->enter(rank_, {"exchange", {.what = "settings"}, mine.size(), 1, sequence_++, mine.data()});
    for (int q = 0; q < size(); ++q) {
      std::memcpy(all.data() + static_cast<std::size_t>(q) * mine.size(), peer<std::byte>(q), mine.size());
    }
    group_->leave(rank_);
  }

 private:
  static constexpr SumRange no_sum{.first = false};

  // What the ranks show each other of their streams. Recorded again only after every peer has put its wait for the last
  // record on its stream: there is a meeting in between.
  template <class Stream>
  struct StreamState {
    static constexpr char kind = 0;  // its address tells the types of streams apart
    Stream stream;
    typename Stream::Event arrived{};  // this rank's buffer may be read
    typename Stream::Event left{};     // this rank has read its peers' buffers
    typename Stream::U64Buffer words{};
  };

  template <class Stream>
  [[nodiscard]] StreamState<Stream>& state() {
    if (state_kind_ != &StreamState<Stream>::kind) {
      state_ = std::make_shared<StreamState<Stream>>();
      group_->keep(rank_, state_);
      state_kind_ = &StreamState<Stream>::kind;
    }
    return *static_cast<StreamState<Stream>*>(state_.get());
  }
  template <class Stream>
  [[nodiscard]] StreamState<Stream> const& state_of(int rank) const noexcept {
    return *static_cast<StreamState<Stream> const*>(group_->posting(rank).state);
  }

  // Runs this rank's share of a collective between two meetings. Events are recorded before the ranks meet, and waited
  // for after it: waiting for one that was never recorded would be no wait at all.
  template <class T, class Stream, class Body>
  void together(std::string_view operation, CollectivePurpose purpose, std::size_t count, void const* buffer,
                Stream stream, SumRange range, Body const& body) {
    auto& mine = state<Stream>();
    mine.stream = stream;
    stream.record(mine.arrived);
    group_->enter(rank_, {operation, purpose, count, sizeof(T), sequence_++, buffer, &mine, range});
    // A peer that has left may post its next part at once, so that what it posted of this one is read before.
    std::array<StreamState<Stream> const*, max_ranks> peers;
    for (int q = 0; q < size(); ++q) peers[static_cast<std::size_t>(q)] = &state_of<Stream>(q);
    bool left = false;
    try {
      for_peers([&](std::size_t q) {
        stream.enable_peer_access(peers[q]->stream);
        stream.wait(peers[q]->arrived);
      });
      body();
      stream.record(mine.left);
      left = true;
      group_->leave(rank_);
      for_peers([&](std::size_t q) { stream.wait(peers[q]->left); });
    } catch (...) {
      // This rank's buffers may go now: not before its peers have read them, nor theirs before it has.
      stream.synchronize_noexcept();
      if (!left) leave_failed(mine);
      for_peers([&](std::size_t q) { synchronize_noexcept(*peers[q]); });
      throw;
    }
  }
  template <class Stream>
  void leave_failed(StreamState<Stream>& mine) noexcept {
    try {
      mine.stream.record(mine.left);
    } catch (...) {  // the stream has settled anyhow
    }
    group_->leave_failed(rank_);
  }
  // By the event, which the group keeps: the peer's stream may be gone already.
  template <class Stream>
  static void synchronize_noexcept(StreamState<Stream> const& peer) noexcept {
    try {
      peer.left.synchronize();
    } catch (...) {  // a device that is lost reads nothing
    }
  }
  template <class F>
  void for_peers(F const& f) const {
    for (int q = 0; q < size(); ++q) {
      if (q != rank_) f(static_cast<std::size_t>(q));
    }
  }
  template <class T>
  [[nodiscard]] T const* peer(int rank) const noexcept {
    return static_cast<T const*>(group_->posting(rank).buffer);
  }

  detail::ThreadGroup* group_;
  std::shared_ptr<void> state_;
  void const* state_kind_ = nullptr;
  int rank_;
  std::uint64_t sequence_ = 0;
};
static_assert(communicator_on<ThreadCommunicator, HostStream>);

/// How `run_ranks` runs.
struct RunOptions {
  std::chrono::nanoseconds deadline = std::chrono::minutes(10);  ///< of every wait for another rank
};

/// Runs `f(communicator)` on \p ranks threads of this process, one rank each, and waits for all of them. Where one
/// throws, the others' collectives throw CommunicationError at once, and the first error is thrown here.
/// \throws ConfigurationError for less than one rank or a deadline that is not positive.
template <class F>
void run_ranks(int ranks, F&& f, RunOptions options = {}) {
  detail::require(ranks >= 1 && ranks <= ThreadCommunicator::max_ranks, "zero::run_ranks: 1 to 256 ranks are possible");
  detail::require(options.deadline.count() > 0, "zero::run_ranks: the deadline must be positive");
  detail::ThreadGroup group(ranks, options.deadline);
  std::mutex mutex;
  std::exception_ptr first;
  auto const run = [&](int rank) {
    auto const fail = [&](std::string reason) {
      {
        std::lock_guard lock(mutex);
        if (!first) first = std::current_exception();
      }
      group.fail(CommunicationFailure::peer_failed, rank, std::move(reason));
    };
    try {
      ThreadCommunicator communicator(group, rank);
      f(communicator);
      group.retire(rank);
    } catch (std::exception const& error) {
      fail(std::string("failed: ") + error.what());
    } catch (...) {
      fail("failed with something that is no std::exception");
    }
  };
  std::vector<std::thread> threads;
  for (int rank = 1; rank < ranks; ++rank) threads.emplace_back(run, rank);
  run(0);
  for (auto& thread : threads) thread.join();
  if (first) std::rethrow_exception(first);
}

}  // namespace zero
