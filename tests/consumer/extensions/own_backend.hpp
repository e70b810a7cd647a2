// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/backend.hpp>
#include <zero/backend_kernels.hpp>
#include <zero/kernels/decide.hpp>
#include <zero/kernels/exact_sum.hpp>
#include <zero/kernels/float_types.hpp>
#include <zero/kernels/norm.hpp>
#include <zero/kernels/real.hpp>
#include <zero/memory_report.hpp>
#include <zero/segment.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>
#include <string_view>

namespace own {

/// A stream whose operations run at once, in the caller's thread.
struct Stream {
  int number = 0;  ///< 0: the caller's
  friend bool operator==(Stream, Stream) = default;
};

/// Whatever was called before it was recorded has run.
struct Event {
  void synchronize() const noexcept {}
  [[nodiscard]] bool done() const noexcept { return true; }
  template <class T>
  [[nodiscard]] T const& read(T const& value) const noexcept {
    return value;
  }
};

/// A backend of loops over elements, one after the other, in memory of this process.
class Backend {
 public:
  using Stream = own::Stream;
  using Event = own::Event;
  struct Config {};
  class OwnedStream {
   public:
    explicit OwnedStream(int number) noexcept : stream_{number} {}
    [[nodiscard]] Stream get() const noexcept { return stream_; }

   private:
    Stream stream_;
  };

  Backend(Config const& /*config*/, int /*local_ranks*/) {}
  Backend(Backend const&) = delete;
  Backend& operator=(Backend const&) = delete;

  // ------------------------------------------------------------------------------------------------- memory

  [[nodiscard]] zero::MemoryBlock allocate(zero::MemoryKind kind, zero::MemoryPurpose /*purpose*/, std::size_t bytes) {
    std::size_t const rounded = (bytes + alignment - 1) / alignment * alignment;
    void* const data = ::operator new (rounded, std::align_val_t{alignment});
    std::memset(data, 0, rounded);
    in_use_[static_cast<std::size_t>(kind)] += rounded;
    return {data, rounded};
  }
  void deallocate(zero::MemoryKind kind, zero::MemoryBlock block) noexcept {
    in_use_[static_cast<std::size_t>(kind)] -= block.bytes;
    ::operator delete (block.data, std::align_val_t{alignment});
  }
  [[nodiscard]] std::size_t bytes_in_use(zero::MemoryKind kind) const noexcept {
    return in_use_[static_cast<std::size_t>(kind)];
  }

  // ------------------------------------------------------------------------------------------------- streams

  [[nodiscard]] OwnedStream make_stream(std::string_view /*name*/) { return OwnedStream(++streams_); }
  void record(Event& /*event*/, Stream /*stream*/) noexcept {}
  void wait(Stream /*stream*/, Event const& /*event*/) noexcept {}
  void synchronize(Stream /*stream*/) noexcept {}
  void host_reads(void const* /*from*/, std::size_t /*bytes*/) noexcept {}
  void host_writes(void const* /*to*/, std::size_t /*bytes*/) noexcept {}

  void zero(void* to, std::size_t bytes, Stream /*stream*/) { std::memset(to, 0, bytes); }
  void copy(void* to, void const* from, std::size_t bytes, Stream /*stream*/) { std::memcpy(to, from, bytes); }
  void copy_on_host(void* to, void const* from, std::size_t bytes, Stream /*stream*/) { std::memcpy(to, from, bytes); }
  void copy_many(std::span<zero::CopyRange const> ranges, Stream stream) {
    for (auto const& range : ranges) copy(range.to, range.from, range.bytes, stream);
  }

  // ------------------------------------------------------------------------------------------------- kernels

  template <class Sum, class Value>
  void accumulate(Sum* into, Value const* from, std::size_t n, bool first, Stream /*stream*/) {
    for (std::size_t i = 0; i < n; ++i) {
      into[i] = zero::narrow<Sum>(first ? zero::widen(from[i]) : zero::widen(into[i]) + zero::widen(from[i]));
    }
  }

  template <class Sum>
  void squares(zero::NormWords norm, zero::SegmentView const& segments, Sum const* slice, Stream /*stream*/) {
    zero::ExactSum sum;
    for (std::size_t i = 0; i < zero::ExactSum::words; ++i) sum.digits[i] = norm.words[i];
    auto& bad = norm.bad_parameters()[norm.rank];
    for (auto const& segment : segments.host) {
      auto const* const elements = slice + segment.offset;
      bool const finite = zero::add_squares(zero::InstructionSet::baseline, sum, elements, segment.count);
      std::uint64_t const entry = std::uint64_t{segment.parameter} + 1;
      if (!finite && (bad == 0 || entry < bad)) bad = entry;
    }
    for (std::size_t i = 0; i < zero::ExactSum::words; ++i) norm.words[i] = sum.digits[i];
  }

  template <class Rule, class Scaler>
  void decide(zero::DecisionArguments<Rule, Scaler> const& arguments, Stream /*stream*/) {
    zero::decide(arguments);
  }

  template <class Rule, class Value, class Sum>
  void update(zero::SegmentView const& segments, zero::UpdateArguments<Rule, Value, Sum> const& arguments,
              zero::Decision<Rule> const* decision, Stream /*stream*/) {
    if (!decision->apply) return;
    for (auto const& segment : segments.host) {
      for (std::size_t i = segment.offset; i < segment.offset + segment.count; ++i) {
        update_element(arguments, i, decision->multiplier, decision->constants[segment.group]);
      }
    }
  }
  template <class Rule, class Value, class Sum>
  void update_on_host(zero::SegmentView const& segments, zero::UpdateArguments<Rule, Value, Sum> const& arguments,
                      zero::Decision<Rule> const* decision, Stream stream) {
    update(segments, arguments, decision, stream);
  }
  template <class Value>
  void cast_on_host(Value* to, float const* from, std::size_t n, Stream /*stream*/) {
    for (std::size_t i = 0; i < n; ++i) to[i] = zero::narrow<Value>(from[i]);
  }

 private:
  static constexpr std::size_t alignment = 64;

  template <class Rule, class Value, class Sum>
  static void update_element(zero::UpdateArguments<Rule, Value, Sum> const& a, std::size_t i, float multiplier,
                             typename Rule::Constants const& constants) {
    zero::Real1 parameter(a.master[i]);
    zero::Real1 const gradient = zero::Real1(zero::widen(a.gradient[i])) * zero::Real1(multiplier);
    zero::States<zero::Real1, Rule::state_count> states{};
    for (std::size_t k = 0; k < Rule::state_count; ++k) states[k] = zero::Real1(a.states[k][i]);
    Rule::update(parameter, gradient, states, constants);
    for (std::size_t k = 0; k < Rule::state_count; ++k) a.states[k][i] = std::bit_cast<float>(states[k].bits[0]);
    a.master[i] = std::bit_cast<float>(parameter.bits[0]);
    if (a.value != nullptr) a.value[i] = zero::narrow<Value>(a.master[i]);
  }

  int streams_ = 0;
  std::array<std::size_t, zero::memory_kinds> in_use_{};
};
static_assert(zero::backend_policy<Backend>);

}  // namespace own
