// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/lease.hpp>

#include <cstdint>
#include <memory>
#include <utility>

namespace zero {
namespace detail {

/// What a micro-batch reports its end to.
template <class Stream>
class MicroBatchSink {
 public:
  virtual void finish_micro_batch(std::uint64_t micro_batch_serial, Stream stream) = 0;
  virtual void abandon_micro_batch(std::uint64_t micro_batch_serial) noexcept = 0;

 protected:
  ~MicroBatchSink() = default;
};

}  // namespace detail

/// One forward and backward pass. Move-only. Ends with `finish`; one that ends without it breaks the accumulation,
/// which must be discarded then.
template <class Stream>
class [[nodiscard]] MicroBatch {
 public:
  /// \p pass tells micro-batches apart, so that one that was discarded has no say in a later one.
  MicroBatch(detail::MicroBatchSink<Stream>& sink, std::shared_ptr<detail::EngineLifetime const> lifetime,
             std::uint64_t micro_batch_serial)
      : sink_(&sink), lifetime_(std::move(lifetime)), serial_(micro_batch_serial) {}
  /// Leaves \p other empty.
  MicroBatch(MicroBatch&& other) noexcept
      : sink_(std::exchange(other.sink_, nullptr)), lifetime_(std::move(other.lifetime_)), serial_(other.serial_) {}
  MicroBatch& operator=(MicroBatch&&) = delete;
  ~MicroBatch() {
    if (sink_ != nullptr && lifetime_->alive) sink_->abandon_micro_batch(serial_);
  }

  /// Every gradient has been handed over, each on the stream of its `ready`; what has come of an adopted gradient with
  /// several contributions is copied on \p stream. Puts the rest of the reductions on their way before it throws for
  /// what is missing, so that other ranks do not wait. Does not synchronize \p stream.
  /// \throws GradientError for a missing gradient, and for a lease that has written one and is not ready; SequenceError
  /// when finished or discarded already or after the engine's end.
  void finish(Stream stream) {
    if (sink_ == nullptr || !lifetime_->alive) {
      throw SequenceError("zero::MicroBatch: finished already, or the engine is gone: begin another one");
    }
    std::exchange(sink_, nullptr)->finish_micro_batch(serial_, stream);
  }

 private:
  detail::MicroBatchSink<Stream>* sink_;
  std::shared_ptr<detail::EngineLifetime const> lifetime_;
  std::uint64_t serial_;
};

}  // namespace zero
