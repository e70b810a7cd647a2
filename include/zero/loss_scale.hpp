// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/error.hpp>
#include <zero/support/out_of_line.hpp>

namespace zero {

/// The loss scale of the coming backward passes, where it lives. Valid until the next step.
template <class Event>
class LossScale {
 public:
  /// Made by `Engine::loss_scale`. \p on_host: null inside a capture.
  LossScale(float const* scale, float const* on_host, Event const& decided)
      : scale_(scale), on_host_(on_host), decided_(&decided) {}
  /// For kernels: device memory, current on every stream that the engine's last step was called with.
  [[nodiscard]] float const* data() const noexcept { return scale_; }
  /// For host code. Waits until the last step has been decided. \throws SequenceError inside a capture, which would
  /// replay the value of now.
  [[nodiscard]] float value() const {
    if (on_host_ == nullptr) throw_recorded();
    return decided_->read(*on_host_);
  }

 private:
  [[noreturn, gnu::cold]] ZERO_OUT_OF_LINE static void throw_recorded() {
    throw SequenceError(
        "zero::LossScale: value() inside a capture: each replay would take the scale of now: let kernels read data()");
  }

  float const* scale_;
  float const* on_host_;
  Event const* decided_;
};

}  // namespace zero
