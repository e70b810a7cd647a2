// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/backend.hpp>
#include <zero/error.hpp>
#include <zero/lease.hpp>

#include <cstdint>
#include <memory>
#include <utility>

namespace zero {
namespace detail {

template <class Backend>
class EngineCore;
template <class Backend>
class JointCore;

/// What a micro-batch reports its end to.
template <class Stream>
class MicroBatchSink {
 public:
  virtual void finish_micro_batch(std::uint64_t micro_batch_serial, Stream stream) = 0;
  virtual void abandon_micro_batch(std::uint64_t micro_batch_serial) noexcept = 0;

 protected:
  ~MicroBatchSink() = default;
};

/// A rank's place in the global sequence of a step's micro-batches.
struct MicroBatchPosition {
  std::int64_t index = 0;
  bool contributes = true;
};

}  // namespace detail

/// One forward and backward pass of this rank, which `Engine::begin_micro_batch` and that of JointStep open: one of the
/// step's global sequence of micro-batches, of which the k-th runs on rank k mod ranks. Move-only. Ends with `finish`;
/// one that ends without it breaks the accumulation, which must be discarded then.
///
/// Where EngineConfig::micro_batches_per_step is no multiple of the number of ranks, the last ranks have none in the
/// last round. They begin and finish it all the same, and gather parameters as the others do, whose collectives they
/// take part in; forward, backward and leases of gradients they may leave out: nothing is missing there, and nothing
/// that they hand over is used. A lease that they take is held to the rules of all leases.
template <class Stream>
class [[nodiscard]] MicroBatch {
 public:
  /// Leaves \p other empty.
  MicroBatch(MicroBatch&& other) noexcept
      : sink_(std::exchange(other.sink_, nullptr)),
        lifetime_(std::move(other.lifetime_)),
        serial_(other.serial_),
        position_(other.position_) {}
  MicroBatch& operator=(MicroBatch&&) = delete;
  ~MicroBatch() {
    if (sink_ != nullptr && lifetime_->alive) sink_->abandon_micro_batch(serial_);
  }

  /// Whether this rank has a micro-batch in this round; without micro_batches_per_step, always.
  [[nodiscard]] bool contributes() const noexcept { return position_.contributes; }
  /// Its place in the step's sequence, from 0: what data order and random numbers should depend on, so that a run does
  /// the same on any number of ranks. At and beyond the end of the sequence where this rank has none.
  [[nodiscard]] std::int64_t index() const noexcept { return position_.index; }

  /// Every gradient has been handed over, each on the stream of its `ready`; what has come of an adopted gradient with
  /// several contributions is copied on \p stream. Puts the rest of the reductions on their way before it throws for
  /// what is missing, so that other ranks do not wait. Does not synchronize \p stream.
  /// \throws GradientError for a missing gradient, and for a lease that has written one and is not ready; SequenceError
  /// when finished or discarded already or after the engine's end.
  void finish(Stream stream = default_stream<Stream>()) {
    if (sink_ == nullptr || !lifetime_->alive) {
      throw SequenceError("zero::MicroBatch: finished already, or the engine is gone: begin another one");
    }
    std::exchange(sink_, nullptr)->finish_micro_batch(serial_, stream);
  }

 private:
  template <class Backend>
  friend class detail::EngineCore;
  template <class Backend>
  friend class detail::JointCore;

  // The serial tells micro-batches apart, so that one that was discarded has no say in a later one.
  MicroBatch(detail::MicroBatchSink<Stream>& sink, std::shared_ptr<detail::EngineLifetime const> lifetime,
             std::uint64_t micro_batch_serial, detail::MicroBatchPosition position)
      : sink_(&sink), lifetime_(std::move(lifetime)), serial_(micro_batch_serial), position_(position) {}

  detail::MicroBatchSink<Stream>* sink_;
  std::shared_ptr<detail::EngineLifetime const> lifetime_;
  std::uint64_t serial_;
  detail::MicroBatchPosition position_;
};

}  // namespace zero
