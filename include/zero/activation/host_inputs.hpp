// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/backend.hpp>
#include <zero/error.hpp>
#include <zero/memory_report.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace zero::activation {

/// Keeps the inputs of segments in pinned host memory and brings them back one input ahead, beside the trainer's own
/// work: copies run on two streams of its own, one for each direction. Two inputs lie on the device, through which all
/// go; the last two stay there, since the backward pass wants them first, so that a model that keeps two or fewer has
/// nothing to move. Never blocks the host, but at its construction and end. Move-free; for one host thread.
///
/// A forward pass calls `keep` for 0 to inputs - 1, the backward pass `take` from the last one down to 0. A pass may be
/// given up anywhere: a forward pass may always begin.
///
/// \tparam Backend memory, streams, events and copies as backend_policy describes them; kernels are not needed.
template <class Backend>
class HostInputs {
 public:
  /// A stream that the trainer's kernels run on.
  using Stream = typename Backend::Stream;

  /// Room for \p inputs inputs of up to \p bytes bytes each. \p backend is borrowed and must outlive it.
  /// \throws what the backend's allocator throws.
  HostInputs(Backend& backend, std::size_t inputs, std::size_t bytes)
      : backend_(backend),
        inputs_(inputs),
        bytes_(bytes),
        out_(backend.make_stream("inputs to the host")),
        in_(backend.make_stream("inputs from the host")) {
    try {
      for (std::size_t s = 0; s < slots_.size() && s < inputs; ++s) {
        slots_[s].memory = backend.allocate(MemoryKind::device, MemoryPurpose::staging, bytes);
      }
      host_.reserve(moved());
      for (std::size_t i = 0; i < moved(); ++i) {
        host_.push_back(backend.allocate(MemoryKind::pinned, MemoryPurpose::staging, bytes));
      }
    } catch (...) {
      free_all();
      throw;
    }
  }
  HostInputs(HostInputs const&) = delete;
  HostInputs& operator=(HostInputs const&) = delete;
  /// Blocks until no copy is under way.
  ~HostInputs() {
    try {
      if (last_use_) last_use_->synchronize();
      backend_.synchronize(out_.get());
      backend_.synchronize(in_.get());
    } catch (...) {  // the device has failed, and whoever used it knows: memory goes all the same
      static_cast<void>(0);
    }
    free_all();
  }

  /// Inputs that there is room for.
  [[nodiscard]] std::size_t size() const noexcept { return inputs_; }
  /// Bytes of pinned host memory.
  [[nodiscard]] std::size_t host_bytes() const noexcept { return bytes_of(host_); }
  /// Bytes on the device.
  [[nodiscard]] std::size_t device_bytes() const noexcept { return slots_[0].memory.bytes + slots_[1].memory.bytes; }

  /// Keeps \p bytes bytes from \p from, on the device, as number \p input; \p from may change behind it on \p stream.
  /// \throws SequenceError for an input or a size that there is no room for.
  void keep(std::size_t input, void const* from, std::size_t bytes, Stream stream) {
    if (input >= inputs_ || bytes > bytes_) {
      throw SequenceError("zero::activation::HostInputs: input " + std::to_string(input) + " with " +
                          std::to_string(bytes) + " bytes has no room among " + std::to_string(inputs_) + " of " +
                          std::to_string(bytes_) + " bytes");
    }
    auto& slot = slots_[input % slots_.size()];
    backend_.wait(stream, slot.emptied);  // the copy that has taken the slot's last input to the host
    backend_.wait(stream, slot.filled);   // and the one that brought one back which nobody has taken
    (backend_.copy)(slot.memory.data, from, bytes, stream);
    slot.input = input;
    slot.bytes = bytes;
    if (input < moved()) {
      backend_.record(slot.written, stream);
      backend_.wait(out_.get(), slot.written);
      (backend_.copy)(host_[input].data, slot.memory.data, bytes, out_.get());
      backend_.record(slot.emptied, out_.get());
    }
    note_use(stream);
  }

  /// Copies number \p input to \p to, on the device, and begins to bring back the one that is wanted after the next.
  /// \throws SequenceError where \p input is not the one whose turn it is.
  void take(std::size_t input, void* to, Stream stream) {
    auto& slot = slots_[input % slots_.size()];
    if (input >= inputs_ || slot.input != input) {
      throw SequenceError("zero::activation::HostInputs: input " + std::to_string(input) +
                          " is not there: keep all inputs in a forward pass, and take them from the last one down");
    }
    backend_.wait(stream, slot.filled);
    (backend_.copy)(to, slot.memory.data, slot.bytes, stream);
    slot.input = nothing;
    if (input >= slots_.size()) fetch(input - slots_.size(), slot, stream);
    note_use(stream);
  }

 private:
  static constexpr std::size_t nothing = SIZE_MAX;

  struct Slot {
    MemoryBlock memory;
    std::size_t input = nothing, bytes = 0;
    typename Backend::Event written, emptied, used, filled;
  };

  [[nodiscard]] std::size_t moved() const noexcept { return inputs_ > slots_.size() ? inputs_ - slots_.size() : 0; }

  // The slot's last input came by the same way, so that its copy to the host is behind `used`.
  void fetch(std::size_t input, Slot& slot, Stream stream) {
    backend_.record(slot.used, stream);
    backend_.wait(in_.get(), slot.used);
    (backend_.copy)(slot.memory.data, host_[input].data, slot.bytes, in_.get());
    backend_.record(slot.filled, in_.get());
    slot.input = input;
  }

  void note_use(Stream stream) {
    if (!last_use_) last_use_.emplace();
    backend_.record(*last_use_, stream);
  }

  [[nodiscard]] static std::size_t bytes_of(std::vector<MemoryBlock> const& blocks) noexcept {
    std::size_t bytes = 0;
    for (auto const& block : blocks) bytes += block.bytes;
    return bytes;
  }
  void free_all() noexcept {
    for (auto const& slot : slots_) {
      if (slot.memory.data != nullptr) backend_.deallocate(MemoryKind::device, slot.memory);
    }
    for (auto const& block : host_) backend_.deallocate(MemoryKind::pinned, block);
  }

  Backend& backend_;
  std::size_t inputs_, bytes_;
  typename Backend::OwnedStream out_, in_;
  std::array<Slot, 2> slots_;
  std::vector<MemoryBlock> host_;  // of all inputs but the last two
  std::optional<typename Backend::Event> last_use_;
};

}  // namespace zero::activation
