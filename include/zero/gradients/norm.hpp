// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/context.hpp>
#include <zero/kernels/norm_words.hpp>
#include <zero/memory/buffer.hpp>
#include <zero/segment.hpp>

#include <cstddef>
#include <cstdint>

namespace zero::detail {

/// The sum of squares of all reduced gradients and the first parameter that is not finite: taken while buckets are
/// fresh, and settled on all ranks by one all-reduce.
template <class Backend>
class GradientNorm {
 public:
  using Stream = typename Backend::Stream;

  explicit GradientNorm(EngineContext<Backend> const& engine)
      : engine_(engine),
        words_(engine.backend, engine.memory_report, MemoryKind::device, MemoryPurpose::control,
               NormWords::count(engine.collectives.size())) {}

  /// Starts a new sum, unless it is a joint step's. Does not synchronize \p stream.
  void reset(Stream stream) {
    if (shared_.words == nullptr) engine_.backend.zero(words_.data(), words_.size() * sizeof(std::uint64_t), stream);
  }
  /// From the next squares on they are added to \p shared, those of a joint step, which are borrowed until
  /// `leave_joint`.
  void enter_joint(NormWords shared) noexcept { shared_ = shared; }
  void leave_joint() noexcept { shared_ = {}; }

  /// Adds the squares of this rank's slice of one bucket, of which \p segments are parameters and the rest is padding.
  void add(SegmentView const& segments, void const* slice, Stream stream) {
    engine_.kernels.squares(engine_.backend, words(), segments, slice, stream);
  }

  /// Sums the words over all ranks, on the communication stream; \p stream waits for the result. \p agreement is device
  /// memory with 32 bits that should be the same on every rank, and comes along. Does not block the host.
  /// \throws CommunicationError.
  void all_reduce(void const* agreement, Stream stream) {
    (engine_.backend.copy)(words().agreement(), agreement, sizeof(std::uint32_t), engine_.communication);
    engine_.collectives.all_reduce(words_.data(), words_.size(), {.what = "gradient norm"}, engine_.communication);
    ++engine_.traffic.collectives;
    engine_.traffic.control_words += words_.size();
    engine_.backend.record(ready_, engine_.communication);
    engine_.backend.wait(stream, ready_);
  }

  [[nodiscard]] NormWords words() const noexcept {
    if (shared_.words != nullptr) return shared_;
    return {words_.data(), static_cast<int>(engine_.rank), static_cast<int>(engine_.world())};
  }

 private:
  EngineContext<Backend> const& engine_;
  Buffer<std::uint64_t, Backend> words_;
  NormWords shared_;  // of a joint step
  typename Backend::Event ready_{};
};

}  // namespace zero::detail
