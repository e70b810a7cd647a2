// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/bootstrap/detail/address.hpp>
#include <zero/bootstrap/detail/deadline.hpp>
#include <zero/bootstrap/detail/host_channel.hpp>
#include <zero/bootstrap/detail/rendezvous_client.hpp>
#include <zero/bootstrap/detail/rendezvous_file.hpp>
#include <zero/bootstrap/detail/rendezvous_server.hpp>
#include <zero/bootstrap/launch_environment.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>
#include <zero/support/random_hex.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace zero {

/// The host processes of all ranks, connected over TCP through rank 0: they exchange bytes, and every one learns when
/// another one fails or its connection ends. For trusted networks only: the token keeps foreign connections and other
/// runs out, but nothing is encrypted. Move-only; one thread calls `exchange` and `split`, any thread the rest.
class Rendezvous {
 public:
  /// Settings; the same on every rank.
  struct Config {
    std::chrono::nanoseconds meeting_deadline = std::chrono::minutes(10);  ///< until all ranks have come
    std::chrono::nanoseconds deadline = std::chrono::minutes(10);          ///< of every later wait for another rank
    std::size_t max_message_bytes = std::size_t{1} << 30;                  ///< of what all ranks bring to one exchange
  };

  /// Blocks until all ranks have come. Rank 0 listens meanwhile, on one address, and not afterwards.
  /// \throws ConfigurationError for what cannot work, such as a port in use; CommunicationError, on every rank that has
  /// come, where others are missing when the deadline has passed, or contradict each other.
  explicit Rendezvous(LaunchEnvironment const& launch) : Rendezvous(launch, Config{}) {}
  /// As the constructor above, with settings.
  Rendezvous(LaunchEnvironment const& launch, Config const& config)
      : rank_(launch.rank), world_(launch.world), config_(config) {
    launch.validate();
    detail::enforce(config.deadline.count() > 0 && config.meeting_deadline.count() > 0,
                    "zero::Rendezvous: the deadlines must be positive");
    if (world_ == 1) return;
    open(launch.rank == 0 ? receive(launch) : client(launch));
  }
  /// Leaves \p other without connections.
  Rendezvous(Rendezvous&& other) noexcept = default;
  Rendezvous& operator=(Rendezvous&&) = delete;
  /// Tells the others that this rank has left; or, where an exception ends it, that it has failed.
  ~Rendezvous() {
    if (!channel_ || std::uncaught_exceptions() <= exceptions_) return;
    try {
      fail("has failed: an exception ended it; see its own output");
    } catch (...) {  // out of memory: the end of the connection says enough
    }
  }

  /// This rank's number.
  [[nodiscard]] int rank() const noexcept { return rank_; }
  /// Number of ranks.
  [[nodiscard]] int size() const noexcept { return world_; }

  /// all: size() x mine.size() bytes, of which part r comes from rank r. Blocks.
  /// \throws CommunicationError on every rank when one fails, leaves, brings another size or misses the deadline.
  void exchange(std::span<std::byte const> mine, std::span<std::byte> all) {
    if (all.size() != mine.size() * static_cast<std::size_t>(world_)) {
      detail::fail<ConfigurationError>(
          {"zero::Rendezvous: room for ", all.size(), " bytes where ", world_, " ranks bring ", mine.size(), " each"});
    }
    if (channel_) return channel_->exchange(mine, all);
    (std::copy)(mine.begin(), mine.end(), all.begin());
  }
  /// What rank 0 has in \p bytes, on every rank. Blocks; throws as `exchange`.
  void broadcast(std::span<std::byte> bytes) {
    std::vector<std::byte> all(bytes.size() * static_cast<std::size_t>(world_));
    exchange(bytes, all);
    std::copy_n(all.begin(), bytes.size(), bytes.begin());
  }

  /// Ends every wait of every rank, now and later: this rank has failed. \p reason goes on after "rank N".
  void fail(std::string_view reason) {
    fail(HostFailure{CommunicationFailure::peer_failed, rank_, std::string(reason)});
  }
  /// Tells all ranks that this one cannot go on.
  void fail(HostFailure const& failure) {
    if (channel_) channel_->fail(failure);
  }
  /// The first failure of any rank, as far as it is known here. Does not wait.
  [[nodiscard]] std::optional<HostFailure> failure() const {
    return channel_ ? channel_->failure() : std::optional<HostFailure>{};
  }

  /// Ranks with the same \p color meet anew, in the order of \p key and rank; a negative color takes part in none.
  /// Every rank calls it. \throws as the constructor and `exchange`.
  [[nodiscard]] std::optional<Rendezvous> split(int color, int key);

 private:
  // Of a group of ranks that have met: its rank 0 listens already.
  Rendezvous(LaunchEnvironment const& launch, Config const& config, Descriptor listener)
      : rank_(launch.rank), world_(launch.world), config_(config) {
    if (world_ == 1) return;
    open(listener ? receive(launch, std::move(listener), detail::Deadline(config.meeting_deadline)) : client(launch));
  }

  [[nodiscard]] std::vector<Descriptor> receive(LaunchEnvironment const& launch) {
    detail::Deadline const deadline(config_.meeting_deadline);
    if (launch.folder.empty()) {
      auto listener = detail::listen_on(launch.network_interface, launch.host, launch.port);
      expect_reachable(launch, detail::local_address(listener.get()));
      return receive(launch, std::move(listener), deadline);
    }
    detail::RendezvousFile const file(launch);
    auto listener = detail::listen_on(launch.network_interface, host_of(launch), 0);
    auto const address = detail::local_address(listener.get());
    expect_reachable(launch, address);
    auto own = launch;
    own.token = detail::random_hex(32);
    file.write({address.host(), address.port(), own.token});
    auto sockets = receive(own, std::move(listener), deadline);
    file.remove();
    return sockets;
  }
  [[nodiscard]] std::vector<Descriptor> receive(LaunchEnvironment const& launch, Descriptor listener,
                                                detail::Deadline const& deadline) {
    address_ = detail::local_address(listener.get()).host();
    return detail::RendezvousServer(launch, std::move(listener), deadline).run();
  }
  [[nodiscard]] std::vector<Descriptor> client(LaunchEnvironment const& launch) {
    bool const by_file = !launch.folder.empty();
    std::optional<detail::RendezvousFile> file;
    if (by_file) file.emplace(launch);
    auto const endpoint = [&]() -> std::optional<detail::RendezvousEndpoint> {
      return by_file ? file->read() : detail::RendezvousEndpoint{launch.host, launch.port};
    };
    std::vector<Descriptor> sockets(static_cast<std::size_t>(world_));
    sockets[0] = detail::RendezvousClient(launch, endpoint, by_file, config_.meeting_deadline).run();
    address_ = detail::local_address(sockets[0].get()).host();
    return sockets;
  }
  void open(std::vector<Descriptor> sockets) {
    channel_ =
        std::make_unique<detail::HostChannel>(rank_, std::move(sockets), config_.deadline, config_.max_message_bytes);
  }

  [[nodiscard]] static std::string host_of(LaunchEnvironment const& launch) {
    if (!launch.host.empty()) return launch.host;
    char name[256] = "";
    (void)::gethostname(name, sizeof name - 1);
    return name;
  }
  // Many systems list their own name as a loopback address.
  static void expect_reachable(LaunchEnvironment const& launch, detail::Address const& address) {
    bool const loopback = address.host().starts_with("127.") || address.host() == "::1";
    if (!loopback || launch.local_world == 0 || launch.local_world == launch.world) return;
    detail::fail<ConfigurationError>({"zero::Rendezvous: rank 0 would listen on ", address.host(),
                                      ", which other machines cannot reach: name its network interface in "
                                      "ZERO_INTERFACE, such as eth0, and its address in MASTER_ADDR"});
  }

  int rank_;
  int world_;
  Config config_;
  int exceptions_ = std::uncaught_exceptions();
  std::string address_;  // of this machine, as rank 0 sees it
  std::unique_ptr<detail::HostChannel> channel_;
};

inline std::optional<Rendezvous> Rendezvous::split(int color, int key) {
  struct Choice {
    std::int32_t color, key, rank;
  };
  Choice const mine{color, key, rank_};
  std::vector<Choice> all(static_cast<std::size_t>(world_));
  exchange(std::as_bytes(std::span(&mine, 1)), std::as_writable_bytes(std::span(all)));
  std::erase_if(all, [&](Choice const& choice) { return choice.color != color; });
  std::sort(all.begin(), all.end(),
            [](Choice const& a, Choice const& b) { return std::tie(a.key, a.rank) < std::tie(b.key, b.rank); });
  LaunchEnvironment launch;
  launch.source = "Rendezvous::split";
  launch.world = color < 0 ? 1 : static_cast<int>(all.size());
  while (color >= 0 && all[static_cast<std::size_t>(launch.rank)].rank != rank_) ++launch.rank;

  struct Endpoint {  // of the group's rank 0
    char host[64], token[64];
    std::uint16_t port;
  };
  Endpoint endpoint{};
  Descriptor listener;
  if (launch.world > 1 && launch.rank == 0) {
    listener = detail::listen_on(address_, address_, 0);
    endpoint.port = detail::local_address(listener.get()).port();
    std::copy_n(address_.data(), (std::min)(address_.size(), sizeof endpoint.host - 1), endpoint.host);
    std::copy_n(detail::random_hex(32).data(), 32, endpoint.token);
  }
  std::vector<Endpoint> endpoints(static_cast<std::size_t>(world_));
  exchange(std::as_bytes(std::span(&endpoint, 1)), std::as_writable_bytes(std::span(endpoints)));
  if (color < 0) return std::nullopt;
  auto const& where = endpoints[static_cast<std::size_t>(all.front().rank)];
  launch.host = where.host;
  launch.port = where.port;
  launch.token = where.token;
  return Rendezvous(launch, config_, std::move(listener));
}

}  // namespace zero
