// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <array>
#include <cstddef>

namespace zero::detail {

/// What is nested, innermost last, without allocation. Deeper levels than there is room for are counted, and take the
/// place of the oldest ones.
template <class Element>
class BoundedStack {
 public:
  void push(Element const& element) noexcept { elements_[depth_++ % elements_.size()] = element; }
  /// The innermost one, which ends; an empty one where there is none.
  Element pop() noexcept { return depth_ == 0 ? Element{} : elements_[--depth_ % elements_.size()]; }
  /// The innermost one for which `is_it(element)` is true; null where there is none.
  template <class Predicate>
  [[nodiscard]] Element const* find_innermost(Predicate const& is_it) const noexcept {
    for (std::size_t i = depth_; i-- > 0;) {
      auto const& element = elements_[i % elements_.size()];
      if (is_it(element)) return &element;
    }
    return nullptr;
  }

 private:
  std::array<Element, 32> elements_{};
  std::size_t depth_ = 0;
};

}  // namespace zero::detail
