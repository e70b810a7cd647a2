// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Device memory out of a pool of the program's own.

#include "fake_cuda/machine.hpp"

#include <zero/backends/cuda.hpp>
#include <zero/error.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <vector>

namespace fake_cuda_device_resource_test {

using zero::MemoryKind;
using zero::MemoryPurpose;

namespace {

/// A pool as a program has it, and what was asked of it.
struct Pool {
  std::vector<zero::MemoryBlock> out;  ///< handed out and not given back
  cudaStream_t stream = nullptr;       ///< of the last call
  int device = -1;                     ///< that was current in it
  std::size_t calls = 0;
  bool is_full = false;
  bool forgets = false;           ///< gives null
  std::size_t misaligned_by = 0;  ///< bytes

  [[nodiscard]] zero::DeviceResource resource(std::shared_ptr<Pool> const& self) const {
    return {[](void* owner, std::size_t bytes, cudaStream_t on) {
              auto& pool = *static_cast<Pool*>(owner);
              pool.note(on);
              if (pool.is_full) throw std::bad_alloc();
              void* data = nullptr;
              if (!pool.forgets && cudaMalloc(&data, bytes) != cudaSuccess) throw std::bad_alloc();
              if (data != nullptr) pool.out.push_back({data, bytes});
              return data == nullptr ? data : static_cast<std::byte*>(data) + pool.misaligned_by;
            },
            [](void* owner, void* data, std::size_t bytes, cudaStream_t on) noexcept {
              auto& pool = *static_cast<Pool*>(owner);
              pool.note(on);
              void* const begin = static_cast<std::byte*>(data) - pool.misaligned_by;
              CHECK(std::erase_if(pool.out, [&](auto const& b) { return b.data == begin && b.bytes == bytes; }) == 1);
              (void)cudaFree(begin);
            },
            self};
  }
  void note(cudaStream_t of_call) {
    stream = of_call;
    ++calls;
    (void)cudaGetDevice(&device);
  }
};

template <class Error, class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (Error const& error) {
    return error.what();
  }
  FAIL_CHECK("nothing was thrown");
  return {};
}

}  // namespace

TEST_CASE("device resource: device memory comes from it and goes back to it, with its size and on a stream") {
  fake_cuda::start({.devices = 2});
  auto pool = std::make_shared<Pool>();
  {
    zero::CudaBackend backend({.device = 1, .resource = pool->resource(pool)}, 1);
    auto const block = backend.allocate(MemoryKind::device, MemoryPurpose::parameters, 1000);
    REQUIRE(pool->out.size() == 1);
    CHECK(pool->out[0].data == block.data);
    CHECK(pool->out[0].bytes == 1024);  // as the report counts it
    CHECK(block.bytes == 1024);
    CHECK(pool->stream != nullptr);
    CHECK(pool->device == 1);
    CHECK(backend.bytes_in_use(MemoryKind::device) == 1024);
    for (auto kind : {MemoryKind::pinned, MemoryKind::pageable}) {
      auto const other = backend.allocate(kind, MemoryPurpose::staging, 1000);
      CHECK(pool->calls == 1);
      backend.deallocate(kind, other);
    }
    CHECK(pool.use_count() > 1);
    pool->device = -1;
    backend.deallocate(MemoryKind::device, block);
    CHECK(pool->out.empty());
    CHECK(pool->device == 1);
    int current = -1;
    CHECK(cudaGetDevice(&current) == cudaSuccess);
    CHECK(current == 0);  // as it was
    CHECK(backend.bytes_in_use(MemoryKind::device) == 0);
  }
  CHECK(pool.use_count() == 1);
  CHECK_NOTHROW(fake_cuda::finish());
  CHECK(fake_cuda::violations() == "");
  CHECK(fake_cuda::live_handles() == fake_cuda::LiveHandles{});
}

TEST_CASE("device resource: without memory its error comes through; what is null or misaligned is refused") {
  fake_cuda::start({});
  auto const pool = std::make_shared<Pool>();
  {
    zero::CudaBackend backend({.resource = pool->resource(pool)}, 1);
    auto const allocate = [&] { (void)backend.allocate(MemoryKind::device, MemoryPurpose::parameters, 1000); };
    pool->is_full = true;
    CHECK_THROWS_AS(allocate(), std::bad_alloc);
    pool->is_full = false;
    pool->forgets = true;
    CHECK(message_of<zero::ConfigurationError>(allocate).find("gave no memory for 1024 bytes") != std::string::npos);
    pool->forgets = false;
    pool->misaligned_by = 4;
    CHECK(message_of<zero::ConfigurationError>(allocate).find("misaligned") != std::string::npos);
    CHECK(pool->out.empty());
    CHECK(backend.bytes_in_use(MemoryKind::device) == 0);
  }
  auto const half = pool->resource(pool);
  CHECK(half);
  CHECK_FALSE(zero::DeviceResource());
  CHECK_THROWS_AS(zero::DeviceResource(nullptr, [](void*, void*, std::size_t, cudaStream_t) noexcept {}),
                  zero::ConfigurationError);
}

TEST_CASE("device resource: memory that cannot be zeroed goes back") {
  auto const pool = std::make_shared<Pool>();
  int failed = 0, succeeded = 0;
  for (std::uint64_t call = 1; call < 20; ++call) {
    fake_cuda::start({.fault = fake_cuda::Fault{.call = call}});
    try {
      zero::CudaBackend backend({.resource = pool->resource(pool)}, 1);
      auto const block = backend.allocate(MemoryKind::device, MemoryPurpose::parameters, 1000);
      backend.deallocate(MemoryKind::device, block);
      ++succeeded;
    } catch (zero::CudaError const&) {
      ++failed;
    } catch (std::bad_alloc const&) {
      ++failed;
    }
    CHECK(pool->out.empty());
  }
  CHECK(failed > 2);
  CHECK(succeeded > 0);
}

}  // namespace fake_cuda_device_resource_test
