// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/backend.hpp>
#include <zero/backends/host.hpp>
#include <zero/backends/simulation_stream.hpp>
#include <zero/bucket.hpp>
#include <zero/call_site.hpp>
#include <zero/error.hpp>
#include <zero/kernels/decide.hpp>
#include <zero/kernels/norm_words.hpp>
#include <zero/kernels/update.hpp>
#include <zero/memory/allocation_counter.hpp>
#include <zero/memory/buffer.hpp>
#include <zero/memory/host_memory.hpp>
#include <zero/simulation/detail/operation.hpp>
#include <zero/simulation/detail/process.hpp>
#include <zero/simulation/detail/stream.hpp>
#include <zero/simulation/process.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zero {

/// A backend on which nothing happens at once: operations wait on streams, run under a seeded scheduler in any order
/// that streams and events allow, and are judged for races. They run on host memory, with the kernels of HostBackend
/// in one thread; or, with phantom storage, do not, and the same engine is a model of its memory and traffic.
class SimulationBackend {
 public:
  /// What operations are put on; a trivially copyable reference.
  using Stream = SimulationStream;
  /// What streams and the host wait for.
  using Event = SimulationEvent;
  /// What this backend can do besides what backend_policy asks.
  static constexpr BackendFacts facts{.names_memory = true, .takes_call_sites = true};

  /// Settings of this backend; a member of EngineConfig.
  struct Config {
    simulation::Process process{};  ///< the rank's: SimulationCommunicator::process()
  };

  /// Owns a stream of the engine.
  class OwnedStream {
   public:
    /// Takes what `make_stream` has made.
    explicit OwnedStream(Stream stream) noexcept : stream_(stream) {}
    /// The stream; valid as long as its owner.
    [[nodiscard]] Stream get() const noexcept { return stream_; }

   private:
    Stream stream_;
  };

  /// \throws ConfigurationError without a simulated rank.
  SimulationBackend(Config const& config, int /*local_ranks*/)
      : process_(config.process.process_), host_({.threads = 1}, 1) {
    detail::enforce(static_cast<bool>(process_),
                    "zero::SimulationBackend: set backend = {communicator.process()} of a SimulationCommunicator");
  }

  // ------------------------------------------------------------------------------------------------- memory

  /// Control memory is real always: the host reads decisions in it.
  [[nodiscard]] MemoryBlock allocate(MemoryKind kind, MemoryPurpose purpose, std::size_t bytes) {
    bool const real = process_.options().storage == SimulationStorage::real || purpose == MemoryPurpose::control;
    auto const block = real ? host_.allocate(kind, purpose, bytes) : reserve(bytes);
    use_.add(kind, block.bytes);
    process_.allocated(block, zero::name(purpose));
    return block;
  }
  /// Gives back what `allocate` has handed out. Nothing may use it any more.
  void deallocate(MemoryKind kind, MemoryBlock block) noexcept {
    process_.freed(block);
    use_.remove(kind, block.bytes);
    if (!detail::simulation::Process::is_phantom(block.data)) host_.deallocate(kind, block);
  }
  /// Bytes of one kind that are handed out now.
  [[nodiscard]] std::size_t bytes_in_use(MemoryKind kind) const noexcept { return use_.in_use(kind); }
  /// Bytes of one kind that were handed out at most at a time.
  [[nodiscard]] std::size_t peak_bytes(MemoryKind kind) const noexcept { return use_.peak(kind); }
  /// Blocks that were handed out since construction.
  [[nodiscard]] std::uint64_t allocations() const noexcept { return use_.allocations(); }
  /// Whether anybody reads what `name_memory` is told.
  [[nodiscard]] bool wants_names() const noexcept { return process_.options().check; }
  /// Says what lies somewhere, for messages.
  void name_memory(void const* data, std::size_t bytes, std::string name) {
    process_.name(data, bytes, std::move(name));
  }

  // ------------------------------------------------------------------------------------------------- order

  /// A new stream, whose name traces and errors use.
  [[nodiscard]] OwnedStream make_stream(std::string_view name) {
    return OwnedStream(Stream(process_, process_.make_stream(name)));
  }
  /// Records \p event after the work that is on \p stream.
  void record(Event& event, Stream stream, CallSite site = CallSite::current()) {
    event.process_ = process_;
    if (auto recorded = process_.record(*stream.stream_, site)) event.recorded_ = std::move(recorded);
  }
  /// What is put on \p stream from now on runs after what \p event was recorded after. Does not block the host.
  void wait(Stream stream, Event const& event, CallSite site = CallSite::current()) {
    process_.wait(*stream.stream_, event.recorded_, site);
  }
  /// Blocks the host until all work on \p stream has run.
  void synchronize(Stream stream, CallSite site = CallSite::current()) { process_.synchronize(*stream.stream_, site); }
  /// The host is about to read these bytes, which operations use.
  void host_reads(void const* from, std::size_t bytes) { process_.touch(simulation::reads(from, bytes)); }
  /// The host is about to write these bytes, which operations use.
  void host_writes(void const* to, std::size_t bytes) { process_.touch(simulation::writes(to, bytes)); }

  // ------------------------------------------------------------------------------------------------- operations

  /// Fills with zero bytes, in the order of the stream.
  void zero(void* to, std::size_t bytes, Stream stream) {
    put(stream, "zero", {simulation::writes(to, bytes)}, [this, to, bytes] { host_.zero(to, bytes, {}); });
  }
  /// Between any two kinds of memory, in the order of the stream.
  void(copy)(void* to, void const* from, std::size_t bytes, Stream stream) {
    put(stream, "copy", {simulation::reads(from, bytes), simulation::writes(to, bytes)},
        [this, to, from, bytes] { (host_.copy)(to, from, bytes, {}); });
  }
  /// Between two places of host memory, by the host.
  void copy_on_host(void* to, void const* from, std::size_t bytes, Stream stream) {
    put(stream, "copy on host", {simulation::reads(from, bytes), simulation::writes(to, bytes)},
        [this, to, from, bytes] { (host_.copy)(to, from, bytes, {}); });
  }
  /// Many small copies as one operation.
  void copy_many(std::span<CopyRange const> ranges, Stream stream) {
    std::vector<CopyRange> const copied(ranges.begin(), ranges.end());
    std::vector<simulation::Access> accesses;
    for (auto const& range : copied) {
      accesses.push_back(simulation::reads(range.from, range.bytes));
      accesses.push_back(simulation::writes(range.to, range.bytes));
    }
    put(stream, "copy many", std::move(accesses), [this, copied] { host_.copy_many(copied, {}); });
  }

  /// into[i] += from[i] for \p n elements, rounded to Sum; copied where \p first.
  template <class Sum, class Element>
  void accumulate(Sum* into, Element const* from, std::size_t n, bool first, Stream stream) {
    put(stream, "accumulate", {simulation::reads(from, n * sizeof(Element)), simulation::writes(into, n * sizeof(Sum))},
        [this, into, from, n, first] { host_.accumulate(into, from, n, first, {}); });
  }

  /// Adds the squares of a slice to the norm; see norm_backend.
  template <class Sum>
  void squares(NormWords norm, SegmentView const& segments, Sum const* slice, Stream stream) {
    put(stream, "squares",
        {simulation::reads(slice, segments.extent() * sizeof(Sum)), reads_table(segments),
         simulation::writes(norm.words, NormWords::count(norm.world) * sizeof(std::uint64_t))},
        [this, norm, segments, slice] { host_.squares(norm, segments, slice, {}); });
  }

  /// Runs zero::decide once; see deciding_backend.
  template <class Rule, class Scaler>
  void decide(DecisionArguments<Rule, Scaler> const& a, Stream stream) {
    put(stream, "decide",
        {simulation::reads(a.norm.words, NormWords::count(a.norm.world) * sizeof(std::uint64_t)),
         simulation::reads(a.groups, a.group_count * sizeof(typename Rule::Config)),
         simulation::reads(a.clipping, sizeof *a.clipping), simulation::writes(a.state, sizeof *a.state),
         simulation::writes(a.decision, sizeof *a.decision),
         simulation::reads(a.sets, a.sets != nullptr ? a.set_count * sizeof(ConstantsSet) : 0),
         simulation::writes(a.constants, a.set_count * sizeof(typename Rule::Constants)),
         simulation::writes(a.outcome, sizeof *a.outcome),
         simulation::reads(a.entries,
                           a.entries != nullptr ? static_cast<std::size_t>(a.norm.world) * sizeof(NormEntry) : 0),
         simulation::reads(a.scale, a.scale != nullptr ? sizeof *a.scale : 0)},
        [this, a] { host_.decide(a, {}); });
  }

  /// The fused update of the segments of a slice; see updating_backend.
  template <class Rule, class Compute, class Sum>
  void update(SegmentView const& segments, UpdateArguments<Rule, Compute, Sum> const& base,
              Decision<Rule> const* decision, Stream stream) {
    put_update("update", segments, base, decision, stream);
  }
  /// The fused update in host memory; see offloading_backend.
  template <class Rule, class Compute, class Sum>
  void update_on_host(SegmentView const& segments, UpdateArguments<Rule, Compute, Sum> const& base,
                      Decision<Rule> const* decision, Stream stream) {
    put_update("update on host", segments, base, decision, stream);
  }

  /// Rounds elements to another type, in host memory; see offloading_backend.
  template <class To, class From>
  void cast_on_host(To* to, From const* from, std::size_t n, Stream stream) {
    put(stream, "cast on host", {simulation::reads(from, n * sizeof(From)), simulation::writes(to, n * sizeof(To))},
        [this, to, from, n] { host_.cast_on_host(to, from, n, {}); });
  }

 private:
  [[nodiscard]] MemoryBlock reserve(std::size_t bytes) const {
    std::size_t const rounded = (bytes + HostBackend::alignment - 1) / HostBackend::alignment * HostBackend::alignment;
    return {process_.reserve(rounded), rounded};
  }

  [[nodiscard]] static simulation::Access reads_table(SegmentView const& segments) {
    return simulation::reads(segments.device, segments.host.size() * sizeof(Segment));
  }

  template <class Function>
  void put(Stream stream, char const* name, std::vector<simulation::Access> accesses, Function run) {
    if (process_.pass_through(accesses, run)) return;
    detail::simulation::Operation operation;
    operation.name = name;
    operation.accesses = std::move(accesses);
    operation.run = std::move(run);
    stream.put(std::move(operation));
  }

  template <class Rule, class Compute, class Sum>
  void put_update(char const* name, SegmentView const& segments, UpdateArguments<Rule, Compute, Sum> const& base,
                  Decision<Rule> const* decision, Stream stream) {
    std::size_t const n = segments.extent();
    std::vector<simulation::Access> accesses{reads_table(segments), simulation::reads(base.gradient, n * sizeof(Sum)),
                                             simulation::writes(base.master, n * sizeof(float)),
                                             simulation::reads(decision, sizeof *decision)};
    if (base.value != nullptr) accesses.push_back(simulation::writes(base.value, n * sizeof(Compute)));
    for (auto* state : base.states) accesses.push_back(simulation::writes(state, n * sizeof(float)));
    put(stream, name, std::move(accesses),
        [this, segments, base, decision] { host_.update(segments, base, decision, {}); });
  }

  detail::simulation::Process process_;
  HostBackend host_;
  detail::MemoryUse use_;
};
static_assert(backend_policy<SimulationBackend>);

}  // namespace zero
