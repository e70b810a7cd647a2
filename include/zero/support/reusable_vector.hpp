// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/fixed_array.hpp>
#include <zero/support/out_of_line.hpp>

#include <cstddef>
#include <utility>

namespace zero::detail {

/// Owns a list that keeps its room, so that it allocates only for a length that it has never had. Move-only; elements
/// are default-constructible and movable. As FixedArray, it takes a fraction of the compile time of a std::vector.
template <class Element>
class ReusableVector {
 public:
  ReusableVector() = default;
  ReusableVector(ReusableVector&& other) noexcept
      : room_(std::move(other.room_)), size_(std::exchange(other.size_, 0)) {}
  ReusableVector& operator=(ReusableVector&& other) noexcept {
    std::size_t const size = size_;
    room_ = std::move(other.room_);
    size_ = other.size_;
    other.size_ = size;
    return *this;
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] Element& operator[](std::size_t i) noexcept { return room_[i]; }
  [[nodiscard]] Element const& operator[](std::size_t i) const noexcept { return room_[i]; }
  [[nodiscard]] Element* begin() noexcept { return room_.begin(); }
  [[nodiscard]] Element* end() noexcept { return room_.begin() + size_; }
  [[nodiscard]] Element const* begin() const noexcept { return room_.begin(); }
  [[nodiscard]] Element const* end() const noexcept { return room_.begin() + size_; }

  /// Appends an element and returns it. Reuses a popped element without resetting it.
  Element& emplace_reused() {
    if (size_ == room_.size()) grow();
    return room_[size_++];
  }
  void push_back(Element const& value) { emplace_reused() = value; }
  void pop_back() noexcept { --size_; }
  void clear() noexcept { size_ = 0; }

 private:
  ZERO_OUT_OF_LINE void grow() {
    FixedArray<Element> larger(2 * size_ + 1);
    for (std::size_t i = 0; i < size_; ++i) larger[i] = std::move(room_[i]);
    room_ = std::move(larger);
  }

  FixedArray<Element> room_;
  std::size_t size_ = 0;
};

}  // namespace zero::detail
