// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/activation/host_inputs.hpp>
#include <zero/activation/recomputed_blocks.hpp>
#include <zero/backends/host.hpp>
#include <zero/backends/simulation.hpp>
#include <zero/parameter.hpp>
#include <zero/simulation/access.hpp>
#include <zero/traffic.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace activation_test {

using zero::activation::BackwardCall;
using zero::activation::BackwardWork;
using zero::simulation::Access;
using zero::simulation::reads;
using zero::simulation::writes;

inline constexpr std::size_t width = 300;

/// "w0", "b0", "w1", ...: two parameters for each block, which is a unit.
inline zero::ParameterList parameters(std::size_t blocks) {
  zero::ParameterList list;
  for (std::size_t b = 0; b < blocks; ++b) {
    for (char const* name : {"w", "b"}) {
      (void)list.add({.name = name + std::to_string(b), .shape = {width}, .unit = static_cast<int>(b)});
    }
  }
  return list;
}

/// Runs \p work, which touches the bytes of the accesses only.
template <class F>
void launch(zero::HostStream /*stream*/, char const* /*name*/, std::vector<Access> const& /*accesses*/, F const& work) {
  work();
}
template <class F>
void launch(zero::SimulationStream stream, char const* name, std::vector<Access> const& accesses, F work) {
  stream.launch(name, accesses, std::move(work));
}

struct ChainResult {
  std::vector<std::vector<float>> parameters;
  zero::Traffic traffic{};
  zero::activation::RecomputeRecord record{};
};

/// Trains a chain of blocks, each of which makes x + w tanh(x + b) of its input and keeps the tanh, in the order of a
/// plan. The loss is half the sum of squares of the output, so that the output is its own gradient.
template <class Engine, class Backend>
class Chain {
 public:
  using Stream = typename Engine::Stream;
  using Lease = typename Engine::Lease;

  /// Inputs of segments lie in host memory by way of \p offload, or beside the rest where it is null.
  Chain(Engine& engine, zero::activation::SegmentPlan const& plan, Stream stream, Backend* offload = nullptr)
      : engine_(engine), stream_(stream), blocks_(plan, ids(plan.blocks())), hidden_(plan.sets()) {
    for (auto& set : hidden_) set.resize(width);
    inputs_.resize(plan.kept_inputs());
    for (auto& input : inputs_) input.resize(width);
    x_.resize(width), dx_.resize(width);
    if (offload != nullptr) host_inputs_.emplace(*offload, plan.kept_inputs(), width * sizeof(float));
    for (std::size_t b = 0; b < plan.blocks(); ++b) {
      std::vector<float> values(width);
      for (std::size_t i = 0; i < width; ++i) values[i] = 0.1F + 0.001F * static_cast<float>((i * 7 + b * 13) % 50);
      engine_.write_parameter("w" + std::to_string(b), values);
      engine_.write_parameter("b" + std::to_string(b), values);
    }
  }

  Chain(Chain const&) = delete;
  Chain& operator=(Chain const&) = delete;
  ~Chain() {
    try {
      engine_.backend().synchronize(stream_);  // after a failure, too: its work uses the buffers here
    } catch (zero::Error const&) {
      static_cast<void>(0);
    }
  }

  ChainResult train(int steps) {
    for (int step = 0; step < steps; ++step) {
      for (int round = 0; round < rounds_; ++round) micro_batch(step);
      (void)engine_.step({.lr = 0.01}, stream_).get();
    }
    engine_.finish_update();
    ChainResult result;
    result.traffic = engine_.traffic();
    result.record = blocks_.record();
    for (std::size_t b = 0; b < blocks_.plan().blocks(); ++b) {
      for (char const* name : {"w", "b"}) {
        result.parameters.push_back(engine_.read_parameter(name + std::to_string(b)));
      }
    }
    return result;
  }
  void set_rounds(int rounds) { rounds_ = rounds; }
  /// Gives up the first micro-batch in backward after so many calls, and begins anew.
  void give_up_after(int calls) { give_up_after_ = calls; }

 private:
  struct GivenUp {};

  static std::vector<std::vector<zero::ParameterId>> ids(std::size_t blocks) {
    std::vector<std::vector<zero::ParameterId>> ids;
    for (std::uint32_t b = 0; b < blocks; ++b) ids.push_back({{2 * b}, {2 * b + 1}});
    return ids;
  }

  // Half a micro-batch, which is dropped.
  void give_up(int calls) {
    {
      auto const batch = engine_.begin_micro_batch(stream_);
      forward(0.0F);
      try {
        blocks_.backward(engine_, stream_, [&](BackwardCall const& call, Lease const& weights) {
          if (calls-- == 0) throw GivenUp();
          again(call, weights);
        });
      } catch (GivenUp const&) {
        CHECK(calls < 0);
      }
    }
    engine_.discard_gradients();
  }

  void micro_batch(int step) {
    if (int const calls = std::exchange(give_up_after_, 0); calls > 0) give_up(calls);
    auto batch = engine_.begin_micro_batch(stream_);
    if (!batch.contributes()) {
      blocks_.gather_forward(engine_, stream_);
      blocks_.gather_backward(engine_, stream_);
      batch.finish(stream_);
      return;
    }
    float const first = 0.01F * static_cast<float>(batch.index() + 3 * step);
    forward(first);
    blocks_.backward(engine_, stream_, [&](BackwardCall const& call, Lease const& weights) {
      again(call, weights);
      if (call.work != BackwardWork::again) backward(call.block, weights);
    });
    batch.finish(stream_);
  }

  void forward(float first) {
    auto* const x = x_.data();
    launch(stream_, "input", {writes(x, bytes)}, [=] {
      for (std::size_t i = 0; i < width; ++i) x[i] = first + 0.001F * static_cast<float>(i % 17);
    });
    blocks_.forward(engine_, stream_, [&](std::size_t b, Lease const& weights) {
      if (blocks_.plan().keeps_input(b)) keep(blocks_.plan().segment(b));
      block(b, weights);
    });
    auto* const dx = dx_.data();
    launch(stream_, "loss", {reads(x, bytes), writes(dx, bytes)}, [=] { std::copy_n(x, width, dx); });
  }

  void keep(std::size_t input) {
    if (host_inputs_) return host_inputs_->keep(input, x_.data(), bytes, stream_);
    float const* const from = x_.data();
    float* const to = inputs_[input].data();
    launch(stream_, "keep", {reads(from, bytes), writes(to, bytes)}, [=] { std::copy_n(from, width, to); });
  }
  void take(std::size_t input) {
    if (host_inputs_) return host_inputs_->take(input, x_.data(), stream_);
    float const* const from = inputs_[input].data();
    float* const to = x_.data();
    launch(stream_, "take", {reads(from, bytes), writes(to, bytes)}, [=] { std::copy_n(from, width, to); });
  }

  void again(BackwardCall const& call, Lease const& weights) {
    if (call.work == BackwardWork::backward) return;
    if (blocks_.plan().keeps_input(call.block)) take(blocks_.plan().segment(call.block));
    block(call.block, weights);
  }

  void block(std::size_t b, Lease const& weights) {
    auto const ids = blocks_.parameters(b);
    float const *const w = weights[ids[0]].data(), *const bias = weights[ids[1]].data();
    float *const x = x_.data(), *const hidden = hidden_[blocks_.plan().set(b)].data();
    launch(stream_, "block", {reads(w, bytes), reads(bias, bytes), writes(x, bytes), writes(hidden, bytes)}, [=] {
      for (std::size_t i = 0; i < width; ++i) {
        hidden[i] = std::tanh(x[i] + bias[i]);
        x[i] += w[i] * hidden[i];
      }
    });
  }

  void backward(std::size_t b, Lease const& weights) {
    auto const ids = blocks_.parameters(b);
    auto gradients = engine_.gradients(ids, stream_);
    auto const dw = gradients.write(ids[0]), db = gradients.write(ids[1]);
    float const* const w = weights[ids[0]].data();
    float const* const hidden = hidden_[blocks_.plan().set(b)].data();
    float* const dx = dx_.data();
    launch(stream_, "backward",
           {reads(w, bytes), reads(hidden, bytes), writes(dx, bytes), writes(dw.values.data(), bytes),
            writes(db.values.data(), bytes)},
           [=] {
             for (std::size_t i = 0; i < width; ++i) {
               float const slope = dx[i] * w[i] * (1.0F - hidden[i] * hidden[i]);
               dw.values[i] = (dw.adds ? dw.values[i] : 0.0F) + dx[i] * hidden[i];
               db.values[i] = (db.adds ? db.values[i] : 0.0F) + slope;
               dx[i] += slope;
             }
           });
    gradients.ready(stream_);
  }

  static constexpr std::size_t bytes = width * sizeof(float);

  Engine& engine_;
  Stream stream_;
  zero::activation::RecomputedBlocks blocks_;
  std::vector<std::vector<float>> hidden_, inputs_;  // by set; by segment
  std::vector<float> x_, dx_;                        // the residual stream and its gradient
  std::optional<zero::activation::HostInputs<Backend>> host_inputs_;
  int rounds_ = 1;
  int give_up_after_ = 0;
};

}  // namespace activation_test
