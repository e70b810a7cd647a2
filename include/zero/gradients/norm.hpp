// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/bucket.hpp>
#include <zero/kernels/norm_words.hpp>
#include <zero/memory/buffer.hpp>

#include <cstddef>
#include <cstdint>

namespace zero::detail {

/// Takes the sum of squares of reduced gradients while they are fresh, and one all-reduce for it at the end.
template <class Backend>
class GradientNorm {
 public:
  using Stream = typename Backend::Stream;

  GradientNorm(Backend& backend, MemoryReport& memory_report, int rank, int world)
      : backend_(backend),
        words_(backend, memory_report, MemoryKind::device, MemoryPurpose::control, NormWords::count(world)),
        rank_(rank),
        world_(world) {}

  /// Starts a new sum. Does not synchronize \p stream.
  void reset(Stream stream) { backend_.zero(words_.data(), words_.size() * sizeof(std::uint64_t), stream); }

  /// Adds the squares of this rank's slice of one bucket, of which \p segments are parameters and the rest is padding.
  template <class EngineOperations>
  void add(EngineOperations& operations, SegmentView const& segments, void const* slice, Stream stream) {
    operations.squares(backend_, view(), segments, slice, stream);
  }

  /// Settles the sum over all ranks.
  template <class EngineOperations>
  void all_reduce(EngineOperations& operations, Stream stream) {
    operations.all_reduce(words_.data(), words_.size(), {.what = "gradient norm"}, stream);
  }

  [[nodiscard]] NormWords view() const noexcept { return {words_.data(), rank_, world_}; }
  [[nodiscard]] std::size_t size() const noexcept { return words_.size(); }

 private:
  Backend& backend_;
  Buffer<std::uint64_t, Backend> words_;
  int rank_;
  int world_;
};

}  // namespace zero::detail
