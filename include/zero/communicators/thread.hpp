// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/backends/host_stream.hpp>
#include <zero/communicator.hpp>
#include <zero/communicators/collective_stream.hpp>
#include <zero/communicators/detail/collective_label.hpp>
#include <zero/communicators/detail/collective_slice.hpp>
#include <zero/communicators/detail/split.hpp>
#include <zero/communicators/detail/thread_group.hpp>
#include <zero/communicators/detail/thread_transfer.hpp>
#include <zero/communicators/detail/thread_world.hpp>
#include <zero/communicators/detail/transfer_list.hpp>
#include <zero/engine/rank_agreement.hpp>
#include <zero/error.hpp>
#include <zero/point_to_point.hpp>
#include <zero/support/message.hpp>

#include <array>
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

/// One rank of a world whose ranks are threads of one process. Reads its peers' buffers directly; each rank sums its
/// own slice in rank order, in place. Made by `run_ranks`; used by its own thread only.
class ThreadCommunicator : public SingleMessages<ThreadCommunicator, HostStream> {
 public:
  /// Most ranks of one group.
  static constexpr int max_ranks = 256;  // all addends of an element are read in one pass

  /// What the ranks of a world share, where the caller makes them, and their threads, without `run_ranks`. The ranks
  /// keep it. Its functions may be called on any thread.
  class Group {
   public:
    /// All of \p ranks ranks. Every wait for one that does not come ends after \p deadline.
    [[nodiscard]] static std::shared_ptr<Group> of_all(int ranks, std::chrono::nanoseconds deadline) {
      return std::shared_ptr<Group>(new Group(detail::ThreadGroup::of_all(ranks, deadline)));
    }

    /// Number of ranks.
    [[nodiscard]] int size() const noexcept { return shared_->size(); }
    /// Says that \p rank has failed: waits for any rank end, now and later, in CommunicationError, whose message has
    /// \p reason, which goes on after "rank 3 ". The first failure counts.
    void fail(int rank, std::string reason) {
      shared_->world().fail(CommunicationFailure::peer_failed, rank, std::move(reason));
    }
    /// Says that \p rank has ended: who waits for it does not wait for the deadline.
    void retire(int rank) { shared_->world().retire(rank); }

   private:
    friend class ThreadCommunicator;

    explicit Group(std::shared_ptr<detail::ThreadGroup> shared) : shared_(std::move(shared)) {}

    std::shared_ptr<detail::ThreadGroup> shared_;
  };

  /// Number \p rank of \p group, from 0, which its ranks share.
  ThreadCommunicator(std::shared_ptr<Group> const& group, int rank) : ThreadCommunicator(group->shared_, rank) {}

  /// This rank's number, from 0.
  [[nodiscard]] int rank() const noexcept { return rank_; }
  /// Number of ranks.
  [[nodiscard]] int size() const noexcept { return group_->size(); }
  /// Number of ranks that share this machine's cores.
  [[nodiscard]] int local_size() const noexcept { return group_->world().size(); }

  /// Ranks with the same \p color form a group of their own, in the order of \p key, and of their numbers here where
  /// keys are equal; those with a negative color are in none. Collective, blocks. The group may outlive this
  /// communicator. A failure in any group ends the waits in all groups of the world: the error names the first rank
  /// that failed, as the world counts.
  [[nodiscard]] std::optional<ThreadCommunicator> split(int color, int key) {
    auto const members = detail::exchange_members(*this, color, key);
    bool const leads = !members.empty() && members.front() == rank_;
    // The parent keeps it: where another rank fails, this one may be gone before all have taken it.
    using Made = std::shared_ptr<detail::ThreadGroup>;
    auto const shown = std::make_shared<Made>();
    detail::run_on_all_ranks<detail::SplitFailure>(*this, [&] {
      if (leads) *shown = group_->make_group(members);
      if (leads) group_->keep(rank_, shown);
    });
    auto const all = detail::exchange_words(*this, reinterpret_cast<std::uintptr_t>(shown.get()));
    Made made;
    if (!members.empty()) made = *reinterpret_cast<Made*>(all[static_cast<std::size_t>(members.front())]);
    exchange({}, {});  // all have taken it
    shown->reset();
    if (!made) return std::nullopt;
    return ThreadCommunicator(std::move(made), detail::place_in(members, rank_));
  }

  /// Adds this rank's slice of all ranks' \p send to \p into; see communicator_on.
  template <class Sum, class Element, collective_stream Stream>
  void reduce_scatter_add(Element const* send, Sum* into, std::size_t count, SumRange range, CollectivePurpose purpose,
                          Stream stream) {
    detail::check_slice("zero::ThreadCommunicator",
                        {send, count * sizeof(Element), size(), rank_, into, count * sizeof(Sum)});
    together<Element>("reduce_scatter_add", purpose, count, send, stream, range, [&] {
      std::array<Element const*, max_ranks> sources;
      int const addends = range.count(size());
      for (int q = 0; q < addends; ++q) {
        sources[static_cast<std::size_t>(q)] = peer<Element>(q) + static_cast<std::size_t>(rank_) * count;
      }
      stream.accumulate(into, sources.data(), static_cast<std::size_t>(addends), count, range.first);
    });
  }

  /// Gathers all ranks' \p own into \p full; see communicator_on.
  template <class Element, collective_stream Stream>
  void all_gather(Element const* own, Element* full, std::size_t count, CollectivePurpose purpose, Stream stream) {
    detail::check_slice("zero::ThreadCommunicator",
                        {full, count * sizeof(Element), size(), rank_, own, count * sizeof(Element)});
    together<Element>("all_gather", purpose, count, own, stream, no_sum, [&] {
      for (int q = 0; q < size(); ++q) {
        Element* const to = full + static_cast<std::size_t>(q) * count;
        Element const* const from = peer<Element>(q);
        if (to != from) (stream.copy)(to, from, count * sizeof(Element));
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
    (stream.copy)(words, sums.data(), count * sizeof(std::uint64_t));
  }

  /// Gathers bytes of all ranks on the host, and blocks; see communicator_on.
  void exchange(std::span<std::byte const> mine, std::span<std::byte> all) {
    detail::check_exchange("zero::ThreadCommunicator", mine, all, rank(), size());
    group_->enter(rank_, {"exchange", {.what = "settings"}, mine.size(), 1, sequence_++, mine.data()});
    for (int q = 0; q < size() && !mine.empty(); ++q) {
      std::memcpy(all.data() + static_cast<std::size_t>(q) * mine.size(), peer<std::byte>(q), mine.size());
    }
    group_->leave(rank_);
  }

  /// Sends slice q of \p send to rank q, and receives slice q of \p receive from it; see all_to_all_on.
  template <class Element, collective_stream Stream>
  void all_to_all(Element const* send, Element* receive, std::size_t count, CollectivePurpose purpose, Stream stream) {
    auto const me = static_cast<std::size_t>(rank_), ranks = static_cast<std::size_t>(size());
    detail::check_all_to_all("zero::ThreadCommunicator", send, receive, ranks * count * sizeof(Element));
    together<Element>("all_to_all", purpose, count, send, stream, no_sum, [&] {
      for (std::size_t i = 0; i < ranks; ++i) {
        auto const q = (me + i) % ranks;  // not all from the same rank first
        (stream.copy)(receive + q * count, peer<Element>(static_cast<int>(q)) + me * count, count * sizeof(Element));
      }
    });
  }

  /// A list of messages to and from other ranks, which are one operation; see point_to_point_on. Blocks until
  /// the ranks of all messages have come, and puts the copies of what is received on \p stream.
  template <collective_stream Stream>
  void transfer(std::span<Transfer const> list, CollectivePurpose purpose, Stream stream) {
    detail::check_transfers("zero::ThreadCommunicator", list, rank_, size());
    if (list.empty()) return;
    detail::ThreadTransfer<Stream>(group_->messages(), rank_, stream, {transfers_++, purpose}).run(list);
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
  template <class Element, class Stream, class Body>
  void together(std::string_view operation, CollectivePurpose purpose, std::size_t count, void const* buffer,
                Stream stream, SumRange range, Body const& body) {
    auto& mine = state<Stream>();
    mine.stream = stream;
    stream.record(mine.arrived);
    group_->enter(rank_, {operation, purpose, count, sizeof(Element), sequence_++, buffer, &mine, range});
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
  template <class Function>
  void for_peers(Function const& f) const {
    for (int q = 0; q < size(); ++q) {
      if (q != rank_) f(static_cast<std::size_t>(q));
    }
  }
  template <class Element>
  [[nodiscard]] Element const* peer(int rank) const noexcept {
    return static_cast<Element const*>(group_->posting(rank).buffer);
  }

  ThreadCommunicator(std::shared_ptr<detail::ThreadGroup> group, int rank) : group_(std::move(group)), rank_(rank) {}

  std::shared_ptr<detail::ThreadGroup> group_;
  std::shared_ptr<void> state_;
  void const* state_kind_ = nullptr;
  int rank_;
  std::uint64_t sequence_ = 0;
  std::uint64_t transfers_ = 0;
};
static_assert(communicator_on<ThreadCommunicator, HostStream>);
static_assert(point_to_point_on<ThreadCommunicator, HostStream>);
static_assert(all_to_all_on<ThreadCommunicator, HostStream>);

/// How `run_ranks` runs.
struct RunOptions {
  std::chrono::nanoseconds deadline = std::chrono::minutes(10);  ///< of every wait for another rank
};

/// Runs `f(communicator)` on \p ranks threads of this process, one rank each, and waits for all of them. Where one
/// throws, the others' collectives throw CommunicationError at once, and the first error is thrown here.
/// \throws ConfigurationError for less than one rank or a deadline that is not positive.
template <class Function>
void run_ranks(int ranks, Function&& f, RunOptions options = {}) {
  detail::enforce(ranks >= 1 && ranks <= ThreadCommunicator::max_ranks, "zero::run_ranks: 1 to 256 ranks are possible");
  detail::enforce(options.deadline.count() > 0, "zero::run_ranks: the deadline must be positive");
  auto const group = ThreadCommunicator::Group::of_all(ranks, options.deadline);
  std::mutex mutex;
  std::exception_ptr first;
  auto const run = [&](int rank) {
    auto const fail = [&](std::string reason) {
      {
        std::lock_guard lock(mutex);
        if (!first) first = std::current_exception();
      }
      group->fail(rank, std::move(reason));
    };
    try {
      ThreadCommunicator communicator(group, rank);
      f(communicator);
      group->retire(rank);
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
