// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>

#include <atomic>
#include <cstddef>
#include <mutex>
#include <unordered_map>

namespace zero_test {

/// Bytes that torch's allocator of host memory has handed out.
class Counted final : public c10::Allocator {
 public:
  static inline std::atomic<std::size_t> now = 0;
  c10::DataPtr allocate(std::size_t bytes) override {
    void* const data = c10::alloc_cpu(bytes);
    if (data != nullptr) {
      std::lock_guard const lock(mutex);
      sizes[data] = bytes;
      now += bytes;
    }
    return {data, data, &Counted::free, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &Counted::free; }
  void copy_data(void* to, void const* from, std::size_t bytes) const override { default_copy_data(to, from, bytes); }

 private:
  static void free(void* data) {
    if (data == nullptr) return;
    std::lock_guard const lock(mutex);
    auto const at = sizes.find(data);
    now -= at->second;
    sizes.erase(at);
    c10::free_cpu(data);
  }
  static inline std::mutex mutex;
  static inline std::unordered_map<void*, std::size_t> sizes;
};

/// From now on, in this program.
inline void count_memory() {
  static Counted counted;
  c10::SetCPUAllocator(&counted, 255);
}

}  // namespace zero_test
