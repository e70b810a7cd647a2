// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/bootstrap/detail/deadline.hpp>
#include <zero/bootstrap/detail/frame.hpp>
#include <zero/bootstrap/detail/handshake.hpp>
#include <zero/bootstrap/detail/socket.hpp>
#include <zero/bootstrap/host_failure.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>
#include <zero/support/posix.hpp>

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace zero::detail {

/// The open connections after a rendezvous: rank 0 has one to everybody, the others one to rank 0. A thread of its own
/// listens to all of them, so that a rank that fails, or whose connection ends, is known at once, whatever the rank's
/// own thread waits for; rank 0 tells the others. A wait ends with the answer, the first failure, or the deadline.
class HostChannel {
 public:
  /// \p sockets: by rank; none for those without a connection.
  HostChannel(int rank, std::vector<Descriptor> sockets, std::chrono::nanoseconds deadline, std::size_t max_bytes)
      : rank_(rank), time_(deadline), max_bytes_(max_bytes), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!wake_)
      detail::fail<ConfigurationError>({"zero::Rendezvous: out of file descriptors: raise the limit (ulimit -n)"});
    for (auto& socket : sockets) peers_.push_back(std::make_unique<Peer>(std::move(socket), max_bytes));
    listener_ = std::thread([this] { listen(); });
  }
  HostChannel(HostChannel const&) = delete;
  HostChannel& operator=(HostChannel const&) = delete;
  ~HostChannel() {
    ending_.store(true);
    std::uint64_t const one = 1;
    (void)!::write(wake_.get(), &one, sizeof one);
    listener_.join();
    if (failed_.load()) return;
    for (auto& peer : peers_) {
      if (peer->socket) (void)send(*peer, encoded(FrameKind::left, 0, {}), Deadline(std::chrono::seconds(1)));
    }
  }

  [[nodiscard]] std::size_t world() const noexcept { return peers_.size(); }

  /// Every rank's \p mine, one after another, on every rank. Called by one thread. \throws CommunicationError
  void exchange(std::span<std::byte const> mine, std::span<std::byte> all) {
    if (all.size() > max_bytes_) {
      detail::fail<ConfigurationError>({"zero::Rendezvous: an exchange of ", all.size(), " bytes: the most is ",
                                        max_bytes_, ": raise Rendezvous::Config::max_message_bytes on all ranks"});
    }
    std::uint64_t const sequence = sequence_.fetch_add(1);
    if (rank_ == 0) return gather(sequence, mine, all);
    Deadline const deadline(time_);
    if (!send(*peers_[0], encoded(FrameKind::part, sequence, mine), deadline)) fail(unreachable(0));
    auto const whole = await_whole(sequence, deadline);
    if (whole.size() != all.size()) throw_failure(mismatched(0, sequence, whole.size(), all.size()), sequence);
    (std::copy)(whole.begin(), whole.end(), all.begin());
  }

  /// The first failure counts; every rank learns of it.
  void fail(HostFailure const& failure) {
    {
      std::lock_guard const lock(mutex_);
      if (failure_) return;
      failure_ = failure;
      failed_.store(true);
      changed_.notify_all();
    }
    std::lock_guard const round(round_);
    for (auto& peer : peers_) {
      if (peer->socket) notify(*peer, failure);
    }
  }
  /// Whether \p rank has said that it will not take part in anything any more, as far as it is known here.
  [[nodiscard]] bool has_left(int rank) const noexcept { return peers_[static_cast<std::size_t>(rank)]->left.load(); }
  /// Does not wait.
  [[nodiscard]] std::optional<HostFailure> failure() const {
    if (!failed_.load()) return std::nullopt;
    std::lock_guard const lock(mutex_);
    return failure_;
  }
  [[noreturn]] void throw_failure(HostFailure const& failure, std::uint64_t sequence) const {
    throw CommunicationError(failure.kind, {failure.rank, sequence, "exchange"},
                             concat({"zero::Rendezvous: rank ", rank_, " waited in exchange #", sequence, ": rank ",
                                     failure.rank, " ", failure.reason}));
  }

 private:
  struct Peer {
    Peer(Descriptor connection, std::size_t max_bytes) : socket(std::move(connection)), reader(max_bytes) {}
    Descriptor socket;
    FrameReader reader;
    std::mutex sending;
    bool broken = false;         // by `sending`: a frame was cut off
    std::optional<Frame> inbox;  // by the channel's mutex
    bool over = false;           // by the listener: nothing more comes
    std::atomic<bool> left{false};
  };

  static constexpr char const* left_too_early = "has left: call the engine equally often on every rank";

  // -------------------------------------------------------------------------------------------- the caller's thread

  void gather(std::uint64_t sequence, std::span<std::byte const> mine, std::span<std::byte> all) {
    Deadline const deadline(time_);
    (std::copy)(mine.begin(), mine.end(), all.begin());
    std::unique_lock lock(mutex_);
    std::optional<int> gone;
    bool const over = changed_.wait_until(lock, deadline.at(), [&] {
      gone = missing_for_good();
      return failure_ || gone || missing().empty();
    });
    if (!over || gone) {
      lock.unlock();
      fail(over ? HostFailure{CommunicationFailure::peer_failed, *gone, left_too_early} : deadline_failure(sequence));
      lock.lock();
    }
    if (failure_) throw_failure(*failure_, sequence);
    for (std::size_t r = 1; r < world(); ++r) {
      auto const frame = *std::exchange(peers_[r]->inbox, std::nullopt);
      if (frame.sequence != sequence || frame.bytes.size() != mine.size()) {
        lock.unlock();
        auto const failure = mismatched(static_cast<int>(r), sequence, frame.bytes.size(), mine.size());
        fail(failure);
        throw_failure(failure, sequence);
      }
      (std::copy)(frame.bytes.begin(), frame.bytes.end(), all.begin() + static_cast<std::ptrdiff_t>(r * mine.size()));
    }
    lock.unlock();
    auto const whole = encoded(FrameKind::whole, sequence, all);
    std::optional<int> unreached;
    {
      // Held so that a concurrent failure notice is sent after the complete result of this exchange.
      std::lock_guard const round(round_);
      for (std::size_t r = 1; r < world(); ++r) {
        if (!send(*peers_[r], whole, deadline)) unreached = static_cast<int>(r);
      }
    }
    if (!unreached) return;
    fail(unreachable(*unreached));
    throw_failure(*failure(), sequence);
  }

  [[nodiscard]] std::vector<std::byte> await_whole(std::uint64_t sequence, Deadline const& deadline) {
    auto const come = [&] { return failure_ || peers_[0]->inbox || peers_[0]->left.load(); };
    std::unique_lock lock(mutex_);
    if (!changed_.wait_until(lock, deadline.at(), come)) {
      lock.unlock();
      constexpr std::chrono::seconds grace(5);  // rank 0 knows who is missing, and tells all
      Deadline const longer(grace);
      (void)send(*peers_[0], encoded(FrameKind::late, sequence, {}), longer);
      lock.lock();
      if (!changed_.wait_until(lock, longer.at(), come)) {
        lock.unlock();
        fail({CommunicationFailure::deadline, 0, "did not answer within the deadline" + in_ms()});
        lock.lock();
      }
    }
    if (!peers_[0]->inbox && failure_) throw_failure(*failure_, sequence);
    if (!peers_[0]->inbox) {
      throw_failure({CommunicationFailure::peer_failed, 0, left_too_early}, sequence);
    }
    return std::exchange(peers_[0]->inbox, std::nullopt)->bytes;
  }

  // Called with the mutex.
  [[nodiscard]] std::vector<int> missing() const {
    std::vector<int> ranks;
    for (std::size_t r = 1; r < world(); ++r) {
      if (!peers_[r]->inbox) ranks.push_back(static_cast<int>(r));
    }
    return ranks;
  }
  [[nodiscard]] std::optional<int> missing_for_good() const {
    for (std::size_t r = 1; r < world(); ++r) {
      if (!peers_[r]->inbox && peers_[r]->left.load()) return static_cast<int>(r);
    }
    return std::nullopt;
  }
  [[nodiscard]] std::string in_ms() const { return concat({" of ", milliseconds_of(time_), " ms"}); }
  [[nodiscard]] HostFailure deadline_failure(std::uint64_t sequence) {
    std::lock_guard const lock(mutex_);
    auto ranks = missing();
    if (sequence_.load() <= sequence) ranks.insert(ranks.begin(), 0);
    if (ranks.empty()) ranks.push_back(0);
    return {CommunicationFailure::deadline, ranks.front(),
            concat({"did not come to exchange #", sequence, " within the deadline", in_ms(),
                    "; missing ranks: ", listed(ranks)})};
  }
  [[nodiscard]] static HostFailure unreachable(int rank) {
    return {CommunicationFailure::peer_failed, rank, "has died, or does not read what it is sent; see its own output"};
  }
  [[nodiscard]] static HostFailure mismatched(int rank, std::uint64_t sequence, std::size_t theirs, std::size_t ours) {
    return {CommunicationFailure::mismatch, rank,
            concat({"brought ", theirs, " bytes to exchange #", sequence, ", not ", ours,
                    ": call the engine in the same order on every rank"})};
  }

  // -------------------------------------------------------------------------------------------- both threads

  // A frame that was cut off would garble all that follows: the connection ends, which tells the peer enough.
  bool send(Peer& peer, std::vector<std::byte> const& frame, Deadline const& deadline) {
    std::lock_guard const lock(peer.sending);
    if (peer.broken) return false;
    auto const result = write_all(peer.socket.get(), frame, deadline, [this] { return failed_.load(); });
    if (result == Transfer::done) return true;
    peer.broken = true;
    (void)::shutdown(peer.socket.get(), SHUT_RDWR);
    return false;
  }
  void notify(Peer& peer, HostFailure const& failure) {
    (void)send(peer, encoded(FrameKind::failed, 0, encoded_failure(failure)), Deadline(std::chrono::seconds(1)));
  }

  // -------------------------------------------------------------------------------------------- the listener

  void listen() {
    while (!ending_.load()) {
      std::vector<pollfd> entries{{wake_.get(), POLLIN, 0}};
      std::vector<std::size_t> ranks{0};
      for (std::size_t r = 0; r < world(); ++r) {
        if (!peers_[r]->socket || peers_[r]->over) continue;
        entries.push_back({peers_[r]->socket.get(), POLLIN, 0});
        ranks.push_back(r);
      }
      if (restart_interrupted([&] { return ::poll(entries.data(), entries.size(), -1); }) < 0) continue;
      for (std::size_t i = 1; i < entries.size(); ++i) {
        if (entries[i].revents != 0) receive(static_cast<int>(ranks[i]), *peers_[ranks[i]]);
      }
    }
  }

  void receive(int rank, Peer& peer) {
    for (;;) {
      auto const result = read_some(peer.socket.get(), peer.reader);
      if (result == Transfer::late) return;
      if (result == Transfer::done) {
        if (take(peer, peer.reader.take())) continue;
      }
      peer.over = true;
      if (result == Transfer::closed && peer.left.load()) return;
      bool const closed = result == Transfer::closed;
      return fail({closed ? CommunicationFailure::peer_failed : CommunicationFailure::mismatch, rank,
                   closed ? "has died: its connection was closed; see its own output"
                          : "sent what is no message of this protocol: build all ranks with the same version of zero"});
    }
  }

  /// \return whether the frame made sense.
  bool take(Peer& peer, Frame frame) {
    if (frame.kind == FrameKind::left && frame.sequence >= world()) return false;
    switch (frame.kind) {
      case FrameKind::part:
      case FrameKind::whole:
        return deliver(peer, std::move(frame));
      case FrameKind::late:
        if (rank_ == 0) fail(deadline_failure(frame.sequence));
        return rank_ == 0;
      case FrameKind::failed: {
        auto const failure = decoded_failure(frame, world());
        if (failure) fail(*failure);
        return failure.has_value();
      }
      case FrameKind::left:
        return rank_ == 0 ? retire_everywhere(peer) : retire(frame.sequence == 0 ? peer : *peers_[frame.sequence]);
      default:
        return false;
    }
  }
  bool deliver(Peer& peer, Frame frame) {
    std::lock_guard const lock(mutex_);
    if (peer.inbox) return false;
    peer.inbox = std::move(frame);
    changed_.notify_all();
    return true;
  }
  /// Rank 0 hands on who leaves, by its number.
  bool retire_everywhere(Peer& peer) {
    auto const is_it = [&](auto const& other) { return other.get() == &peer; };
    auto const rank = std::find_if(peers_.begin(), peers_.end(), is_it) - peers_.begin();
    auto const frame = encoded(FrameKind::left, static_cast<std::uint64_t>(rank), {});
    for (auto& other : peers_) {
      if (other->socket && other.get() != &peer && !other->left.load()) {
        (void)send(*other, frame, Deadline(std::chrono::seconds(1)));
      }
    }
    return retire(peer);
  }
  bool retire(Peer& peer) {
    std::lock_guard const lock(mutex_);
    peer.left.store(true);
    changed_.notify_all();
    return true;
  }

  int rank_;
  std::chrono::nanoseconds time_;
  std::size_t max_bytes_;
  Descriptor wake_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::atomic<std::uint64_t> sequence_{0};
  std::atomic<bool> ending_{false};
  std::atomic<bool> failed_{false};
  std::mutex round_;  // held while all peers are told one thing; taken before their `sending`
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<HostFailure> failure_;
  std::thread listener_;
};

}  // namespace zero::detail
