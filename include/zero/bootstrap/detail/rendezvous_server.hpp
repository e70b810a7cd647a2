// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/bootstrap/detail/address.hpp>
#include <zero/bootstrap/detail/deadline.hpp>
#include <zero/bootstrap/detail/frame.hpp>
#include <zero/bootstrap/detail/handshake.hpp>
#include <zero/bootstrap/detail/socket.hpp>
#include <zero/bootstrap/launch_environment.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>
#include <zero/support/posix.hpp>

#include <poll.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zero::detail {

[[noreturn, gnu::cold]] inline void fail_rendezvous(CommunicationFailure kind, int rank, std::string const& what) {
  throw CommunicationError(kind, {rank, 0, "rendezvous"}, what);
}

/// Rank 0's side of a rendezvous: lets the ranks of this run in, one connection each, and nobody else. Whoever does not
/// speak, speaks nonsense or has the wrong token costs a connection, never the run.
class RendezvousServer {
 public:
  /// \p listener: of rank 0. Everything ends with \p deadline.
  RendezvousServer(LaunchEnvironment const& launch, Descriptor listener, Deadline const& deadline)
      : request_(HandshakeRequest::of(launch)),
        listener_(std::move(listener)),
        deadline_(deadline),
        ranks_(static_cast<std::size_t>(launch.world)) {}

  /// Waits for everybody. Connections by rank; that of rank 0 is none.
  /// \throws CommunicationError where ranks are missing or contradict each other; those that came are told the same.
  [[nodiscard]] std::vector<Descriptor> run() {
    while (present_ + 1 < ranks_.size()) {
      if (deadline_.passed()) throw_timed_out();
      wait();
      read_connections();
      poll_ranks();
      accept_all();
    }
    for (std::size_t r = 1; r < ranks_.size(); ++r) {
      auto const sent = write_all(ranks_[r].get(), encoded(FrameKind::welcome, 0, {}), deadline_);
      if (sent != Transfer::done) {
        reject_all(CommunicationFailure::peer_failed, static_cast<int>(r),
                   concat({"zero::Rendezvous: rank ", r, " has gone during the rendezvous: see its own error"}));
      }
    }
    return std::move(ranks_);
  }

 private:
  struct PendingConnection {
    Descriptor socket;
    FrameReader reader{HandshakeRequest::bytes};
  };
  static constexpr std::size_t spare_connections = 64;  // connections beside the ranks that may keep silent at once

  void wait() {
    std::vector<pollfd> entries{{listener_.get(), POLLIN, 0}};
    for (auto const& connection : connections_) entries.push_back({connection.socket.get(), POLLIN, 0});
    for (auto const& rank : ranks_) {
      if (rank) entries.push_back({rank.get(), POLLIN, 0});
    }
    constexpr int slice = 1000;
    (void)restart_interrupted([&] { return ::poll(entries.data(), entries.size(), deadline_.milliseconds(slice)); });
  }

  void accept_all() {
    for (;;) {
      Descriptor socket(restart_interrupted(
          [&] { return ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK); }));
      if (!socket) return;  // nobody more, or out of descriptors: then the next look may find some
      tune(socket.get());
      if (connections_.size() >= ranks_.size() + spare_connections) connections_.pop_front();
      connections_.push_back({std::move(socket)});
    }
  }

  void read_connections() {
    std::deque<PendingConnection> silent;
    for (auto& connection : connections_) {
      auto const result = read_some(connection.socket.get(), connection.reader);
      if (result == Transfer::late) silent.push_back(std::move(connection));
      if (result == Transfer::done) meet(connection);
      if (result == Transfer::malformed) ++rejected_;
    }
    connections_ = std::move(silent);
  }

  void meet(PendingConnection& connection) {
    auto const frame = connection.reader.take();
    auto result = HandshakeRequest::validate(frame.bytes, request_);
    if (frame.kind != FrameKind::request) result = {.why = "this is not a rank's greeting"};
    auto const at = static_cast<std::size_t>(result.rank);
    if (result.welcome) poll_connection(ranks_[at]);  // one that comes again has closed its first connection
    if (result.welcome && ranks_[at]) {
      result = {.refusal = Refusal::conflict,
                .why = concat({"rank ", at, " came twice: start every rank once, and every run on its own port"}),
                .rank = result.rank};
    }
    if (result.welcome) {
      ranks_[at] = std::move(connection.socket);
      ++present_;
      return;
    }
    refuse(connection.socket, result.refusal, result.rank, result.why);
    if (result.refusal == Refusal::conflict) {
      reject_all(CommunicationFailure::mismatch, result.rank, "zero::Rendezvous: " + result.why);
    }
    ++rejected_;
    last_reason_ = result.why;
  }

  void poll_ranks() {
    for (auto& rank : ranks_) poll_connection(rank);
  }
  // A rank says nothing until it is welcome: what can be read is the end of its connection.
  void poll_connection(Descriptor& rank) {
    if (!rank || !wait_for(rank.get(), POLLIN, 0)) return;
    rank.close();
    --present_;
  }

  // The sequence number says which rank it is about.
  void refuse(Descriptor const& socket, Refusal refusal, int rank, std::string_view why) const {
    // To a peer that does not read, this is lost: its buffer is empty, so it takes what one message needs.
    (void)write_all(socket.get(),
                    encoded(FrameKind::refused, static_cast<std::uint64_t>(rank), refusal_of(refusal, why)),
                    Deadline(std::chrono::nanoseconds(0)));
  }
  [[noreturn]] void reject_all(CommunicationFailure kind, int rank, std::string const& why) {
    auto const refusal = kind == CommunicationFailure::deadline      ? Refusal::missing
                         : kind == CommunicationFailure::peer_failed ? Refusal::gone
                                                                     : Refusal::conflict;
    for (auto const& socket : ranks_) {
      if (socket) refuse(socket, refusal, rank, why);
    }
    fail_rendezvous(kind, rank, why);
  }
  [[noreturn]] void throw_timed_out() {
    std::vector<int> missing;
    for (std::size_t r = 1; r < ranks_.size(); ++r) {
      if (!ranks_[r]) missing.push_back(static_cast<int>(r));
    }
    auto what = concat({"zero::Rendezvous: missing ranks: ", listed(missing), " of ", ranks_.size(),
                        " did not come within the deadline: see whether they were started, and reach rank 0"});
    if (rejected_ > 0) {
      what +=
          concat({" (", counted(static_cast<std::uint64_t>(rejected_), "connection"), rejected_ == 1 ? " was" : " were",
                  " turned away", last_reason_.empty() ? "" : ", the last: ", last_reason_, ")"});
    }
    reject_all(CommunicationFailure::deadline, missing.front(), what);
  }

  std::vector<std::byte> request_;
  Descriptor listener_;
  Deadline deadline_;
  std::vector<Descriptor> ranks_;
  std::deque<PendingConnection> connections_;
  std::size_t present_ = 0;
  std::size_t rejected_ = 0;
  std::string last_reason_;
};

}  // namespace zero::detail
