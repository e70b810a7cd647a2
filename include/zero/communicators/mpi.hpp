// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/backends/host_stream.hpp>
#include <zero/collective_memory.hpp>
#include <zero/communicator.hpp>
#include <zero/communicators/detail/collective_label.hpp>
#include <zero/communicators/detail/collective_slice.hpp>
#include <zero/communicators/detail/split.hpp>
#include <zero/communicators/detail/transfer_list.hpp>
#include <zero/engine/rank_agreement.hpp>
#include <zero/mpi/config.hpp>
#include <zero/mpi/detail/group.hpp>
#include <zero/mpi/detail/join.hpp>
#include <zero/mpi/detail/mpi.hpp>
#include <zero/mpi/detail/rounds.hpp>
#include <zero/mpi/detail/shared_arena.hpp>
#include <zero/mpi/detail/shared_memory.hpp>
#include <zero/mpi/detail/transfer.hpp>
#include <zero/mpi/detail/world.hpp>
#include <zero/point_to_point.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace zero {

/// One rank of a world of processes that MPI has started, on any number of hosts, for engines on HostBackend. The ranks
/// of one host read each other's memory; hosts send each other slices, which are added in the order of ranks as
/// everywhere. Reports failures by a channel of its own: where a rank dies, fails or does not come within the deadline,
/// all ranks throw CommunicationError. It never ends a process, and never waits inside MPI. Used by one thread: the one
/// that has initialized MPI, unless that provides MPI_THREAD_SERIALIZED. Must outlive the engines that use it.
/// Move-only.
class MpiCommunicator : public SingleMessages<MpiCommunicator, HostStream> {
 public:
  /// Settings.
  using Config = MpiConfig;
  /// What this communicator can do besides what communicator_on asks.
  static constexpr CommunicatorFacts facts{.reports_failures = true, .registers_memory = true};

  /// All processes of the program. Blocks until all ranks have come. MPI must be initialized, and stay so.
  /// \throws ConfigurationError, on all ranks where one cannot go on; MismatchError where settings differ;
  /// CommunicationError.
  MpiCommunicator() : MpiCommunicator(MPI_COMM_WORLD, MpiConfig{}) {}
  /// As the constructor above, with settings.
  explicit MpiCommunicator(MpiConfig const& config) : MpiCommunicator(MPI_COMM_WORLD, config) {}
  /// The ranks of \p caller, which stays the caller's: messages go over a duplicate.
  explicit MpiCommunicator(MPI_Comm caller, MpiConfig const& config = {})
      : MpiCommunicator(detail::MpiJoin(caller, config).run()) {}

  /// Leaves \p other as good as destroyed.
  MpiCommunicator(MpiCommunicator&& other) noexcept = default;
  /// As the constructor; what this one was is destroyed.
  MpiCommunicator& operator=(MpiCommunicator&& other) noexcept = default;

  /// This rank's number, from 0.
  [[nodiscard]] int rank() const noexcept { return group_->places().rank(); }
  /// Number of ranks.
  [[nodiscard]] int size() const noexcept { return group_->places().size(); }
  /// Number of ranks that share this rank's cores: those of its host that a launcher lets run where it runs.
  [[nodiscard]] int local_size() const noexcept { return world().places().sharing_processors; }

  /// \throws CommunicationError where a rank has failed. Does not wait.
  void(check)() const { group_->expect_no_failure(); }
  /// Tells all ranks that this one cannot go on: their collectives, and what waits for them, end. \p reason goes on
  /// after "rank N". An exception that leaves the scope of the last communicator does this by itself; who catches one
  /// earlier, and does not go on, calls it.
  void fail(std::string_view reason) {
    world().fail({CommunicationFailure::peer_failed, world().rank(), std::string(reason)});
  }

  /// Ranks with the same \p color form a group of their own, in the order of \p key, and of their numbers here where
  /// keys are equal; those with a negative color are in none. Collective, blocks. The group may outlive this
  /// communicator. A failure in any group ends the waits in all groups of the world: the error names the first rank
  /// that failed, as the world counts.
  [[nodiscard]] std::optional<MpiCommunicator> split(int color, int key) {
    auto members = detail::exchange_members(*this, color, key);
    auto const numbers = detail::exchange_words(*this, world().next_group());
    std::uint64_t number = 0;
    for (int const q : members) number = (std::max)(number, numbers[static_cast<std::size_t>(q)]);
    std::shared_ptr<detail::MpiGroup> made;
    detail::run_on_all_ranks<detail::SplitFailure>(*this, [&] {
      if (members.empty()) return;
      for (auto& member : members) member = group_->places().world_rank(member);
      world().take_group(number);
      made = std::make_shared<detail::MpiGroup>(group_->shared_world(), std::move(members), number);
    });
    if (!made) return std::nullopt;
    return MpiCommunicator(std::move(made));
  }

  /// Adds this rank's slice of all ranks' \p send to \p into; see communicator_on.
  template <class Sum, class Element>
  void reduce_scatter_add(Element const* send, Sum* into, std::size_t count, SumRange range, CollectivePurpose purpose,
                          HostStream stream) {
    detail::check_slice("zero::MpiCommunicator",
                        {send, count * sizeof(Element), size(), rank(), into, count * sizeof(Sum)});
    int const addends = range.count(size());
    auto const add = [&](std::byte const* const* sources, std::size_t at, std::size_t bytes) {
      accumulate(into + at / sizeof(Element), reinterpret_cast<Element const* const*>(sources),
                 static_cast<std::size_t>(addends), bytes / sizeof(Element), range.first, stream);
    };
    auto const place = group_->locate(send);
    auto const posting = post<Element>("reduce_scatter_add", purpose, count, place, range);
    detail::ScatteredPart part(*group_, send, count * sizeof(Element), addends, place);
    detail::run_rounds(*group_, posting, part, add);
  }

  /// Gathers all ranks' \p own into \p full; see communicator_on.
  template <class Element>
  void all_gather(Element const* own, Element* full, std::size_t count, CollectivePurpose purpose, HostStream stream) {
    detail::check_slice("zero::MpiCommunicator",
                        {full, count * sizeof(Element), size(), rank(), own, count * sizeof(Element)});
    auto const place = group_->locate(own);
    gather(post<Element>("all_gather", purpose, count, place), own, full, count * sizeof(Element), place, stream);
  }

  /// Sums unsigned integers over the ranks, in place; see communicator_on.
  void all_reduce(std::uint64_t* words, std::size_t count, CollectivePurpose purpose, HostStream stream) {
    auto& sums = sums_;
    if (sums.size() < count) sums = stream.make_u64_buffer(count);
    auto const add = [&](std::byte const* const* sources, std::size_t at, std::size_t bytes) {
      stream.sum_u64(sums.data() + at / sizeof(std::uint64_t), reinterpret_cast<std::uint64_t const* const*>(sources),
                     static_cast<std::size_t>(size()), bytes / sizeof(std::uint64_t));
    };
    auto const place = group_->locate(words);
    auto const posting = post<std::uint64_t>("all_reduce", purpose, count, place);
    detail::GatheredPart part(*group_, words, count * sizeof(std::uint64_t), place);
    detail::run_rounds(*group_, posting, part, add);
    (stream.copy)(words, sums.data(), count * sizeof(std::uint64_t));
  }

  /// Gathers bytes of all ranks on the host, and blocks; see communicator_on.
  void exchange(std::span<std::byte const> mine, std::span<std::byte> all) {
    detail::check_exchange("zero::MpiCommunicator", mine, all, rank(), size());
    gather(post<std::byte>("exchange", {.what = "settings"}, mine.size(), {}), mine.data(), all.data(), mine.size(), {},
           HostStream());
  }

  /// Sends slice q of \p send to rank q, and receives slice q of \p receive from it; see all_to_all_on.
  template <class Element>
  void all_to_all(Element const* send, Element* receive, std::size_t count, CollectivePurpose purpose,
                  HostStream stream) {
    std::size_t const slice = count * sizeof(Element);
    detail::check_all_to_all("zero::MpiCommunicator", send, receive, static_cast<std::size_t>(size()) * slice);
    auto const take = [&](std::byte const* const* sources, std::size_t at, std::size_t bytes) {
      for (std::size_t q = 0; q < static_cast<std::size_t>(size()); ++q) {
        (stream.copy)(reinterpret_cast<std::byte*>(receive) + q * slice + at, sources[q], bytes);
      }
    };
    auto const place = group_->locate(send);
    auto const posting = post<Element>("all_to_all", purpose, count, place);
    detail::ScatteredPart part(*group_, send, slice, size(), place);
    detail::run_rounds(*group_, posting, part, take);
  }

  /// A list of messages to and from other ranks, which are one operation; see point_to_point_on. Blocks until all of
  /// them have moved.
  void transfer(std::span<Transfer const> list, CollectivePurpose purpose, HostStream /*stream*/) {
    detail::check_transfers("zero::MpiCommunicator", list, rank(), size());
    if (list.empty()) return;
    group_->expect_no_failure();
    detail::MpiTransfer(*group_, {transfers_++, purpose}).run(list);
  }

  /// What an engine takes memory for collectives from, so that the ranks of its host read it. The next call of
  /// `register_buffers` is about what was allocated from it.
  [[nodiscard]] CollectiveMemory collective_memory() {
    arena_ = std::make_shared<detail::SharedArena>(static_cast<int>(group_->places().local().size()));
    return detail::SharedArena::source(arena_);
  }
  /// Shows the ranks of this host what was allocated, for as long as what is returned lives. Collective. \throws
  /// ConfigurationError on all ranks where one of them cannot.
  [[nodiscard]] std::shared_ptr<void> register_buffers(std::span<MemoryBlock const> /*blocks*/) {
    std::shared_ptr<void> shown;
    detail::run_on_all_ranks(*this, [&] {
      arena_->seal();
      shown = group_->add(std::move(arena_));
    });
    return shown;
  }

  /// Bytes of shared memory that a communicator of all \p size ranks takes on a host with \p local of them, engines
  /// apart, in whole pages. A group of as many ranks takes less: `split` shares once more only what is the group's own.
  [[nodiscard]] static std::size_t bytes_of_host(int local, int size, MpiConfig const& config = {}) noexcept {
    return detail::MpiWorld::bytes_of_host() +
           detail::MpiGroup::bytes_of_host(static_cast<std::size_t>(local), static_cast<std::size_t>(size),
                                           detail::SharedMemory::whole_pages(config.bounce_bytes));
  }

 private:
  explicit MpiCommunicator(std::shared_ptr<detail::MpiWorld> world) : group_(of_all(std::move(world))) {}
  explicit MpiCommunicator(std::shared_ptr<detail::MpiGroup> group) : group_(std::move(group)) {}

  [[nodiscard]] static std::shared_ptr<detail::MpiGroup> of_all(std::shared_ptr<detail::MpiWorld> world) {
    std::vector<int> all(static_cast<std::size_t>(world->size()));
    for (int r = 0; r < world->size(); ++r) all[static_cast<std::size_t>(r)] = r;
    std::shared_ptr<detail::MpiGroup> made;
    detail::run_on_all_ranks<detail::SplitFailure>(*world, [&] {
      world->take_group(0);
      made = std::make_shared<detail::MpiGroup>(world, std::move(all), 0);
    });
    return made;
  }

  [[nodiscard]] detail::MpiWorld& world() const noexcept { return group_->world(); }

  template <class Element>
  [[nodiscard]] detail::SharedPosting post(std::string_view operation, CollectivePurpose purpose, std::size_t count,
                                           detail::SharedPlace place, SumRange range = {.first = false}) {
    auto posting =
        detail::SharedPosting::of({operation, purpose, count, sizeof(Element), sequence_++, nullptr, nullptr, range});
    posting.place = place;
    return posting;
  }
  void gather(detail::SharedPosting const& posting, void const* own, void* full, std::size_t bytes,
              detail::SharedPlace place, HostStream stream) {
    auto const copy = [&](std::byte const* const* sources, std::size_t at, std::size_t count) {
      for (std::size_t q = 0; q < static_cast<std::size_t>(size()); ++q) {
        auto* const to = static_cast<std::byte*>(full) + q * bytes + at;
        if (to != sources[q]) (stream.copy)(to, sources[q], count);
      }
    };
    detail::GatheredPart part(*group_, own, bytes, place);
    detail::run_rounds(*group_, posting, part, copy);
  }

  // A stream adds up to 256 addends in one pass. Passes follow each other, in the order of ranks.
  template <class Sum, class Element>
  static void accumulate(Sum* into, Element const* const* sources, std::size_t addends, std::size_t count, bool first,
                         HostStream stream) {
    constexpr std::size_t most = 256;
    for (std::size_t done = 0; done == 0 || done < addends; done += most) {
      stream.accumulate(into, sources + done, (std::min)(most, addends - done), count, first && done == 0);
    }
  }

  std::shared_ptr<detail::MpiGroup> group_;
  std::shared_ptr<detail::SharedArena> arena_;
  HostStream::U64Buffer sums_;
  std::uint64_t sequence_ = 0;
  std::uint64_t transfers_ = 0;
};
static_assert(communicator_on<MpiCommunicator, HostStream>);
static_assert(point_to_point_on<MpiCommunicator, HostStream>);
static_assert(all_to_all_on<MpiCommunicator, HostStream>);

}  // namespace zero
