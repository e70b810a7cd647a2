// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/utility/split_mix.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace zero_text {

/// What two tokens that stand side by side become.
struct Merge {
  std::uint32_t rank;  ///< the lower, the earlier
  std::uint32_t id;    ///< of both together
};

/// The merges of a BPE by their pairs.
class PairTable {
 public:
  /// Room for \p count pairs.
  explicit PairTable(std::size_t count = 0) {
    std::size_t size = 16;
    while (size < 2 * count) size *= 2;
    entries_.resize(size);
  }

  /// At most as many as there is room for; the last merge of a pair counts.
  void set(std::uint32_t left, std::uint32_t right, Merge merge) {
    auto const key = key_of(left, right);
    auto* const entry = const_cast<Entry*>(slot(key));
    *entry = {key, merge};
  }

  /// Null where the two do not merge.
  [[nodiscard]] Merge const* find(std::uint32_t left, std::uint32_t right) const noexcept {
    auto const* const entry = slot(key_of(left, right));
    return entry->key == none ? nullptr : &entry->merge;
  }

 private:
  static constexpr std::uint64_t none = UINT64_MAX;
  struct Entry {
    std::uint64_t key = none;
    Merge merge{};
  };

  static std::uint64_t key_of(std::uint32_t left, std::uint32_t right) { return std::uint64_t{left} << 32U | right; }
  // Where the key is, or would be.
  [[nodiscard]] Entry const* slot(std::uint64_t key) const noexcept {
    std::size_t const mask = entries_.size() - 1;
    std::size_t at = zero::SplitMix64::mix(key) & mask;
    while (entries_[at].key != key && entries_[at].key != none) at = (at + 1) & mask;
    return &entries_[at];
  }

  std::vector<Entry> entries_;
};

}  // namespace zero_text
