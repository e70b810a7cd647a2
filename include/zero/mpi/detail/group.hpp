// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/communicators/detail/collective_label.hpp>
#include <zero/error.hpp>
#include <zero/mpi/detail/available_memory.hpp>
#include <zero/mpi/detail/futex.hpp>
#include <zero/mpi/detail/group_places.hpp>
#include <zero/mpi/detail/message_requests.hpp>
#include <zero/mpi/detail/pause.hpp>
#include <zero/mpi/detail/shared_arena.hpp>
#include <zero/mpi/detail/shared_memory.hpp>
#include <zero/mpi/detail/shared_posting.hpp>
#include <zero/mpi/detail/world.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace zero::detail {

/// Where the processes of a group meet. Those of one host count meetings in memory that they share, and read each
/// other's buffers; hosts send messages. Ranks count within the group; errors name those of the world.
class MpiGroup {
 public:
  /// At whose multiples parts of bounce memory begin.
  static constexpr std::size_t bounce_alignment = 64;

  /// Collective for the members. \p number: see MpiWorld::take_group.
  MpiGroup(std::shared_ptr<MpiWorld> world, std::vector<int> ranks, std::uint64_t number)
      : world_(std::move(world)), places_(world_->places(), std::move(ranks)), number_(number) {
    std::size_t const parts = static_cast<std::size_t>(places_.size()) + places_.most_remote();
    if (bounce_bytes() / parts < bounce_alignment) {
      fail<ConfigurationError>({"zero::MpiCommunicator: bounce_bytes are ", bounce_bytes(), ", which ", parts,
                                " parts for ", places_.size(), " ranks do not fit: set at least ",
                                parts * bounce_alignment});
    }
    std::vector<int> local;
    for (int const q : places_.local()) local.push_back(places_.world_rank(q));
    segment_ = world_->share(local, segment_of_group(number), [&] {
      expect_memory(bytes(), "the buffers of a communicator");
      return SharedMemory::make(bytes());
    });
    if (!segment_ || segment_.bytes() == bytes()) return;  // none where the leader has thrown
    fail<ConfigurationError>({"zero::MpiCommunicator: ranks of this host share ", segment_.bytes(), " bytes, not ",
                              bytes(), ": build all ranks with the same version of zero"});
  }
  MpiGroup(MpiGroup const&) = delete;
  MpiGroup& operator=(MpiGroup const&) = delete;
  ~MpiGroup() {
    // MPI may still read or write there, since what was begun with a rank that has gone never ends.
    if (is_abandoned_) segment_.abandon();
  }

  [[nodiscard]] MpiWorld& world() const noexcept { return *world_; }
  [[nodiscard]] std::shared_ptr<MpiWorld> const& shared_world() const noexcept { return world_; }
  [[nodiscard]] GroupPlaces const& places() const noexcept { return places_; }
  /// Of the messages of collectives, and of those that a user sends.
  [[nodiscard]] int collective_tag() const noexcept { return static_cast<int>(2 * number_); }
  [[nodiscard]] int transfer_tag() const noexcept { return static_cast<int>(2 * number_ + 1); }

  // ------------------------------------------------------------------------------------------------- meetings

  /// Waits until every rank has posted its part, and makes sure that all called the same collective: every rank
  /// compares the parts of all, so that every rank throws.
  void enter(SharedPosting const& posting) {
    // Nobody posts in a world that has failed: what was posted last stays for those who still compare.
    if (world_->failed()) throw_failure(posting.view(), "may not enter", "because rank", end_ranks);
    posting_of(places_.rank()) = posting;
    meet();
    if (places_.has_remote()) {
      if (places_.leads()) exchange_postings();
      meet_after_messages();
    }
    for (int q = 1; q < places_.size(); ++q) {
      if (!posting_of(q).view().matches(posting_of(0).view())) throw_mismatch(q);
    }
  }
  /// Waits until the ranks of this host have done with each other's memory. \throws CommunicationError where one of
  /// them has withdrawn, so that what was read of its memory is doubtful.
  void leave() {
    meet();
    if (withdrawn().load() != 0) throw_failure();
  }
  /// Says that this rank goes while others may read its memory, before it touches that again. The world has failed.
  void withdraw() noexcept { withdrawn().store(1); }
  /// The same as `meet`, where some of them may still wait for other hosts: who misses a message is to find out first
  /// whose it is.
  void meet_after_messages() { meet(2 * grace); }
  /// Waits for the ranks of this host. \p more: beyond the deadline.
  void meet(std::chrono::nanoseconds more = {}) {
    auto& own = counter(places_.rank());
    std::uint32_t const meeting = own.meetings.load() + 1;
    own.meetings.store(meeting);
    if (own.sleepers.load() > 0) wake_all(own.meetings);
    Deadline const deadline(longer(world_->deadline(), more));
    for (int const q : places_.local()) {
      if (!spin(counter(q), meeting)) sleep(q, meeting, deadline);
    }
  }

  /// Waits until MPI has moved what was begun, which goes on where it fails: see the destructor.
  void await(MessageRequests& requests) {
    try {
      await_moved(requests);
    } catch (CommunicationError const& error) {
      is_abandoned_ = true;
      world_->fail({error.kind(), world_->rank(), "failed: " + std::string(error.what())});  // unless it is known
      throw;
    }
  }

  // ------------------------------------------------------------------------------------------------- memory

  /// The part of \p rank in the collective that this rank is in.
  [[nodiscard]] SharedPosting& posting_of(int rank) const noexcept { return postings()[places_.row(rank)]; }
  /// Memory of \p rank, of this host, through which its bytes go where others cannot read them; bounce_bytes.
  [[nodiscard]] std::byte* bounce(int rank) const noexcept {
    return segment_.data() + bounce_begin() + places_.place(rank) * bounce_bytes();
  }
  [[nodiscard]] std::size_t bounce_bytes() const noexcept { return world_->places().bounce_bytes; }

  /// Lets the ranks of this host read \p arena, which is sealed, for as long as what is returned lives. Collective.
  [[nodiscard]] std::shared_ptr<void> add(std::shared_ptr<SharedArena> arena) {
    auto made = std::make_shared<Shown>();
    made->number = ++arenas_made_;
    made->arena = std::move(arena);
    auto const what = segment_of_arena(made->number);
    for (int const q : places_.local()) {
      if (q != places_.rank()) {
        world_->send(places_.world_rank(q), what, made->arena->bytes(), made->arena->descriptor());
      }
    }
    for (int const q : places_.local()) {
      made->peers.push_back(q == places_.rank() ? SharedMemory() : world_->receive(places_.world_rank(q), what));
    }
    std::erase_if(shown_, [](auto const& other) { return other.expired(); });
    shown_.push_back(made);
    return made;
  }
  /// Where the others of this host find \p data of this rank.
  [[nodiscard]] SharedPlace locate(void const* data) const noexcept {
    auto const* const at = static_cast<std::byte const*>(data);
    for (auto const& weak : shown_) {
      auto const shown = weak.lock();
      if (!shown) continue;
      auto const* const begin = shown->arena->data();
      std::less<> const before;
      if (!before(at, begin) && before(at, begin + shown->arena->bytes())) {
        return {shown->number, static_cast<std::uint64_t>(at - begin)};
      }
    }
    return {};
  }
  /// What \p rank, of this host, has posted, which does not lie outside.
  [[nodiscard]] std::byte const* read(int rank, SharedPlace place) const noexcept {
    for (auto const& weak : shown_) {
      auto const shown = weak.lock();
      if (!shown || shown->number != place.arena) continue;
      bool const own = rank == places_.rank();
      return (own ? shown->arena->data() : shown->peers[places_.place(rank)].data()) + place.offset;
    }
    return nullptr;
  }

  /// Bytes that the ranks of one host share for a group, of which \p local are there and \p size in all.
  [[nodiscard]] static std::size_t bytes_of_host(std::size_t local, std::size_t size, std::size_t bounce) noexcept {
    return SharedMemory::whole_pages(bounce_begin_of(local, size) + local * bounce);
  }

  [[noreturn, gnu::cold]] void throw_failure() {
    throw_failure(posting_of(places_.rank()).view(), "waited in", "and rank", "");
  }
  void expect_no_failure() {
    if (world_->failed()) throw_failure();
  }

 private:
  // The engine's memory on each rank of the host.
  struct Shown {
    std::uint64_t number = 0;
    std::shared_ptr<SharedArena> arena{};
    std::vector<SharedMemory> peers{};  // by place; none for this rank
  };
  // A host whose ranks miss one of theirs says so before the others give it up.
  static constexpr std::chrono::milliseconds grace{500};

  [[nodiscard]] std::uint64_t segment_of_group(std::uint64_t number) const noexcept { return 1 + number; }
  [[nodiscard]] std::uint64_t segment_of_arena(std::uint64_t number) const noexcept {
    return (number << 32U) + segment_of_group(number_);
  }

  [[nodiscard]] std::size_t bytes() const noexcept {
    return bytes_of_host(places_.local().size(), static_cast<std::size_t>(places_.size()), bounce_bytes());
  }
  [[nodiscard]] static std::size_t bounce_begin_of(std::size_t local, std::size_t size) noexcept {
    constexpr std::size_t page = 4096;
    return ((1 + local) * sizeof(MeetingCounter) + size * sizeof(SharedPosting) + page - 1) / page * page;
  }
  [[nodiscard]] std::size_t bounce_begin() const noexcept {
    return bounce_begin_of(places_.local().size(), static_cast<std::size_t>(places_.size()));
  }
  [[nodiscard]] MeetingCounter& counter(int rank) const noexcept { return counters()[1 + places_.place(rank)]; }
  // The first counter is nobody's: a line of the cache for what is said once.
  [[nodiscard]] std::atomic<std::uint32_t>& withdrawn() const noexcept { return counters()[0].meetings; }
  [[nodiscard]] MeetingCounter* counters() const noexcept { return reinterpret_cast<MeetingCounter*>(segment_.data()); }
  [[nodiscard]] SharedPosting* postings() const noexcept {
    return reinterpret_cast<SharedPosting*>(counters() + 1 + places_.local().size());
  }

  static constexpr char const* end_ranks = ": end the ranks, and start again from a checkpoint";
  [[noreturn, gnu::cold]] void throw_failure(Posting const& mine, char const* does, char const* because,
                                             char const* cure) {
    auto const failure = world_->failure();
    throw CommunicationError(failure.kind, mine.where(failure.rank),
                             concat({"zero: rank ", world_->rank(), " ", does, " ", mine.describe(), ", ", because, " ",
                                     failure.rank, " ", failure.reason, cure}));
  }

  // A short spin first: the collectives of a step follow each other closely, and a wake-up costs more than most.
  [[nodiscard]] static bool spin(MeetingCounter const& other, std::uint32_t meeting) noexcept {
    return spin_for_processes().wait([&] { return other.has_reached(meeting); });
  }
  // Sleeps for a moment at a time, since a failure wakes nobody.
  void sleep(int rank, std::uint32_t meeting, Deadline const& deadline) {
    constexpr int moment = 10;  // milliseconds
    auto& other = counter(rank);
    FailurePatience patience(places_.has_remote());
    for (;;) {
      // Sequentially consistent: either this rank sees the arrival, or the other one sees a sleeper.
      other.sleepers.fetch_add(1);
      std::uint32_t const seen = other.meetings.load();
      if (!other.has_reached(meeting)) sleep_on(other.meetings, seen, moment);
      other.sleepers.fetch_sub(1);
      bool const failed = world_->failed(), left = !failed && world_->has_left(places_.world_rank(rank));
      // Asked last: a rank that has failed or left may have come, and have seen all others come, before it did.
      if (other.has_reached(meeting)) return;
      if (failed ? !patience.passed() : !left && !deadline.passed()) continue;
      if (left) world_->fail_left(places_.world_rank(rank));
      if (!failed && !left) miss(places_.world_rank(rank));
      throw_failure();
    }
  }
  void await_moved(MessageRequests& requests) {
    Deadline const deadline(longer(world_->deadline(), grace));
    PeerWatch watch(*world_);
    FailurePatience patience(true);
    for (Pause pause; !requests.done(); pause()) {
      bool const failed = world_->failed(), late = !failed && deadline.passed();
      bool const left = !failed && !late && watch.has_left(requests.first_waiting());
      if ((failed || left) && requests.done()) return;  // what was waited for had come before
      if (failed ? !patience.passed() : !late && !left) continue;
      if (left) world_->fail_left(requests.first_waiting());
      if (late) miss(requests.first_waiting());
      throw_failure();
    }
  }
  /// \p rank, of the world, has let the deadline pass.
  void miss(int rank) {
    world_->fail({CommunicationFailure::deadline, rank,
                  concat({"did not arrive within the deadline of ", milliseconds_of(world_->deadline()),
                          " ms: find what holds it up, or set a longer MpiConfig::deadline"})});
  }

  // The leaders of hosts give each other the parts of their ranks.
  void exchange_postings() {
    MessageRequests requests(world_->messages());
    auto const& hosts = places_.hosts();
    auto const rows = [&](std::size_t host) { return postings() + places_.row(hosts[host].front()); };
    auto const bytes = [&](std::size_t host) { return hosts[host].size() * sizeof(SharedPosting); };
    for (std::size_t host = 0; host < hosts.size(); ++host) {
      if (host == places_.own_host()) continue;
      int const leader = places_.world_rank(hosts[host].front());
      requests.receive(rows(host), bytes(host), leader, collective_tag());
      requests.send(rows(places_.own_host()), bytes(places_.own_host()), leader, collective_tag());
    }
    await(requests);
  }

  [[noreturn, gnu::cold]] void throw_mismatch(int rank) {
    auto const first = posting_of(0).view(), other = posting_of(rank).view();
    auto const parts = concat({"rank ", places_.world_rank(0), " ", first.describe(&other), ", rank ",
                               places_.world_rank(rank), " ", other.describe(&first)});
    world_->fail({CommunicationFailure::mismatch, places_.world_rank(rank),
                  concat({"called another collective than rank ", places_.world_rank(0), " (", parts, ")"})});
    throw CommunicationError(CommunicationFailure::mismatch, other.where(places_.world_rank(rank)),
                             concat({"zero: ranks called different collectives: ", parts,
                                     ": call the engine in the same order on every rank"}));
  }

  std::shared_ptr<MpiWorld> world_;
  GroupPlaces places_;
  std::uint64_t number_;
  SharedMemory segment_;
  std::vector<std::weak_ptr<Shown>> shown_;
  std::uint64_t arenas_made_ = 0;
  bool is_abandoned_ = false;
};

}  // namespace zero::detail
