// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/bucket.hpp>
#include <zero/engine/context.hpp>
#include <zero/flat_layout.hpp>
#include <zero/memory/buffer.hpp>
#include <zero/support/reusable_vector.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace zero::detail {

/// The pieces of many ranges, each known by its number, on the host and on the device. Filled once: `add` every range,
/// then `upload`.
template <class Backend>
class PieceTable {
 public:
  /// Adds elements [begin, end) of \p bucket as the next range; offsets count from \p begin.
  void add(Bucket const& bucket, std::size_t begin, std::size_t end) {
    FlatLayout::clip_pieces(pieces_, bucket.pieces, begin, end);
    ends_.push_back(pieces_.size());
  }

  /// Copies the table to the device: current for what is put on the communication stream later.
  [[gnu::noinline]] void upload(EngineContext<Backend> const& engine) {
    device_ = {engine.backend, engine.memory_report, MemoryKind::device, MemoryPurpose::control, pieces_.size()};
    if (pieces_.empty()) return;
    engine.backend.copy(device_.data(), pieces_.data(), pieces_.size() * sizeof(Piece), engine.communication);
  }

  [[nodiscard]] PieceView operator[](std::size_t range) const noexcept {
    std::size_t const begin = range == 0 ? 0 : ends_[range - 1];
    return {{pieces_.data() + begin, ends_[range] - begin}, device_.data() + begin};
  }

 private:
  std::vector<Piece> pieces_;
  GrowingArray<std::size_t> ends_;
  Buffer<Piece, Backend> device_;
};

}  // namespace zero::detail
