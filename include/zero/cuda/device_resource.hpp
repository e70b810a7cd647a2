// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace zero {

/// Where an engine's device memory comes from, so that it shares a pool with the rest of the program: RMM's, torch's,
/// one of cuda::mr, or none, which is cudaMalloc. A pair of functions; what they get is the resource's owner, which is
/// kept alive. They run on the thread that makes or ends the engine, with the engine's device current.
class DeviceResource {
 public:
  /// Memory of \p bytes, aligned to 256 bytes, which may be used in the order of \p stream. May throw: the engine is
  /// not made then.
  using Allocate = void* (*)(void* owner, std::size_t bytes, cudaStream_t stream);
  /// Gives back what Allocate has handed out for \p bytes. All work on it is over.
  using Deallocate = void (*)(void* owner, void* data, std::size_t bytes, cudaStream_t stream) noexcept;

  /// cudaMalloc and cudaFree.
  DeviceResource() = default;
  /// Allocates by \p from, and gives back by \p back, both of which get \p owner. \throws ConfigurationError where one
  /// of them is null.
  DeviceResource(Allocate from, Deallocate back, std::shared_ptr<void> owner = nullptr)
      : allocate_(from), deallocate_(back), owner_(std::move(owner)) {
    detail::enforce(from != nullptr && back != nullptr,
                    "zero::DeviceResource: one of its two functions is null: give both, or leave the resource out");
  }

  /// Whether there is one in place of cudaMalloc.
  [[nodiscard]] explicit operator bool() const noexcept { return allocate_ != nullptr; }
  /// \throws ConfigurationError for memory that is not there or not aligned to \p alignment bytes; what the resource
  /// throws.
  [[nodiscard]] void* allocate(std::size_t bytes, std::size_t alignment, cudaStream_t stream) const {
    void* const data = allocate_(owner_.get(), bytes, stream);
    if (data != nullptr && reinterpret_cast<std::uintptr_t>(data) % alignment == 0) return data;
    if (data != nullptr) deallocate_(owner_.get(), data, bytes, stream);
    detail::fail<ConfigurationError>(
        {"zero::CudaBackend: its resource gave ", data == nullptr ? "no" : "misaligned", " memory for ", bytes,
         " bytes: it is to throw where it has none, and to align to ", alignment, " bytes"});
  }
  /// Gives \p data of \p bytes back.
  void deallocate(void* data, std::size_t bytes, cudaStream_t stream) const noexcept {
    deallocate_(owner_.get(), data, bytes, stream);
  }

 private:
  Allocate allocate_ = nullptr;
  Deallocate deallocate_ = nullptr;
  std::shared_ptr<void> owner_;
};

}  // namespace zero
