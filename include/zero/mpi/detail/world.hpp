// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/bootstrap/detail/deadline.hpp>
#include <zero/bootstrap/detail/host_channel.hpp>
#include <zero/bootstrap/host_failure.hpp>
#include <zero/engine/rank_agreement.hpp>
#include <zero/error.hpp>
#include <zero/mpi/detail/calls.hpp>
#include <zero/mpi/detail/mpi.hpp>
#include <zero/mpi/detail/pause.hpp>
#include <zero/mpi/detail/shared_memory.hpp>
#include <zero/mpi/detail/shared_world.hpp>
#include <zero/mpi/detail/unix_socket.hpp>
#include <zero/support/message.hpp>
#include <zero/support/posix.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zero::detail {

/// Who is on which host, and how much a rank may take: what all ranks know of each other. Ranks are the world's.
struct MpiPlaces {
  int rank = 0;
  int size = 1;
  std::vector<int> host_of{};    ///< by rank; hosts count in the order of their first ranks
  std::vector<int> local{};      ///< the ranks of this host, in order
  int sharing_processors = 1;    ///< ranks of this host that may run where this one runs
  std::size_t bounce_bytes = 0;  ///< of each rank in each group
  std::chrono::nanoseconds deadline{};

  [[nodiscard]] int hosts() const noexcept { return *std::max_element(host_of.begin(), host_of.end()) + 1; }
  [[nodiscard]] bool is_local(int other) const noexcept {
    return host_of[static_cast<std::size_t>(other)] == host_of[static_cast<std::size_t>(rank)];
  }
  /// Of a rank of this host.
  [[nodiscard]] std::size_t place_of(int other) const noexcept {
    return static_cast<std::size_t>(std::find(local.begin(), local.end(), other) - local.begin());
  }
};

/// What all groups of the processes that have met share: how they hear of a failure, hand memory to each other and send
/// messages. Groups keep it alive. Used by one thread.
class MpiWorld {
 public:
  /// What the ranks have opened to each other.
  struct Connections {
    MPI_Comm messages = MPI_COMM_NULL;     ///< of all ranks; nobody else uses it. Never freed: that would be collective
    std::vector<Descriptor> neighbours{};  ///< by rank; those of this host
    std::unique_ptr<HostChannel> channel{};  ///< none for a world of one
  };

  MpiWorld(MpiPlaces places, Connections connections)
      : places_(std::move(places)), connections_(std::move(connections)) {}
  MpiWorld(MpiWorld const&) = delete;
  MpiWorld& operator=(MpiWorld const&) = delete;
  /// Tells the others that this rank has left; or, where an exception ends it, that it has failed.
  ~MpiWorld() {
    if (!shared_) return;
    if (std::uncaught_exceptions() > exceptions_) {
      try {
        fail({CommunicationFailure::peer_failed, rank(), "has failed: an exception ended it; see its own output"});
      } catch (...) {  // out of memory: the end of the connection says enough
      }
    }
    shared().has_left[places_.place_of(rank())].store(1);
  }

  [[nodiscard]] int rank() const noexcept { return places_.rank; }
  [[nodiscard]] int size() const noexcept { return places_.size; }
  [[nodiscard]] MpiPlaces const& places() const noexcept { return places_; }
  [[nodiscard]] MPI_Comm messages() const noexcept { return connections_.messages; }
  [[nodiscard]] std::chrono::nanoseconds deadline() const noexcept { return places_.deadline; }

  /// Gathers bytes of all ranks, before groups can. Blocks.
  void exchange(std::span<std::byte const> mine, std::span<std::byte> all) {
    if (connections_.channel) return connections_.channel->exchange(mine, all);
    (std::copy)(mine.begin(), mine.end(), all.begin());
  }

  /// Makes what the ranks of this host share: see SharedWorld. Collective.
  void open() {
    run_on_all_ranks(*this,
                     [&] { shared_ = share(places_.local, 0, [] { return SharedMemory::make(bytes_of_host()); }); });
  }
  /// Bytes that the ranks of one host share for the world, whatever groups they are in.
  [[nodiscard]] static std::size_t bytes_of_host() noexcept { return SharedMemory::whole_pages(sizeof(SharedWorld)); }

  // ------------------------------------------------------------------------------------------------- failures

  /// Whether a rank has failed, in whatever group, as far as it is known here.
  [[nodiscard]] bool failed() const {
    return shared().board.failed() || (connections_.channel && connections_.channel->failure().has_value());
  }
  /// The first failure, once `failed`.
  [[nodiscard]] HostFailure failure() {
    Deadline const writing(std::chrono::seconds(5));  // who writes on the board may be stopped; of a death one hears
    for (Pause pause;; pause()) {
      if (auto const first = shared().board.read()) return *first;
      auto const told = connections_.channel ? connections_.channel->failure() : std::nullopt;
      if (told) {
        (void)shared().board.record(*told);
        return *told;
      }
      if (writing.passed()) return {CommunicationFailure::peer_failed, rank(), "is of a host on which a rank failed"};
    }
  }
  /// Ends every wait of every rank, now and later. The first failure counts.
  void fail(HostFailure const& failure) {
    bool const first = shared().board.record(failure);
    if (connections_.channel) connections_.channel->fail(first ? failure : this->failure());
  }
  /// Whether \p other will not come to any further collective, as far as it is known here.
  [[nodiscard]] bool has_left(int other) const noexcept {
    if (places_.is_local(other)) return shared().has_left[places_.place_of(other)].load() != 0;
    return connections_.channel && connections_.channel->has_left(other);
  }
  /// \p other has left without what this rank waits for.
  void fail_left(int other) {
    fail({CommunicationFailure::peer_failed, other, "has left: call the engine equally often on every rank"});
  }

  // ------------------------------------------------------------------------------------------------- memory

  /// Hands \p memory to \p other, of this host; nothing where it has none. Not collective: `receive` takes it.
  void send(int other, std::uint64_t what, std::size_t bytes, int descriptor) {
    if (send_descriptor(neighbour(other), {bytes, what}, descriptor)) return;
    fail({CommunicationFailure::peer_failed, other, "has died, or does not take memory; see its own output"});
    throw_failure("sharing of memory");
  }
  /// Waits for what \p other hands over; none where that has none.
  [[nodiscard]] SharedMemory receive(int other, std::uint64_t what) {
    ReceivedDescriptor received;
    bool closed = false;
    Deadline const deadline(this->deadline());
    for (Pause pause; !receive_descriptor(neighbour(other), received, closed); pause()) {
      if (!closed && !deadline.passed() && !has_failed_early()) continue;
      bool const late = !closed && deadline.passed();
      throw CommunicationError(
          late ? CommunicationFailure::deadline : CommunicationFailure::peer_failed, {other, 0, "sharing of memory"},
          concat({"zero::MpiCommunicator: rank ", rank(), " waited for memory of rank ", other,
                  late ? ", which did not come within the deadline" : ", which has failed; see its own output"}));
    }
    if (received.header.what != what) {
      throw CommunicationError(CommunicationFailure::mismatch, {other, 0, "sharing of memory"},
                               concat({"zero::MpiCommunicator: rank ", other, " shares other memory than rank ", rank(),
                                       ": make the same calls in the same order on every rank"}));
    }
    if (received.header.bytes == 0) return {};
    if (received.is_lost) fail_descriptors(EMFILE);
    return SharedMemory::open(std::move(received.descriptor), received.header.bytes, other);
  }
  /// What the first of \p members, ranks of this host, makes, in all of them; nothing where that fails there, and
  /// throws there. Each of them calls it.
  template <class Make>
  [[nodiscard]] SharedMemory share(std::vector<int> const& members, std::uint64_t what, Make const& make) {
    int const leader = members.front();
    if (leader != rank()) return receive(leader, what);
    SharedMemory made;
    auto const error = attempt([&] { made = make(); });
    for (int const other : members) {
      if (other != leader) send(other, what, made.bytes(), made.descriptor());
    }
    if (error) std::rethrow_exception(error);
    return made;
  }

  // ------------------------------------------------------------------------------------------------- groups

  /// A number for the messages of a group; the same for all its members, and another one than that of any other group
  /// that two of them are in, where each of them gives `next_group` of all members' largest.
  [[nodiscard]] std::uint64_t next_group() const noexcept { return next_group_; }
  /// \throws ConfigurationError where this thread may not use MPI, or nobody may any more, or there is no such number.
  void take_group(std::uint64_t number) {
    expect_mpi_usable();
    next_group_ = number + 1;
    if (2 * next_group_ <= largest_tag()) return;
    detail::fail<ConfigurationError>({"zero::MpiCommunicator: more groups than MPI has tags for (", largest_tag(),
                                      "): make groups once, and use them again"});
  }

  [[noreturn, gnu::cold]] void throw_failure(std::string_view operation) {
    auto const first = failure();
    throw CommunicationError(first.kind, {first.rank, 0, std::string(operation)},
                             concat({"zero::MpiCommunicator: rank ", rank(), " waited in the ", operation, ": rank ",
                                     first.rank, " ", first.reason}));
  }

 private:
  [[nodiscard]] SharedWorld& shared() const noexcept { return *reinterpret_cast<SharedWorld*>(shared_.data()); }
  [[nodiscard]] int neighbour(int other) const noexcept {
    return connections_.neighbours[static_cast<std::size_t>(other)].get();
  }
  // Before there is a board, too.
  [[nodiscard]] bool has_failed_early() const {
    return shared_ ? failed() : connections_.channel && connections_.channel->failure().has_value();
  }
  [[nodiscard]] std::uint64_t largest_tag() const {
    void* value = nullptr;
    int found = 0;
    check_mpi(MPI_Comm_get_attr(messages(), MPI_TAG_UB, static_cast<void*>(&value), &found), "MPI_Comm_get_attr");
    constexpr std::uint64_t least = 32767;  // of every MPI
    return found != 0 ? static_cast<std::uint64_t>(*static_cast<int*>(value)) : least;
  }

  MpiPlaces places_;
  Connections connections_;
  SharedMemory shared_;
  int exceptions_ = std::uncaught_exceptions();
  std::uint64_t next_group_ = 0;
};

/// Whether the other rank of a message is gone for good: what it has sent before may still be on its way, for a moment.
class PeerWatch {
 public:
  explicit PeerWatch(MpiWorld const& world) : world_(world) {}

  /// \p other: the rank that is waited for now.
  [[nodiscard]] bool has_left(int other) {
    if (!world_.has_left(other)) return false;
    constexpr std::chrono::seconds on_its_way(1);
    if (other != leaver_) patience_ = Deadline(on_its_way);
    leaver_ = other;
    return patience_.passed();
  }

 private:
  MpiWorld const& world_;
  int leaver_ = -1;
  Deadline patience_{std::chrono::nanoseconds(0)};
};

/// How long a wait goes on once a rank has failed. On one host not at all. A rank that fails after a collective between
/// hosts has all that it needs of it, and what the others need may still be on its way to them.
class FailurePatience {
 public:
  explicit FailurePatience(bool between_hosts) : length_(between_hosts ? on_its_way : std::chrono::milliseconds(0)) {}

  /// Begins with the first call: a rank has failed.
  [[nodiscard]] bool passed() {
    if (!has_begun_) end_ = Deadline(length_);
    has_begun_ = true;
    return end_.passed();
  }

 private:
  // Survivors are to know within 0.2 s.
  static constexpr std::chrono::milliseconds on_its_way{50};

  std::chrono::milliseconds length_;
  bool has_begun_ = false;
  Deadline end_{std::chrono::nanoseconds(0)};
};

}  // namespace zero::detail
