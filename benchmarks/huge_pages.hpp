// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstring>
#include <new>

/// Memory in pages of 2 MB where the system has them, touched once: each byte is \p value.
class HugePages {
 public:
  explicit HugePages(std::size_t bytes, int value = 0) : bytes_(bytes) {
    data_ = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data_ == MAP_FAILED) throw std::bad_alloc();
    ::madvise(data_, bytes_, MADV_HUGEPAGE);
    std::memset(data_, value, bytes_);
  }
  HugePages(HugePages const&) = delete;
  HugePages& operator=(HugePages const&) = delete;
  ~HugePages() { ::munmap(data_, bytes_); }

  template <class Element>
  [[nodiscard]] Element* as() const noexcept {
    return static_cast<Element*>(data_);
  }

 private:
  std::size_t bytes_;
  void* data_;
};
