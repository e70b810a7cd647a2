// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/out_of_line.hpp>

#include <cstddef>

namespace zero::detail {

/// Owns elements whose number never changes, value-initialized: one per bucket, per parameter, per chunk. Move-only;
/// elements need not be movable. A std::vector does this too, at five times the compile time for every element type.
template <class Element>
class FixedArray {
 public:
  FixedArray() = default;
  explicit FixedArray(std::size_t size) : data_(new Element[size]()), size_(size) {}
  FixedArray(FixedArray&& other) noexcept : data_(other.data_), size_(other.size_) {
    other.data_ = nullptr;
    other.size_ = 0;
  }
  FixedArray& operator=(FixedArray&& other) noexcept {
    Element* const data = data_;
    std::size_t const size = size_;
    data_ = other.data_;
    size_ = other.size_;
    other.data_ = data;
    other.size_ = size;
    return *this;
  }
  // Out of line: whatever holds an array destroys it wherever something may be thrown.
  ZERO_OUT_OF_LINE ~FixedArray() { delete[] data_; }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] Element& operator[](std::size_t i) noexcept { return data_[i]; }
  [[nodiscard]] Element const& operator[](std::size_t i) const noexcept { return data_[i]; }
  [[nodiscard]] Element* begin() noexcept { return data_; }
  [[nodiscard]] Element* end() noexcept { return data_ + size_; }
  [[nodiscard]] Element const* begin() const noexcept { return data_; }
  [[nodiscard]] Element const* end() const noexcept { return data_ + size_; }

 private:
  Element* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace zero::detail
