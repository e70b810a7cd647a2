// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/backend.hpp>
#include <zero/backends/host_executor.hpp>
#include <zero/backends/host_stream.hpp>
#include <zero/collective_memory.hpp>
#include <zero/error.hpp>
#include <zero/kernels/cast.hpp>
#include <zero/kernels/decide.hpp>
#include <zero/kernels/instruction_set.hpp>
#include <zero/kernels/norm.hpp>
#include <zero/kernels/norm_words.hpp>
#include <zero/kernels/update.hpp>
#include <zero/memory/allocation_counter.hpp>
#include <zero/memory/host_memory.hpp>
#include <zero/processors.hpp>
#include <zero/segment.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>
#include <zero/thread_pool.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <span>
#include <string_view>
#include <utility>

namespace zero {

/// Model states in the memory of this process, kernels on its cores. "device", "pinned" and "pageable" memory are the
/// same bytes here, accounted apart, so that a run shows what a GPU run would hold where.
class HostBackend {
 public:
  /// What operations are put on; a trivially copyable reference.
  using Stream = HostStream;
  /// What streams and the host wait for.
  using Event = HostEvent;
  /// What says when a stream comes to a place.
  using TimedEvent = HostTimedEvent;
  /// What this backend can do besides what backend_policy asks.
  static constexpr BackendFacts facts{.allocates_for_collectives = true, .times_streams = true, .runs_at_once = true};
  /// Bytes at whose multiples all memory starts.
  static constexpr std::size_t alignment = detail::HostMemory::alignment;

  /// Settings of this backend; a member of EngineConfig.
  struct Config {
    int threads = 0;             ///< per rank; 0: the cores that it may run on, divided by the ranks that share them
    ThreadPool* pool = nullptr;  ///< run on these threads instead, which the trainer uses between the engine's calls
    /// What the kernels use; no newer than what the CPU has.
    InstructionSet instruction_set = best_instruction_set();
  };

  /// Owns a stream of the engine.
  class OwnedStream {
   public:
    /// Takes what `make_stream` has made.
    explicit OwnedStream(HostExecutor& executor) noexcept : stream_(executor) {}
    /// The stream; valid as long as its owner.
    [[nodiscard]] Stream get() const noexcept { return stream_; }

   private:
    Stream stream_;
  };

  /// \p local_ranks is the number of ranks on this machine.
  /// \throws ConfigurationError for negative threads, and on a CPU that lacks what this code was compiled for.
  ZERO_OUT_OF_LINE HostBackend(Config const& config, int local_ranks)
      : executor_((validate(config), config.instruction_set), config.pool, thread_count(config, local_ranks)) {}
  HostBackend(HostBackend const&) = delete;
  HostBackend& operator=(HostBackend const&) = delete;

  /// As `HostMemory::allocate`, or from the memory of collectives.
  [[nodiscard]] MemoryBlock allocate(MemoryKind kind, MemoryPurpose purpose, std::size_t bytes) {
    bool const shared = kind == MemoryKind::device && collective_.serves(purpose);
    auto const block = shared ? allocate_for_collectives(bytes) : detail::HostMemory::allocate(bytes);
    use_.add(kind, block.bytes);
    return block;
  }
  /// Gives back what `allocate` has handed out. Nothing may use it any more.
  void deallocate(MemoryKind kind, MemoryBlock block) noexcept {
    use_.remove(kind, block.bytes);
    if (!collective_.deallocate(block.data)) detail::HostMemory::deallocate(block);
  }
  /// "Device" memory that collectives use comes from \p memory, from here to `close_collective_memory`, which says
  /// what.
  void allocate_for_collectives_from(CollectiveMemory memory) noexcept { collective_ = std::move(memory); }
  /// Ends the allocations for collectives; returns the blocks that were handed out.
  [[nodiscard]] std::span<MemoryBlock const> close_collective_memory() noexcept { return collective_.close(); }
  /// Bytes handed out now, and at most, by kind; and blocks handed out in all.
  [[nodiscard]] std::size_t bytes_in_use(MemoryKind kind) const noexcept { return use_.in_use(kind); }
  /// Bytes of one kind that were handed out at most at a time.
  [[nodiscard]] std::size_t peak_bytes(MemoryKind kind) const noexcept { return use_.peak(kind); }
  /// Blocks that were handed out since construction.
  [[nodiscard]] std::uint64_t allocations() const noexcept { return use_.allocations(); }

  /// A new stream, whose name traces and errors use.
  [[nodiscard]] OwnedStream make_stream(std::string_view /*name*/) { return OwnedStream(executor_); }
  /// Records \p event after the work that is on \p stream.
  void record(Event& /*event*/, Stream /*stream*/) noexcept {}
  /// What is put on \p stream from now on runs after what \p event was recorded after. Does not block the host.
  void wait(Stream /*stream*/, Event const& /*event*/) noexcept {}
  /// Blocks the host until all work on \p stream has run.
  void synchronize(Stream /*stream*/) noexcept {}
  /// The host is about to read these bytes, which operations use.
  void host_reads(void const* /*from*/, std::size_t /*bytes*/) noexcept {}
  /// The host is about to write these bytes, which operations use.
  void host_writes(void const* /*to*/, std::size_t /*bytes*/) noexcept {}

  /// Fills with zero bytes, in the order of the stream.
  void zero(void* to, std::size_t bytes, Stream /*stream*/) { std::memset(to, 0, bytes); }
  /// Between any two kinds of memory.
  void(copy)(void* to, void const* from, std::size_t bytes, Stream /*stream*/) { (executor_.copy)(to, from, bytes); }
  /// Between two places of host memory, by the host.
  void copy_on_host(void* to, void const* from, std::size_t bytes, Stream stream) { (copy)(to, from, bytes, stream); }
  /// Many small copies as one operation.
  void copy_many(std::span<CopyRange const> ranges, Stream stream) {
    for (auto const& range : ranges) (copy)(range.to, range.from, range.bytes, stream);
  }

  /// into[i] += from[i] for \p n elements, rounded to Sum; copied where \p first.
  template <class Sum, class Element>
  void accumulate(Sum* into, Element const* from, std::size_t n, bool first, Stream /*stream*/) {
    HostStream(executor_).accumulate(into, &from, 1, n, first);
  }

  /// Adds the squares of the segments of a slice to \p norm, and enters the first registered parameter of them that has
  /// an element that is not finite.
  template <class Sum>
  void squares(NormWords norm, SegmentView const& segments, Sum const* slice, Stream /*stream*/) {
    std::mutex mutex;
    executor_.for_segments(segments.host, [&](Segment const& segment) {
      ExactSum sum;
      bool const finite = add_squares(executor_.instruction_set(), sum, slice + segment.offset, segment.count);
      sum.normalize();
      std::lock_guard lock(mutex);
      merge(norm, sum);
      if (!finite) record_nonfinite(norm, segment.parameter);
    });
  }

  /// Runs zero::decide once; see deciding_backend.
  template <class Rule, class Scaler>
  void decide(DecisionArguments<Rule, Scaler> const& arguments, Stream /*stream*/) {
    zero::decide(arguments);
  }

  /// The fused update of segments whose offsets count from the start of master, value, gradient and every state. Does
  /// nothing where the decision is not to apply.
  template <class Rule, class Compute, class Sum>
  void update(SegmentView const& segments, UpdateArguments<Rule, Compute, Sum> const& base,
              Decision<Rule> const* decision, Stream /*stream*/) {
    if (!decision->apply) return;
    executor_.for_segments(segments.host, [&](Segment const& segment) {
      auto arguments = base;
      arguments.master += segment.offset;
      if (arguments.value != nullptr) arguments.value += segment.offset;
      arguments.gradient += segment.offset;
      for (auto& state : arguments.states) state += segment.offset;
      arguments.count = segment.count;
      arguments.constants = decision->constants[segment.group];
      arguments.multiplier = decision->multiplier;
      fused_update(executor_.instruction_set(), arguments);
    });
  }
  /// The same in host memory, for offloaded states.
  template <class Rule, class Compute, class Sum>
  void update_on_host(SegmentView const& segments, UpdateArguments<Rule, Compute, Sum> const& base,
                      Decision<Rule> const* decision, Stream stream) {
    update(segments, base, decision, stream);
  }

  /// to[i] = from[i] for \p n elements of another type, rounded to nearest even.
  template <class To, class From>
  void cast_on_host(To* to, From const* from, std::size_t n, Stream /*stream*/) {
    executor_.for_chunks(n, [&](std::size_t begin, std::size_t end) {
      zero::cast(executor_.instruction_set(), to + begin, from + begin, end - begin);
    });
  }

 private:
  // Code that was compiled for instructions that this CPU lacks dies of a signal somewhere: better a sentence here.
  static void validate(Config const& config) {
    detail::enforce(config.threads >= 0,
                    "zero::HostBackend: threads must not be negative; 0 divides the cores over ranks");
    detail::enforce(config.pool == nullptr || config.threads == 0,
                    "zero::HostBackend: give either threads or a pool: a pool brings its own threads");
    detail::enforce(config.instruction_set <= best_instruction_set(),
                    "zero::HostBackend: this CPU lacks the instruction set asked for: use best_instruction_set()");
#if defined(__x86_64__) && defined(__AVX512F__)
    detail::enforce(__builtin_cpu_supports("avx512f") != 0,
                    "zero::HostBackend: compiled for AVX-512, which this CPU lacks: compile without -march=native");
#elif defined(__x86_64__) && defined(__AVX2__)
    detail::enforce(__builtin_cpu_supports("avx2") != 0,
                    "zero::HostBackend: compiled for AVX2, which this CPU lacks: compile without -march=native");
#endif
  }

  static int thread_count(Config const& config, int local_ranks) {
    if (config.threads > 0) return config.threads;
    return (std::max)(1, usable_processors() / (std::max)(1, local_ranks));
  }

  [[nodiscard]] MemoryBlock allocate_for_collectives(std::size_t bytes) {
    std::size_t const rounded = (bytes + alignment - 1) / alignment * alignment;
    return {collective_.allocate(rounded), rounded};
  }

  static void merge(NormWords norm, ExactSum const& sum) noexcept {
    ExactSum total;
    for (std::size_t i = 0; i < ExactSum::words; ++i) total.digits[i] = norm.words[i] + sum.digits[i];
    total.normalize();
    for (std::size_t i = 0; i < ExactSum::words; ++i) norm.words[i] = total.digits[i];
  }

  static void record_nonfinite(NormWords norm, std::uint32_t parameter) noexcept {
    auto& entry = norm.bad_parameters()[norm.rank];
    if (entry == 0 || entry > parameter + std::uint64_t{1}) entry = parameter + std::uint64_t{1};
  }

  HostExecutor executor_;
  CollectiveMemory collective_;
  detail::MemoryUse use_;
};
static_assert(backend_policy<HostBackend>);
static_assert(timing_backend<HostBackend>);

}  // namespace zero
