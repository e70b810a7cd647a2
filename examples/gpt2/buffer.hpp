// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <utility>

namespace gpt2 {

/// Owns \p size floats on a cache-line boundary, zero at first. Move-only.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t size) : size_(size) {
    if (size == 0) return;
    data_.reset(static_cast<float*>(::operator new(bytes(), alignment)));
    std::fill_n(data_.get(), size, 0.0F);
  }

  [[nodiscard]] float* get() const noexcept { return data_.get(); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return size_ * sizeof(float); }

 private:
  static constexpr std::align_val_t alignment{64};
  struct Free {
    void operator()(float* p) const noexcept { ::operator delete(p, alignment); }
  };

  std::unique_ptr<float, Free> data_;
  std::size_t size_ = 0;
};

}  // namespace gpt2
