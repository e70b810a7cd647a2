// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/cuda/stream.hpp>
#include <zero/profile/observer.hpp>
#include <zero/profile/phase.hpp>

#include <nvtx3/nvToolsExt.h>

#include <string_view>

namespace zero::profile {

/// Ranges of NVIDIA's tools extension around what an engine puts on streams: forward, backward, update, gather, reduce,
/// and each operation, as Nsight Systems shows them. An engine is given its address in EngineConfig::profiler, or a
/// Profiler in Config::also, whose `phase` marks ranges then, too. They are ranges of the host's thread: of the calls,
/// which Nsight ties to the kernels that they launch. Where no tool listens, a range costs a call and a test.
class NvtxRanges final : public Observer<CudaStream> {
 public:
  /// As Observer has it; does nothing.
  void prepare(CudaStream /*communication*/) override {}
  /// As Observer has it; does nothing.
  void name_stream(CudaStream /*stream*/, std::string_view /*name*/) noexcept override {}
  /// As Observer has it.
  void begin_micro_batch(void const* /*owner*/, CudaStream /*stream*/) override { begin_part(Phase::forward); }
  /// As Observer has it.
  void begin_backward(CudaStream /*stream*/) noexcept override {
    if (is_open_ && part_ == Phase::forward) begin_part(Phase::backward);
  }
  /// As Observer has it.
  void end_micro_batch(CudaStream /*stream*/) noexcept override { end_part(); }
  /// As Observer has it.
  void begin_step(void const* /*owner*/, Phase phase, CudaStream /*stream*/) override { begin_part(phase); }
  /// As Observer has it.
  void end_step(CudaStream /*stream*/) noexcept override { end_part(); }
  /// As Observer has it.
  void discard(void const* /*owner*/) noexcept override { end_part(); }
  /// As Observer has it; does nothing: what is recorded is called as usual.
  void pause() noexcept override {}
  /// As Observer has it; does nothing.
  void resume() noexcept override {}
  /// As Observer has it.
  void enter(Phase phase, CudaStream /*stream*/) noexcept override { push(name(phase).data()); }
  /// As Observer has it.
  void leave(CudaStream /*stream*/) noexcept override { nvtxRangePop(); }
  /// As Observer has it.
  void begin(Operation const& operation, CudaStream /*stream*/) noexcept override { push(operation.name.data()); }
  /// As Observer has it.
  void end(CudaStream /*stream*/) noexcept override { nvtxRangePop(); }

 private:
  // All names are literals, which end in a zero.
  static void push(char const* name) noexcept { nvtxRangePushA(name); }
  void begin_part(Phase phase) noexcept {
    end_part();
    push(name(phase).data());
    part_ = phase;
    is_open_ = true;
  }
  void end_part() noexcept {
    if (is_open_) nvtxRangePop();
    is_open_ = false;
  }

  Phase part_ = Phase::data;
  bool is_open_ = false;
};

}  // namespace zero::profile
