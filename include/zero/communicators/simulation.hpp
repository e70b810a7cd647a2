// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/backends/simulation.hpp>
#include <zero/communicator.hpp>
#include <zero/communicators/detail/collective_slice.hpp>
#include <zero/communicators/detail/split.hpp>
#include <zero/communicators/detail/transfer_list.hpp>
#include <zero/communicators/thread.hpp>
#include <zero/error.hpp>
#include <zero/kernels/accumulate.hpp>
#include <zero/point_to_point.hpp>
#include <zero/simulation/detail/collective.hpp>
#include <zero/simulation/detail/communicator_table.hpp>
#include <zero/simulation/detail/host.hpp>
#include <zero/simulation/detail/operation.hpp>
#include <zero/simulation/detail/process.hpp>
#include <zero/simulation/detail/transfer.hpp>
#include <zero/simulation/detail/world.hpp>
#include <zero/simulation/options.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zero {

/// One rank of a simulated world. Collectives are operations of a stream on every rank: they are matched by their
/// order, must be the same everywhere, and run together when each rank's part is the next of its stream. Made by
/// `simulate`; used by its own rank's host code only.
class SimulationCommunicator : public SingleMessages<SimulationCommunicator, SimulationStream> {
 public:
  /// What this communicator can do besides what communicator_on asks.
  static constexpr CommunicatorFacts facts{.needs_staging = true, .has_sum_orders = true};

  /// Another communicator of the same ranks, whose collectives are not ordered with those of this one. Every rank makes
  /// the same ones in the same order.
  [[nodiscard]] SimulationCommunicator duplicate() const {
    ++state().children;
    return make(0, process_.world().communicators().members(number_),
                std::make_shared<detail::simulation::LaunchOrder>());
  }
  /// Ranks with the same \p color form a group of their own, in the order of \p key, and of their numbers here where
  /// keys are equal; those with a negative color are in none. Collective, blocks. Collectives of this communicator and
  /// of all groups that are split from it run in one order on each rank, that of their launch, as on one communication
  /// stream: ranks whose orders do not fit wait for each other, which is a DeadlockError. \throws ConfigurationError
  /// where one rank stands for all.
  [[nodiscard]] std::optional<SimulationCommunicator> split(int color, int key) {
    detail::enforce(
        !process_.options().only_rank,
        "zero::SimulationCommunicator: one rank that stands for all cannot ask the others for their groups: "
        "simulate a world of the group's size");
    auto members = detail::exchange_members(*this, color, key);
    ++state().children;
    if (members.empty()) return std::nullopt;
    for (auto& rank : members) rank = process_.world().communicators().members(number_)[static_cast<std::size_t>(rank)];
    return make(color, std::move(members), state().launched);
  }

  /// This rank's number, from 0.
  [[nodiscard]] int rank() const noexcept { return rank_; }
  /// Number of ranks.
  [[nodiscard]] int size() const noexcept { return size_; }
  /// Number of ranks that share this machine's cores.
  [[nodiscard]] int local_size() const noexcept { return process_.options().ranks; }
  /// The rank's own part of the simulation: what its engine's backend is configured with.
  [[nodiscard]] simulation::Process process() const noexcept { return simulation::Process(process_); }
  /// Bytes that this rank has sent in reduce-scatters, all-gathers and all-to-alls, a slice to each of the others, and
  /// in messages to others. Those of its other communicators are among them.
  [[nodiscard]] std::uint64_t bytes_sent() const noexcept { return process_.host().bytes_sent; }
  /// A stream for the caller's work on this rank.
  [[nodiscard]] SimulationStream make_stream(std::string_view name) const {
    return {process_, process_.make_stream(name)};
  }

  /// Whether reductions in \p order add elements of type \p Element in the order of ranks: what NCCL does, where the
  /// simulation's options have it. Its sums have that order all the same.
  template <class Element>
  [[nodiscard]] bool adds_by_rank(SumOrder order) const noexcept {
    auto const& nccl = process_.options().nccl;
    return !nccl || nccl->of(sizeof(Element), order) == NcclReduction::ordered;
  }
  /// Device memory that a reduction of slices of \p count elements needs.
  template <class Sum, class Element>
  [[nodiscard]] std::size_t staging_bytes(std::size_t count, SumOrder order) const noexcept {
    auto const& nccl = process_.options().nccl;
    return nccl ? nccl->staging_bytes(static_cast<std::size_t>(size()), count, sizeof(Element), order) : 0;
  }

  /// Adds this rank's slice of all ranks' \p send to \p into; see communicator_on.
  template <class Sum, class Element>
  void reduce_scatter_add(Element const* send, Sum* into, std::size_t count, SumRange range, CollectivePurpose purpose,
                          SimulationStream stream, std::span<std::byte> staging = {}) {
    detail::check_slice("zero::SimulationCommunicator",
                        {send, count * sizeof(Element), size(), rank(), into, count * sizeof(Sum)});
    std::size_t const sent = static_cast<std::size_t>(size()) * count * sizeof(Element);
    std::vector<simulation::Access> accesses{simulation::writes(into, count * sizeof(Sum))};
    if (range.has(rank())) {
      count_sent<Element>(count);
      accesses.push_back(simulation::reads(send, sent));
    } else if (fills_absent<Element>(range.order)) {
      accesses.push_back(simulation::writes(send, sent));
    }
    if (!staging.empty()) accesses.push_back(simulation::writes(staging));
    auto posting = posting_of<Element>("reduce_scatter_add", purpose, count);
    posting.range = range;
    post(posting, send, into, std::move(accesses), stream, [count, range](detail::simulation::Collective const& all) {
      auto const addends = static_cast<std::size_t>(range.count(static_cast<int>(all.parts().size())));
      std::vector<Element const*> sources(addends);
      for (std::size_t r = 0; r < all.parts().size(); ++r) {
        for (std::size_t q = 0; q < addends; ++q)
          sources[q] = static_cast<Element const*>(all.part(q).send) + r * count;
        auto* const into_slice = static_cast<Sum*>(all.part(r).into);
        accumulate(best_instruction_set(), into_slice, sources.data(), addends, count, range.first);
      }
    });
  }

  /// Gathers all ranks' \p own into \p full; see communicator_on.
  template <class Element>
  void all_gather(Element const* own, Element* full, std::size_t count, CollectivePurpose purpose,
                  SimulationStream stream) {
    detail::check_slice("zero::SimulationCommunicator",
                        {full, count * sizeof(Element), size(), rank(), own, count * sizeof(Element)});
    count_sent<Element>(count);
    post(posting_of<Element>("all_gather", purpose, count), own, full,
         {simulation::reads(own, count * sizeof(Element)),
          simulation::writes(full, static_cast<std::size_t>(size()) * count * sizeof(Element))},
         stream, [count](detail::simulation::Collective const& all) {
           auto const world = all.parts().size();
           for (std::size_t r = 0; r < world; ++r) {
             for (std::size_t q = 0; q < world; ++q) {
               Element* const to = static_cast<Element*>(all.part(r).into) + q * count;
               if (to != all.part(q).send) std::memcpy(to, all.part(q).send, count * sizeof(Element));
             }
           }
         });
  }

  /// Sums unsigned integers over the ranks, in place; see communicator_on.
  void all_reduce(std::uint64_t* words, std::size_t count, CollectivePurpose purpose, SimulationStream stream) {
    std::span<std::uint64_t> const range(words, count);
    post(posting_of<std::uint64_t>("all_reduce", purpose, count), words, words,
         {simulation::reads(range), simulation::writes(range)}, stream,
         [count](detail::simulation::Collective const& all) {
           std::vector<std::uint64_t> sums(count);
           for (auto const& part : all.parts()) {
             for (std::size_t i = 0; i < count; ++i) {
               sums[i] += static_cast<std::uint64_t const*>(part->send)[i];
             }
           }
           for (auto const& part : all.parts()) {
             std::memcpy(part->into, sums.data(), count * sizeof(std::uint64_t));
           }
         });
  }

  /// Gathers bytes of all ranks on the host, and blocks; see communicator_on.
  void exchange(std::span<std::byte const> mine, std::span<std::byte> all) {
    detail::check_exchange("zero::SimulationCommunicator", mine, all, rank(), size());
    auto& world = process_.world();
    auto const posting = posting_of<std::byte>("exchange", {.what = "settings"}, mine.size());
    detail::simulation::CollectivePart part{.posting = posting, .message = {mine.begin(), mine.end()}};
    auto const collective = post_part(std::move(part), nullptr);
    world.meet(process_.host(), collective);
    for (std::size_t r = 0; r < static_cast<std::size_t>(size()) && !mine.empty(); ++r) {
      auto const& theirs = collective->parts()[r];  // where one rank stands for all, every other says the same
      std::memcpy(all.data() + r * mine.size(), theirs ? theirs->message.data() : mine.data(), mine.size());
    }
    world.communicators().leave(number_, posting.sequence);
  }

  /// Sends slice q of \p send to rank q, and receives slice q of \p receive from it; see all_to_all_on.
  template <class Element>
  void all_to_all(Element const* send, Element* receive, std::size_t count, CollectivePurpose purpose,
                  SimulationStream stream) {
    std::size_t const bytes = static_cast<std::size_t>(size()) * count * sizeof(Element);
    detail::check_all_to_all("zero::SimulationCommunicator", send, receive, bytes);
    count_sent<Element>(count);
    post(posting_of<Element>("all_to_all", purpose, count), send, receive,
         {simulation::reads(send, bytes), simulation::writes(receive, bytes)}, stream,
         [count](detail::simulation::Collective const& all) {
           auto const world = all.parts().size();
           for (std::size_t r = 0; r < world; ++r) {
             for (std::size_t q = 0; q < world; ++q) {
               Element const* const from = static_cast<Element const*>(all.part(q).send) + r * count;
               std::copy_n(from, count, static_cast<Element*>(all.part(r).into) + q * count);
             }
           }
         });
  }

  /// A list of messages to and from other ranks, which are one operation; see point_to_point_on. It shares one order
  /// with the collectives of this communicator and of all groups of it. What happened before a send has happened before
  /// the end of its receipt, and not the other way round. Where one rank stands for all, nobody else need come.
  void transfer(std::span<Transfer const> list, CollectivePurpose purpose, SimulationStream stream) {
    detail::check_transfers("zero::SimulationCommunicator", list, rank(), size());
    if (list.empty()) return;
    for (auto const& one : list) {
      if (one.sends() && one.peer != rank()) process_.host().bytes_sent += one.bytes;
    }
    if (process_.world().passes_through()) return process_.world().count_operation();
    auto const part = std::make_shared<detail::simulation::TransferPart>();
    detail::simulation::Operation operation;
    operation.name = detail::concat({name_of(list), " of ", purpose.what});
    operation.bucket = purpose.bucket;
    operation.transfer = part;
    for (auto const& one : list) {
      operation.accesses.push_back(one.sends() ? simulation::reads(one.data, one.bytes)
                                               : simulation::writes(one.data, one.bytes));
      part->items.push_back({one});
    }
    part->communicator = number_;
    part->label = {state().transfers++, purpose};
    part->stream = stream.stream_;
    process_.world().communicators().post(process_.host(), *part);
    stream.put(std::move(operation));
  }

 private:
  template <class Function>
  friend SimulationResult simulate(SimulationOptions const& options, Function&& f);

  // Communicator \p number of the simulation; 0 has all ranks.
  explicit SimulationCommunicator(detail::simulation::Process process, std::size_t number = 0)
      : process_(process),
        number_(number),
        rank_(detail::place_in(process.world().communicators().members(number), process.rank())),
        size_(static_cast<int>(process.world().communicators().members(number).size())) {}

  [[nodiscard]] static std::string_view name_of(std::span<Transfer const> list) noexcept {
    return list.size() > 1 ? "transfer" : list.front().sends() ? "send" : "receive";
  }
  [[nodiscard]] detail::simulation::CommunicatorState& state() const {
    return process_.host().communicators.at(number_);
  }
  [[nodiscard]] SimulationCommunicator make(int color, std::vector<int> members,
                                            std::shared_ptr<detail::simulation::LaunchOrder> launched) const {
    auto& table = process_.world().communicators();
    return SimulationCommunicator(process_,
                                  table.make(process_.host(), number_, color, std::move(members), std::move(launched)));
  }

  // As NcclCommunicator does on ranks without an addend, where NCCL adds.
  template <class Element>
  [[nodiscard]] bool fills_absent(SumOrder order) const noexcept {
    auto const& nccl = process_.options().nccl;
    return nccl && nccl->of(sizeof(Element), order) == NcclReduction::native;
  }
  template <class Element>
  void count_sent(std::size_t count) noexcept {
    process_.host().bytes_sent += static_cast<std::uint64_t>(size() - 1) * count * sizeof(Element);
  }

  template <class Element>
  [[nodiscard]] detail::Posting posting_of(std::string_view operation, CollectivePurpose purpose,
                                           std::size_t count) const {
    return {operation, purpose, count, sizeof(Element), state().sequence};
  }

  std::shared_ptr<detail::simulation::Collective> post_part(
      detail::simulation::CollectivePart part, std::function<void(detail::simulation::Collective const&)> run) {
    part.snapshot = process_.host().clock_snapshot();
    auto collective = process_.world().communicators().next_collective(process_.host(), number_);
    collective->post(rank(), std::move(part), std::move(run));
    return collective;
  }

  template <class Run>
  void post(detail::Posting const& posting, void const* send, void* into, std::vector<simulation::Access> accesses,
            SimulationStream stream, Run run) {
    if (process_.world().passes_through()) return process_.world().count_operation();
    detail::simulation::Operation operation;
    operation.name = detail::concat({posting.operation, " of ", posting.purpose.what});
    operation.bucket = posting.purpose.bucket;
    operation.accesses = std::move(accesses);
    operation.collective =
        post_part({.posting = posting, .send = send, .into = into, .stream = stream.stream_}, std::move(run));
    stream.put(std::move(operation));
  }

  detail::simulation::Process process_;
  std::size_t number_;
  int rank_;
  int size_;
};
static_assert(communicator_on<SimulationCommunicator, SimulationStream>);
static_assert(point_to_point_on<SimulationCommunicator, SimulationStream>);
static_assert(all_to_all_on<SimulationCommunicator, SimulationStream>);

/// Runs `f(communicator)` on every rank of a simulated world, and then what is left on their streams, in an order that
/// the seed decides. \throws RaceError, DeadlockError, CommunicationError for collectives that do not match, or the
/// first error that a rank threw; ConfigurationError for options that cannot work.
template <class Function>
SimulationResult simulate(SimulationOptions const& options, Function&& f) {
  detail::enforce(options.ranks >= 1, "zero::simulate: at least 1 rank is needed");
  detail::enforce(!options.only_rank || options.storage == SimulationStorage::phantom,
                  "zero::simulate: only_rank needs SimulationStorage::phantom: data of other ranks would be missing");
  detail::enforce(!options.only_rank || (*options.only_rank >= 0 && *options.only_rank < options.ranks),
                  "zero::simulate: only_rank must be one of the ranks");
  detail::simulation::World world(options);
  return world.run([&](int rank) {
    SimulationCommunicator communicator(detail::simulation::Process(world, world.host(rank)));
    f(communicator);
  });
}

}  // namespace zero
