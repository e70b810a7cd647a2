// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "../ahead_upload.hpp"
#include "../learner_maker.hpp"

#include <zero/adapters/libtorch_cuda.hpp>

#include <c10/core/Event.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace images {

/// How batches come to a GPU, for AheadUpload: torch's current stream computes, and one of torch's pool copies.
class CudaLane {
 public:
  /// Batches of one sequence, all in the same memory.
  struct Batch {
    torch::Tensor pictures, labels;  ///< on the device, as TorchBatch
    TorchBatch pinned{}, room{};     ///< of the largest batch so far
  };
  struct Event {
    c10::Event event{c10::DeviceType::CUDA};
  };

  CudaLane(ModelShape const& shape, c10::Device device)
      : shape_(shape), device_(device), copying_(c10::cuda::getStreamFromPool(false, device.index())) {}

  bool fill(Batch& batch, LabelledPictures const& given) const {
    auto const from = torch_batch(given, shape_);
    auto const count = from.labels.size(0);
    bool const has_room = batch.room.labels.defined() && batch.room.labels.size(0) >= count;
    if (!has_room) {
      batch.pinned = {pinned(from.pictures), pinned(from.labels)};
      batch.room = {torch::empty_like(from.pictures, device_), torch::empty_like(from.labels, device_)};
    }
    batch.pinned.pictures.narrow(0, 0, count).copy_(from.pictures);
    batch.pinned.labels.narrow(0, 0, count).copy_(from.labels);
    batch.pictures = batch.room.pictures.narrow(0, 0, count);
    batch.labels = batch.room.labels.narrow(0, 0, count);
    return has_room;
  }
  void copy(Batch const& batch) const {
    c10::cuda::CUDAStreamGuard const guard(copying_);
    auto const count = batch.labels.size(0);
    batch.pictures.copy_(batch.pinned.pictures.narrow(0, 0, count), /*non_blocking=*/true);
    batch.labels.copy_(batch.pinned.labels.narrow(0, 0, count), /*non_blocking=*/true);
  }
  void record_copy(Event& event) const { event.event.record(copying_.unwrap()); }
  void record_compute(Event& event) const { event.event.record(computing()); }
  void compute_waits(Event const& event) const { event.event.block(computing()); }
  void copy_waits(Event const& event) const { event.event.block(copying_.unwrap()); }
  void host_waits(Event const& event) const { event.event.synchronize(); }

 private:
  static torch::Tensor pinned(torch::Tensor const& like) {
    return torch::empty(like.sizes(), like.options().pinned_memory(true));
  }
  [[nodiscard]] c10::Stream computing() const { return c10::cuda::getCurrentCUDAStream(device_.index()).unwrap(); }

  ModelShape shape_;
  c10::Device device_;
  c10::cuda::CUDAStream copying_;
};

/// Learners on one GPU of this process.
class CudaPlace {
 public:
  using Backend = zero::CudaBackend;
  using Uploads = AheadUpload<CudaLane>;

  /// Makes \p device the calling thread's current one. \p host_threads are for what is offloaded.
  CudaPlace(int device, int host_threads)
      : device_(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(device)), host_threads_(host_threads) {
    c10::cuda::set_device(device_.index());
  }

  [[nodiscard]] Classifier& put(Classifier& model) const {
    model.to(device_);
    return model;
  }
  [[nodiscard]] Uploads uploads(ModelShape const& shape) const { return Uploads(CudaLane(shape, device_)); }
  [[nodiscard]] std::optional<std::size_t> peak_of_torch() const {
    auto const stats = c10::cuda::CUDACachingAllocator::getDeviceStats(device_.index());
    constexpr auto all = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
    return static_cast<std::size_t>(stats.allocated_bytes[all].peak);
  }
  [[nodiscard]] Backend::Config backend() const {
    return {.device = static_cast<int>(device_.index()), .host_threads = host_threads_};
  }

 private:
  c10::Device device_;
  int host_threads_;
};

}  // namespace images
