// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace zero::detail {

/// Finds things by their names. The names stay with whoever owns the things, which are numbered from 0 in the order in
/// which they are added: `name_of(i)` is asked for them. A hash table with open addressing.
class NameIndex {
 public:
  static constexpr std::uint32_t none = UINT32_MAX;

  /// The number of the thing called \p name; `none` where there is none.
  template <class NameOf>
  [[nodiscard]] std::uint32_t find(std::string_view name, NameOf const& name_of) const {
    return slots_.empty() ? none : slots_[slot_of(name, name_of)] - 1;  // 0 - 1 is none
  }

  /// Makes room for one more: at most half of the table is taken, so a search ends soon. May throw, which changes
  /// nothing.
  template <class NameOf>
  void make_room(NameOf const& name_of) {
    if (2 * (size_ + std::size_t{1}) <= slots_.size()) return;
    std::vector<std::uint32_t>(4 * (size_ + std::size_t{1})).swap(slots_);
    for (std::uint32_t i = 0; i < size_; ++i) slots_[slot_of(name_of(i), name_of)] = i + 1;
  }

  /// Enters the next thing, for which there must be room and whose name must be new; `name_of` knows it already.
  template <class NameOf>
  void add(NameOf const& name_of) noexcept {
    std::uint32_t& slot = slots_[slot_of(name_of(size_), name_of)];
    slot = ++size_;
  }

 private:
  // Where \p name is, or where it would be.
  template <class NameOf>
  [[nodiscard]] std::size_t slot_of(std::string_view name, NameOf const& name_of) const {
    // <string_view> brings its hash; <functional> would cost every engine 0.1 s.
    std::size_t at = std::hash<std::string_view>{}(name) % slots_.size();
    while (slots_[at] != 0 && name != name_of(slots_[at] - 1)) at = (at + 1) % slots_.size();
    return at;
  }

  std::vector<std::uint32_t> slots_;  // 1 + the number of a thing; 0: nobody's
  std::uint32_t size_ = 0;
};

}  // namespace zero::detail
