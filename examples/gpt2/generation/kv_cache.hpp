// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "../buffer.hpp"
#include "../parameters.hpp"
#include "decoding_kernels.hpp"

#include <cstddef>
#include <vector>

namespace gpt2 {

/// Keys and values of the tokens that sequences have had, for each layer and head, so that the next token's attention
/// needs no other token's passes. Sequences have lengths of their own; nothing is padded to another's.
class KvCache {
 public:
  /// Allocates for \p sequences of up to \p capacity tokens each.
  KvCache(ModelShape const& shape, std::size_t sequences, std::size_t capacity)
      : layers_(shape.layers),
        heads_(shape.heads),
        head_size_(padded(shape.head_size(), input_unit)),
        capacity_(capacity),
        lengths_(sequences),
        memory_(sequences * layers_ * heads_ * 2 * capacity * head_size_) {}

  [[nodiscard]] std::size_t sequences() const noexcept { return lengths_.size(); }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return memory_.bytes(); }
  /// Elements of a head's key or value, with the zeros that fill it up.
  [[nodiscard]] std::size_t head_size() const noexcept { return head_size_; }

  /// Tokens of a sequence whose keys and values are there.
  [[nodiscard]] std::size_t length(std::size_t sequence) const noexcept { return lengths_[sequence]; }
  void set_length(std::size_t sequence, std::size_t length) noexcept { lengths_[sequence] = length; }

  /// [capacity, head_size], of one head of one layer of one sequence.
  [[nodiscard]] float* keys(std::size_t sequence, std::size_t layer, std::size_t head) const noexcept {
    return place(sequence, layer, head, 0);
  }
  [[nodiscard]] float* values(std::size_t sequence, std::size_t layer, std::size_t head) const noexcept {
    return place(sequence, layer, head, 1);
  }

 private:
  [[nodiscard]] float* place(std::size_t sequence, std::size_t layer, std::size_t head, std::size_t which) const {
    std::size_t const index = ((sequence * layers_ + layer) * heads_ + head) * 2 + which;
    return memory_.get() + index * capacity_ * head_size_;
  }

  std::size_t layers_, heads_, head_size_, capacity_;
  std::vector<std::size_t> lengths_;
  Buffer memory_;
};

}  // namespace gpt2
