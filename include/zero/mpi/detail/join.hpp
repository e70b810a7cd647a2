// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/bootstrap/detail/address.hpp>
#include <zero/bootstrap/detail/deadline.hpp>
#include <zero/bootstrap/detail/host_channel.hpp>
#include <zero/bootstrap/detail/rendezvous_client.hpp>
#include <zero/bootstrap/detail/rendezvous_server.hpp>
#include <zero/bootstrap/launch_environment.hpp>
#include <zero/engine/rank_agreement.hpp>
#include <zero/error.hpp>
#include <zero/mpi/config.hpp>
#include <zero/mpi/detail/calls.hpp>
#include <zero/mpi/detail/card.hpp>
#include <zero/mpi/detail/meeting.hpp>
#include <zero/mpi/detail/mpi.hpp>
#include <zero/mpi/detail/shared_world.hpp>
#include <zero/mpi/detail/unix_socket.hpp>
#include <zero/mpi/detail/world.hpp>
#include <zero/processors.hpp>
#include <zero/support/message.hpp>
#include <zero/support/posix.hpp>
#include <zero/support/random_hex.hpp>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace zero::detail {

/// How processes that MPI has started become a world. Every rank makes one, and calls `run` once.
class MpiJoin {
 public:
  MpiJoin(MPI_Comm caller, MpiConfig const& config)
      : config_(config), meeting_(checked(caller), config.meeting_deadline) {
    places_.rank = meeting_.rank();
    places_.size = meeting_.size();
  }

  [[nodiscard]] std::shared_ptr<MpiWorld> run() {
    meet_on_paper();
    place();
    open_rendezvous();
    connect();
    connections_.messages = meeting_.messages();
    auto world = std::make_shared<MpiWorld>(std::move(places_), std::move(connections_));
    world->open();
    return world;
  }

 private:
  [[nodiscard]] std::size_t at(int rank) const noexcept { return static_cast<std::size_t>(rank); }

  static MPI_Comm checked(MPI_Comm caller) {
    expect_mpi_usable();
    enforce(caller != MPI_COMM_NULL,
            "zero::MpiCommunicator: MPI_COMM_NULL: this process is in no communicator: make none here, too");
    int between = 0;
    check_mpi(MPI_Comm_test_inter(caller, &between), "MPI_Comm_test_inter");
    enforce(between == 0,
            "zero::MpiCommunicator: a communicator between two groups of ranks: merge them by MPI_Intercomm_merge");
    return caller;
  }

  // ------------------------------------------------------------------------------------------------- by MPI alone

  void exchange_cards() { cards_ = meeting_.exchange(card_); }
  /// \throws ConfigurationError on all ranks where one of them has a problem.
  void expect_no_problem() const {
    for (std::size_t r = 0; r < cards_.size(); ++r) {
      if (cards_[r].problem.view().empty()) continue;
      fail<ConfigurationError>({"zero::MpiCommunicator: rank ", r, ": ", cards_[r].problem.view()});
    }
  }
  /// What goes wrong here is told to all with the next cards, if all ranks are there to exchange them.
  template <class Function>
  void try_locally(Function&& f) {
    auto const error = attempt([&] {
      try {
        f();
      } catch (CommunicationError const& missed) {
        meeting_.miss(missed);
        throw;
      }
    });
    if (error) card_.problem.set(text_of(error));
  }

  void meet_on_paper() {
    try_locally([&] {
      config_.validate();
      card_.machine.set(name_of_machine());
      card_.host.set(config_.host.empty() ? card_.machine.view() : config_.host);
      card_.bounce_bytes = config_.bounce_bytes;
      card_.deadline = config_.deadline.count();
      card_.meeting_deadline = config_.meeting_deadline.count();
      card_.processors = ProcessorSet::of_this_thread();
      std::string const name = "zero-mpi-" + random_hex(32);
      listener_ = listen_abstract(name);
      card_.listener.set(name);
    });
    exchange_cards();
    expect_no_problem();
    for (std::size_t r = 1; r < cards_.size(); ++r) {
      auto const settings = [](MpiCard const& card) {
        return std::tuple(card.bounce_bytes, card.deadline, card.meeting_deadline);
      };
      if (settings(cards_[r]) == settings(cards_[0])) continue;
      fail<MismatchError>({"zero::MpiCommunicator: rank ", r,
                           " has another deadline or bounce_bytes than rank 0: give ", "every rank the same Config"});
    }
  }
  void place() {
    std::vector<std::string_view> hosts;
    for (auto const& card : cards_) {
      auto const found = std::find(hosts.begin(), hosts.end(), card.host.view());
      places_.host_of.push_back(static_cast<int>(found - hosts.begin()));
      if (found == hosts.end()) hosts.push_back(card.host.view());
    }
    for (int r = 0; r < places_.size; ++r) {
      if (places_.is_local(r)) places_.local.push_back(r);
    }
    places_.sharing_processors = 0;
    for (int const r : places_.local) {
      auto const& other = cards_[at(r)].processors;
      bool const unknown = other.count() == 0 || card_.processors.count() == 0;
      if (unknown || other.overlaps(card_.processors)) ++places_.sharing_processors;
    }
    places_.bounce_bytes = SharedMemory::whole_pages(config_.bounce_bytes);
    places_.deadline = config_.deadline;
    if (places_.local.size() > SharedWorld::max_ranks) {
      fail<ConfigurationError>({"zero::MpiCommunicator: ", places_.local.size(), " ranks on one host: the most is ",
                                SharedWorld::max_ranks});
    }
  }

  // ------------------------------------------------------------------------------------------------- by sockets

  /// Between hosts, rank 0 is met by its address.
  void open_rendezvous() {
    if (places_.hosts() == 1) return;
    if (places_.rank == 0) {
      try_locally([&] {
        rendezvous_ = listen_between_hosts();
        auto const address = local_address(rendezvous_.get());
        expect_reachable(address);
        card_.address.set(address.host());
        card_.port = address.port();
        card_.token.set(random_hex(32));
      });
    }
    exchange_cards();
    expect_no_problem();
  }

  [[nodiscard]] Descriptor listen_between_hosts() const {
    char name[128] = "";
    (void)::gethostname(name, sizeof name - 1);
    try {
      return listen_on(config_.network_interface, name, 0);
    } catch (ConfigurationError const&) {
      fail<ConfigurationError>({"zero::MpiCommunicator: rank 0 cannot listen on ",
                                quote(config_.network_interface.empty() ? name : config_.network_interface),
                                ": name an interface or address of its machine in MpiConfig::network_interface"});
    }
  }
  // Many systems list their own name as a loopback address.
  void expect_reachable(Address const& address) const {
    bool const loopback = address.host().starts_with("127.") || address.host() == "::1";
    for (auto const& card : cards_) {
      if (!loopback || card.machine.view() == card_.machine.view()) continue;
      fail<ConfigurationError>({"zero::MpiCommunicator: rank 0 would listen on ", address.host(),
                                ", which other machines cannot reach: name its network interface in "
                                "MpiConfig::network_interface, such as eth0"});
    }
  }

  void connect() {
    connections_.neighbours.resize(at(places_.size));
    sockets_.resize(at(places_.size));
    try_locally([&] {
      if (places_.size == 1) return;
      if (places_.hosts() > 1) connect_hosts();  // first: rank 0 sees who has not come, on whatever host
      connect_neighbours();
      connections_.channel =
          std::make_unique<HostChannel>(places_.rank, std::move(sockets_), config_.deadline, std::size_t{1} << 30U);
      meeting_.listen_to(*connections_.channel);
    });
    try {
      exchange_cards();
    } catch (CommunicationError const&) {
      if (auto const& missed = meeting_.missed()) {
        notify({missed->kind(), missed->where().rank, "did not come to the meeting: " + std::string(missed->what())});
        meeting_.notify(places_.local, missed->where().rank);
      }
      throw;
    } catch (...) {
      notify(
          {CommunicationFailure::peer_failed, places_.rank, "has failed: an exception ended it; see its own output"});
      throw;
    }
    expect_no_problem();
  }
  // Who has a channel to this rank already would take the end of its connection for the death of this one, or, where
  // that says that it leaves, wait on.
  void notify(HostFailure const& failure) {
    if (connections_.channel) return connections_.channel->fail(failure);
    auto const frame = encoded(FrameKind::failed, 0, encoded_failure(failure));
    for (auto const& socket : sockets_) {
      if (socket) (void)write_all(socket.get(), frame, Deadline(std::chrono::seconds(1)));
    }
  }

  // First on every connection between neighbours: whose it is, and what for.
  struct Greeting {
    enum class Use : std::uint32_t { memory = 1, channel = 2 };
    std::uint32_t rank;
    Use use;
  };
  [[noreturn]] void miss(CommunicationFailure kind, int rank, std::string const& what) const {
    throw CommunicationError(kind, {rank, 0, "the meeting"}, what);
  }
  [[noreturn]] void miss_ended(int rank) const {
    miss(CommunicationFailure::peer_failed, rank,
         concat({"zero::MpiCommunicator: rank ", rank, " closed its connection to rank ", places_.rank,
                 " before all ranks had connected: see its own output"}));
  }
  /// A connection to \p rank, which has told of its listener before.
  [[nodiscard]] Descriptor reach(int rank, Greeting::Use use) const {
    int code = 0;
    auto socket = connect_abstract(cards_[at(rank)].listener.view(), meeting_.deadline(), code);
    if (!socket) {
      miss(CommunicationFailure::peer_failed, rank,
           concat({"zero::MpiCommunicator: rank ", rank, " of the same host is not reached: ", system_message(code),
                   ": see its own output; ranks in containers that have no network in common are hosts of their own: "
                   "name them in Config::host"}));
    }
    Greeting const greeting{static_cast<std::uint32_t>(places_.rank), use};
    if (write_all(socket.get(), std::as_bytes(std::span(&greeting, 1)), meeting_.deadline()) != Transfer::done)
      miss_ended(rank);
    return socket;
  }
  [[noreturn]] void throw_unconnected(bool one_host) const {
    std::vector<int> ranks;
    for (int const r : places_.local) {
      auto const& neighbour = connections_.neighbours[at(r)];
      if (neighbour && wait_for(neighbour.get(), POLLIN, 0)) miss_ended(r);  // for which others wait, too
      if (r <= places_.rank) continue;
      bool const misses_channel = one_host && places_.rank == 0 && !sockets_[at(r)];
      if (!neighbour || misses_channel) ranks.push_back(r);
    }
    miss(
        CommunicationFailure::deadline, ranks.front(),
        concat({"zero::MpiCommunicator: rank ", places_.rank, " waited for ranks of its host that did not connect ",
                "within the meeting deadline of ", milliseconds_of(config_.meeting_deadline), " ms: ", listed(ranks)}));
  }

  // Each rank connects to the ones before it on its host, and waits for those after it. Who listens has said so on its
  // card, so that no connection fails because its rank has not come yet.
  void connect_neighbours() {
    bool const one_host = places_.hosts() == 1;
    for (int const r : places_.local) {
      if (r >= places_.rank) break;
      connections_.neighbours[at(r)] = reach(r, Greeting::Use::memory);
      if (r == 0 && one_host) sockets_[0] = reach(r, Greeting::Use::channel);
    }
    std::size_t const later = places_.local.size() - 1 - places_.place_of(places_.rank);
    std::size_t expected = one_host && places_.rank == 0 ? 2 * later : later;
    for (Pause pause; expected > 0;) {
      if (accept_one()) {
        --expected;
        continue;
      }
      if (meeting_.deadline().passed()) throw_unconnected(one_host);
      meeting_.answer();
      pause();
    }
    listener_.close();
  }
  /// \return whether a rank of this world has come.
  [[nodiscard]] bool accept_one() {
    Descriptor socket(restart_interrupted(
        [&] { return ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK); }));
    if (!socket && (errno == EMFILE || errno == ENFILE)) fail_descriptors(errno);
    if (!socket || !is_own_user(socket.get())) return false;
    Greeting greeting{};
    auto const got = [&] {
      return restart_interrupted([&] { return ::recv(socket.get(), &greeting, sizeof greeting, 0); });
    };
    constexpr int patience = 1000;  // milliseconds: who has connected says at once who it is
    if (!wait_for(socket.get(), POLLIN, patience) || got() != static_cast<ssize_t>(sizeof greeting)) return false;
    if (greeting.rank >= at(places_.size) || !places_.is_local(static_cast<int>(greeting.rank))) return false;
    auto& place =
        greeting.use == Greeting::Use::memory ? connections_.neighbours[greeting.rank] : sockets_[greeting.rank];
    if (place) return false;
    place = std::move(socket);
    return true;
  }

  void connect_hosts() {
    LaunchEnvironment launch;
    launch.rank = places_.rank;
    launch.world = places_.size;
    launch.host = cards_[0].address.view();
    launch.port = cards_[0].port;
    launch.token = cards_[0].token.view();
    launch.source = "MPI";
    if (places_.rank == 0) {
      sockets_ = RendezvousServer(launch, std::move(rendezvous_), meeting_.deadline()).run();
      return;
    }
    auto const endpoint = [&]() -> std::optional<RendezvousEndpoint> {
      return RendezvousEndpoint{launch.host, launch.port, launch.token};
    };
    sockets_[0] = RendezvousClient(launch, endpoint, false, config_.meeting_deadline).run();
  }

  MpiConfig config_;
  MpiMeeting meeting_;
  MpiPlaces places_;
  MpiCard card_{};
  std::vector<MpiCard> cards_;
  Descriptor listener_, rendezvous_;
  std::vector<Descriptor> sockets_;  // of the failure channel, by rank
  MpiWorld::Connections connections_;
};

}  // namespace zero::detail
