// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/bootstrap/detail/address.hpp>
#include <zero/bootstrap/detail/deadline.hpp>
#include <zero/bootstrap/detail/frame.hpp>
#include <zero/bootstrap/detail/handshake.hpp>
#include <zero/bootstrap/detail/rendezvous_server.hpp>
#include <zero/bootstrap/detail/socket.hpp>
#include <zero/bootstrap/launch_environment.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>
#include <zero/support/posix.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace zero::detail {

/// Where rank 0 listens, and the token that it asks for.
struct RendezvousEndpoint {
  std::string host;
  std::uint16_t port = 0;
  std::string token{};
};

/// The other ranks' side of a rendezvous: connects to rank 0 until it is accepted.
class RendezvousClient {
 public:
  /// Asked before each attempt, because a file may say something new; none: not yet.
  using EndpointSource = std::function<std::optional<RendezvousEndpoint>()>;

  /// \p place_may_be_stale: what an earlier run left, whose refusal says nothing about this one.
  RendezvousClient(LaunchEnvironment launch, EndpointSource endpoint, bool endpoint_may_be_stale,
                   std::chrono::nanoseconds deadline)
      : launch_(std::move(launch)),
        endpoint_(std::move(endpoint)),
        may_be_stale_(endpoint_may_be_stale),
        time_(deadline),
        deadline_(deadline) {}

  /// The connection to rank 0, which has met everybody.
  /// \throws CommunicationError when the deadline has passed or rank 0 turns this rank away.
  [[nodiscard]] Descriptor run() {
    std::chrono::milliseconds pause(10);
    constexpr std::chrono::milliseconds longest_pause(2000);
    for (;;) {
      if (auto const endpoint = endpoint_()) {
        auto socket = attempt(*endpoint);
        if (socket) return socket;
      }
      if (deadline_.passed()) throw_timed_out();
      std::this_thread::sleep_for((std::min)(pause, std::chrono::milliseconds(deadline_.milliseconds(2000))));
      pause = (std::min)(2 * pause, longest_pause);
    }
  }

 private:
  [[nodiscard]] Descriptor attempt(RendezvousEndpoint const& endpoint) {
    where_ = shown(endpoint.host, endpoint.port);
    auto const addresses = addresses_of(endpoint.host, endpoint.port);
    if (addresses.empty()) reason_ = "its name cannot be resolved";
    for (auto const& address : addresses) {
      int code = 0;
      auto socket = connect_to(address, deadline_, code);
      if (!socket) {
        reason_ = system_message(code);
      } else if (greet(socket, endpoint)) {
        return socket;
      }
    }
    return {};
  }

  [[nodiscard]] bool greet(Descriptor const& socket, RendezvousEndpoint const& endpoint) {
    reason_ = "the connection was closed before rank 0 had met everybody";
    auto launch = launch_;
    if (!endpoint.token.empty()) launch.token = endpoint.token;
    if (write_all(socket.get(), encoded(FrameKind::request, 0, HandshakeRequest::of(launch)), deadline_) !=
        Transfer::done) {
      return false;
    }
    constexpr std::size_t refusal_bytes = 4096;
    // Rank 0 may have begun a little later, and knows whom it misses.
    constexpr std::chrono::seconds grace(5);
    FrameReader reader(refusal_bytes);
    auto const answer = read_frame(socket.get(), reader, Deadline(deadline_.at() - Deadline::Clock::now() + grace));
    if (answer == Transfer::closed) return false;
    if (answer == Transfer::late) {
      reason_ = "rank 0 is there, but has not met all ranks";
      return false;
    }
    if (answer == Transfer::malformed) fail_foreign();
    auto const frame = reader.take();
    if (frame.kind == FrameKind::welcome) return true;
    if (frame.kind != FrameKind::refused || frame.bytes.empty()) fail_foreign();
    return refused(static_cast<Refusal>(frame.bytes.front()), static_cast<int>(frame.sequence), frame.text().substr(1));
  }

  [[nodiscard]] bool refused(Refusal refusal, int rank, std::string const& why) {
    reason_ = why;
    if (refusal == Refusal::missing) fail_rendezvous(CommunicationFailure::deadline, rank, why);
    if (refusal == Refusal::gone) fail_rendezvous(CommunicationFailure::peer_failed, rank, why);
    if (refusal == Refusal::other_run || (refusal == Refusal::rejected && may_be_stale_)) return false;
    fail_rendezvous(CommunicationFailure::mismatch, rank,
                    concat({"zero::Rendezvous: rank 0 at ", where_, " turned rank ", launch_.rank, " away: ", why}));
  }
  [[noreturn]] void fail_foreign() const {
    fail_rendezvous(CommunicationFailure::mismatch, 0,
                    concat({"zero::Rendezvous: what listens at ", where_,
                            " is not rank 0 of a program with zero (torchrun's store?): choose another port in "
                            "ZERO_PORT"}));
  }
  [[noreturn]] void throw_timed_out() const {
    fail_rendezvous(CommunicationFailure::deadline, 0,
                    concat({"zero::Rendezvous: rank ", launch_.rank, " did not meet rank 0",
                            where_.empty() ? "" : " at ", where_, " within ", milliseconds_of(time_), " ms: ", reason_,
                            ": see whether rank 0 runs there, and which port and interface it was given"}));
  }

  LaunchEnvironment launch_;
  EndpointSource endpoint_;
  bool may_be_stale_;
  std::chrono::nanoseconds time_;
  Deadline deadline_;
  std::string where_;
  std::string reason_ = "it has not left its address yet";
};

}  // namespace zero::detail
