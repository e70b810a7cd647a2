// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/operations.hpp>
#include <zero/engine/parts.hpp>
#include <zero/engine_state.hpp>
#include <zero/error.hpp>
#include <zero/parameter.hpp>
#include <zero/precision.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace zero::detail {

/// The states of one engine, in its own buffers.
template <class Backend>
class EngineStateAccess final : public EngineState {
 public:
  /// \p parts are borrowed. \p micro_batches: of a step of the whole world, where that number was given. \p in_joint:
  /// the engine is a member of a joint step, which alone can load.
  EngineStateAccess(EngineParts<Backend>& parts, std::optional<int> micro_batches, bool in_joint)
      : parts_(parts), engine_(parts.context), in_joint_(in_joint) {
    auto const& traits = engine_.policies.traits();
    traits_ = {.rule = std::string(traits.rule),
               .states = state_names(traits),
               .scaler = std::string(traits.scaler),
               .scaler_bytes = progress().scaler.size(),
               .compute = traits.compute,
               .micro_batches_per_step = micro_batches,
               .layout = engine_.layout.settings()};
  }

  [[nodiscard]] int rank() const override { return engine_.collectives.rank(); }
  [[nodiscard]] int size() const override { return engine_.collectives.size(); }
  void exchange(std::span<std::byte const> mine, std::span<std::byte> all) override {
    engine_.collectives.exchange(mine, all);
  }
  [[nodiscard]] EngineTraits const& traits() const override { return traits_; }
  [[nodiscard]] std::vector<ParameterSpec> const& parameters() const override { return engine_.specs; }

  [[nodiscard]] std::vector<StateRange> owned_ranges() const override {
    return ranges([&](std::size_t b) {
      auto segments = engine_.layout.slice_segments(b, engine_.rank);
      if (holds_whole(b)) {  // offsets count from what this rank holds
        for (auto& segment : segments) segment.offset += engine_.rank * engine_.layout.slice_elements(b);
      }
      return segments;
    });
  }
  [[nodiscard]] std::vector<StateRange> resident_ranges() const override {
    return ranges([&](std::size_t b) {
      return holds_whole(b) ? engine_.layout.buckets()[b].segments : engine_.layout.slice_segments(b, engine_.rank);
    });
  }

  void read(StateRange const& range, std::uint64_t first, std::span<std::byte> into) override {
    engine_.require_own_streams("a read of states");
    for_each_part(range, first, into, [&](std::byte const* from, std::span<std::byte> part) {
      (engine_.backend.copy)(part.data(), from, part.size(), engine_.communication);
    });
    engine_.backend.synchronize(engine_.communication);
    engine_.backend.host_reads(into.data(), into.size());
  }
  [[nodiscard]] std::shared_ptr<void> pin(std::span<std::byte> memory) override {
    if constexpr (backend_facts<Backend>().pins_memory) return engine_.backend.pin(memory);
    return EngineState::pin(memory);
  }
  [[nodiscard]] StepProgress progress() const override { return parts_.decider.progress(); }

  void begin_load() override {
    if (in_joint_) {
      fail<SequenceError>(
          {"zero::Engine: a checkpoint is to be loaded into an engine that is a member of a joint step: load it before "
           "the zero::JointStep is made"});
    }
    engine_.require_own_streams("a load of states");
    parts_.gatherer.require_no_leases();
    parts_.gatherer.forget_gathered();
    load_.emplace(engine_.phase, "a checkpoint was not loaded to its end");
    parts_.gatherer.join_readers(engine_.communication);
  }
  void write(StateRange const& range, std::uint64_t first, std::span<std::byte const> from) override {
    engine_.require_own_streams("a load of states");
    for_each_part(range, first, from, [&](std::byte* to, std::span<std::byte const> part) { put(to, part); });
    if (range.kind == 0 && is_trainable(range.bucket) && engine_.policies.traits().has_master()) {
      write_narrowed(range, first, from);
    }
  }
  void set_progress(StepProgress const& progress) override {
    engine_.require_own_streams("a load of states");
    parts_.updater.join(engine_.communication);
    parts_.decider.set_progress(progress);
    parts_.updater.set_constants(parts_.decider.constants().set_of());
  }
  void finish_load() override {
    engine_.require_own_streams("a load of states");
    for (std::size_t b = 0; b < engine_.layout.buckets().size(); ++b) {
      parts_.gatherer.all_gather_updated(b, is_trainable(b) && !engine_.owns_whole());
    }
    parts_.gatherer.copy_to_adopted();
    load_->commit();
  }

 private:
  [[nodiscard]] bool is_trainable(std::size_t b) const noexcept { return b < engine_.layout.trainable_buckets(); }
  /// Whether this rank holds all of a bucket, and not only its slice, where a checkpoint reads and writes it.
  [[nodiscard]] bool holds_whole(std::size_t b) const noexcept {
    return is_trainable(b) ? engine_.owns_whole() : parts_.gatherer.is_whole(b);
  }

  template <class Function>
  std::vector<StateRange> ranges(Function&& segments_of) const {
    auto const& traits = engine_.policies.traits();
    std::vector<StateRange> ranges;
    for (std::size_t b = 0; b < engine_.layout.buckets().size(); ++b) {
      std::size_t const kinds = is_trainable(b) ? 1 + traits.state_count : 1;
      for (auto const& segment : segments_of(b)) {
        for (std::size_t kind = 0; kind < kinds; ++kind) {
          ranges.push_back({.parameter = segment.parameter,
                            .kind = static_cast<std::uint32_t>(kind),
                            .begin = segment.in_parameter,
                            .count = segment.count,
                            .type = is_trainable(b) ? ElementType::fp32 : traits.compute,
                            .bucket = static_cast<std::uint32_t>(b),
                            .offset = segment.offset});
        }
      }
    }
    return ranges;
  }

  /// Calls `f(address, part)` for each part of \p memory, for the elements of \p range from \p first on, whose elements
  /// are neighbours in the engine.
  template <class Byte, class Function>
  void for_each_part(StateRange const& range, std::uint64_t first, std::span<Byte> memory, Function&& f) const {
    std::size_t const size = element_size(range.type);
    if (!is_trainable(range.bucket)) return f(value(range) + first * size, memory);
    std::size_t const owned = engine_.owned_offset(range.bucket), begin = owned + range.offset + first;
    engine_.offload_split.for_each_part(begin, memory.size() / size, [&](std::size_t element, std::size_t n) {
      f(address(range, element - owned), memory.subspan((element - begin) * size, n * size));
    });
  }
  [[nodiscard]] std::byte* address(StateRange const& range, std::size_t offset) const noexcept {
    float* const held = range.kind > 0 ? parts_.updater.state(range.kind - 1, range.bucket, offset)
                                       : parts_.updater.master(range.bucket, offset);
    return reinterpret_cast<std::byte*>(held);
  }
  /// The same elements in the compute type.
  [[nodiscard]] std::byte* value(StateRange const& range) const noexcept {
    auto* const held =
        holds_whole(range.bucket) ? parts_.gatherer.whole_bucket(range.bucket) : parts_.gatherer.slice(range.bucket);
    return held + range.offset * engine_.policies.bytes(ElementRole::value);
  }

  void put(std::byte* to, std::span<std::byte const> from) {
    (engine_.backend.copy)(to, from.data(), from.size(), engine_.communication);
    engine_.backend.synchronize(engine_.communication);
    engine_.backend.host_writes(from.data(), from.size());  // the memory is the host's again
  }

  /// The parameter in the compute type follows from its master. A little at a time: no copy of a whole one is made.
  void write_narrowed(StateRange const& range, std::uint64_t first, std::span<std::byte const> from) {
    constexpr std::size_t block = 4096;
    std::array<float, block> wide;
    std::array<std::byte, block * sizeof(float)> narrow;
    std::size_t const size = engine_.policies.bytes(ElementRole::value);
    for (std::size_t done = 0; done < from.size() / sizeof(float); done += block) {
      std::size_t const n = (std::min)(block, from.size() / sizeof(float) - done);
      std::memcpy(wide.data(), from.data() + done * sizeof(float), n * sizeof(float));
      engine_.policies.narrow(ElementRole::value, narrow.data(), wide.data(), n);
      put(value(range) + (first + done) * size, std::span(narrow).first(n * size));
    }
  }

  EngineParts<Backend>& parts_;
  EngineContext<Backend> const& engine_;
  bool in_joint_;
  std::optional<EnginePhase::UpdateGuard> load_;  // from begin_load to finish_load
  EngineTraits traits_;
};

}  // namespace zero::detail
