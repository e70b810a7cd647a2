// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>

#include <sys/mman.h>

namespace gpt2 {

/// Owns bytes that are read from end to end, zero at first: on large pages where the system has them, because a matrix
/// has more small ones than the processor remembers the places of. Move-only.
class LargeMemory {
 public:
  LargeMemory() = default;
  explicit LargeMemory(std::size_t bytes)
      : data_(static_cast<std::byte*>(::operator new(bytes, alignment))), bytes_(bytes) {
#if defined(MADV_HUGEPAGE)
    (void)::madvise(data_.get(), bytes, MADV_HUGEPAGE);  // advice: small pages will do
#endif
    std::memset(data_.get(), 0, bytes);
  }

  [[nodiscard]] std::byte* get() const noexcept { return data_.get(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  static constexpr std::align_val_t alignment{std::size_t{2} << 20U};
  struct Free {
    void operator()(std::byte* p) const noexcept { ::operator delete(p, alignment); }
  };

  std::unique_ptr<std::byte, Free> data_;
  std::size_t bytes_ = 0;
};

}  // namespace gpt2
