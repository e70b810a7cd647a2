// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/bucket.hpp>
#include <zero/flat_layout.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace zero {

/// The parts of parameters in each of many ranges of buckets, by the number of the range. Operations borrow them, so
/// everything is added before the first of them is put on a stream.
class PieceTable {
 public:
  /// Adds elements [begin, end) of \p bucket as the next range; offsets count from \p begin.
  void add(Bucket const& bucket, std::size_t begin, std::size_t end) {
    FlatLayout::clip_pieces(pieces_, bucket.pieces, begin, end);
    ends_.push_back(pieces_.size());
  }

  [[nodiscard]] std::span<Piece const> operator[](std::size_t range) const noexcept {
    std::size_t const begin = range == 0 ? 0 : ends_[range - 1];
    return {pieces_.data() + begin, ends_[range] - begin};
  }

 private:
  std::vector<Piece> pieces_;
  std::vector<std::size_t> ends_;
};

}  // namespace zero
