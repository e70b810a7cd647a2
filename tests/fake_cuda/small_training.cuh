// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "fake_cuda/fixtures.hpp"
#include "fake_cuda/work.cuh"

#include <zero/cuda/nvtx.hpp>
#include <zero/engine.cuh>
#include <zero/profile/profiler.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <vector>

namespace fake_cuda {

/// A rank of a small training, as `Small` describes it.
template <class Engine, class Communicator>
class SmallTraining {
 public:
  using Compute = typename Engine::Compute;
  static constexpr std::size_t elements = 300;

  SmallTraining(Communicator& communicator, Small const& small)
      : small_(small),
        rank_(communicator.rank()),
        work_(communicator, small.streams, std::max(0, small.device)),
        one_(work_.stream(0)),
        two_(work_.stream(static_cast<std::size_t>(small.streams - 1))) {
    for (int k = 0; small.adopted && k < 4; ++k) own_.emplace_back(std::vector<Compute>(elements));
    if (small.broadcasts || small.broadcasts_in_capture)
      statistics_ = DeviceValues<float>(std::vector<float>(elements));
    if (small.profiles) {
      typename Profiler::Config config;
      config.spans = small.spans;
      config.also = small.marks_ranges ? &ranges_ : nullptr;
      profiler_.emplace(config);
      profiler_->keep_spans(100000);
    }
    engine_ = std::make_unique<Engine>(communicator, parameters(), config());
  }

  void train(Seen& seen) {
    std::optional<zero::CapturedStep<zero::CudaBackend>> captured;
    seen.calls_of_construction = calls_so_far();
    if (small_.gives_up) give_up();
    for (int step = 0; step < small_.steps; ++step) {
      bool const abandons = small_.abandons_capture && step == small_.steps - 1,
                 captures = step == small_.captured_from;
      if ((abandons || captures) && small_.evaluates_before_capture) evaluate();
      if (abandons) abandon_capture();
      if (captures)
        captured = engine_->capture(one_, [&] {
          if (small_.broadcasts_in_capture) engine_->broadcast(std::span(statistics_.data(), elements), 0, one_);
          (void)take_step(step);
        });
      if ((abandons || captures) && small_.evaluates_after_capture) evaluate();
      if (step == small_.loads_before) load();
      if (small_.evaluates) evaluate();
      if (small_.broadcasts) broadcast(step);
      bool const takes_part = !small_.rank_0_replays_alone || rank_ == 0;
      bool const replays = captured && takes_part && !(small_.alternates && (step - small_.captured_from) % 2 == 0);
      auto const ticket = replays ? captured->replay(options(step), one_) : take_step(step);
      seen.steps.push_back(own_counts());
      if (small_.evaluates) evaluate();
      if (small_.waits) seen.reports.push_back(ticket.get());
    }
    seen.calls_of_steps = calls_so_far();
    if (small_.broadcasts) {
      engine_->backend().synchronize(two_);
      for (auto value : fetch(statistics_.data(), elements)) seen.received.push_back(value);
    }
    if (profiler_) tell_times(seen);
    for (auto const* name : {"a", "b", "frozen"}) seen.values.push_back(engine_->read_parameter(name));
    if (profiler_) profiler_->drain();  // tells what has failed for it since
    seen.calls = calls_so_far();
  }

 private:
  using Profiler = zero::profile::Profiler<zero::CudaBackend>;

  [[nodiscard]] zero::ParameterList parameters() {
    zero::ParameterList list;
    int unit = 0;
    for (auto const* name : {"a", "b"}) {
      zero::ParameterSpec spec{.name = name, .shape = {elements}, .unit = unit};
      if (small_.adopted) {
        if (small_.stage != zero::Stage::parameters)
          spec.values = zero::adopt(own_[static_cast<std::size_t>(unit)].data(), elements);
        auto const at = static_cast<std::size_t>(unit);
        auto* const gradients = small_.gradients_on_host ? on_host_ + at * elements : own_[2 + at].data();
        spec.gradients = zero::adopt(gradients, elements);
      }
      (void)list.add(spec);
      ++unit;
    }
    (void)list.add({.name = "frozen", .shape = {elements}, .unit = unit, .frozen = true});
    return list;
  }
  void tell_times(Seen& seen) {
    profiler_->drain();
    while (auto const step = profiler_->take_step()) seen.breakdowns.push_back(*step);
    seen.spans = profiler_->take_spans();
    for (auto const& span : seen.spans) seen.streams.emplace_back(profiler_->stream_name(span.stream));
  }
  [[nodiscard]] zero::StepOptions options(int step) const {
    bool const differs = step == small_.differs_at && rank_ == 1;
    zero::StepOptions options{.lr = (differs && !small_.cycles_momentum ? 0.2 : 0.1) / (1.0 + step)};
    if (!small_.cycles_momentum) return options;
    options.momentum = 1.0 - (differs ? 0.3 : 0.4) / (1.0 + step);
    options.beta2 = 0.99;
    return options;
  }
  [[nodiscard]] typename Engine::Config config() {
    typename Engine::Config config{.gradient_clipping = 1.0, .bucket_elements = small_.bucket_elements};
    if (small_.micro_batches > 0) config.micro_batches_per_step = small_.micro_batches;
    if (small_.micro_batches == 0) config.gradient_accumulation_steps = small_.accumulation;
    using Scale = decltype(config.scale);
    config.scale = Scale{.initial = 8.0F, .window = 2, .hysteresis = 1};
    config.backend = {.device = small_.device, .host_threads = 1};
    config.profiler = profiler_ ? &*profiler_ : nullptr;
    if constexpr (requires { config.offload.chunk_elements; }) {
      config.offload.chunk_elements = 128;
      config.offload.device_share = small_.device_share;
      config.offload.delayed_update = small_.delayed_update;
    }
    return config;
  }

  [[nodiscard]] auto take_step(int step) {
    for (int a = 0; a < rounds(); ++a) micro_batch(step);
    return engine_->step(options(step), one_);
  }
  [[nodiscard]] int rounds() const {
    if (small_.micro_batches == 0) return small_.accumulation;
    return (small_.micro_batches + small_.world - 1) / small_.world;
  }
  void micro_batch(int step) {
    auto micro_batch = engine_->begin_micro_batch(one_);
    for (std::uint32_t p : {0U, 1U}) read(p, one_);
    for (std::uint32_t p : {1U, 0U}) {
      auto const stream = producer(p);
      read(p, stream);
      if (micro_batch.contributes()) write(p, step == small_.bad_step, stream).ready(stream);
    }
    micro_batch.finish(one_);
  }
  [[nodiscard]] zero::CudaStream producer(std::uint32_t p) const {
    return small_.streams > 2 ? work_.stream(p % static_cast<std::uint32_t>(small_.streams - 1)) : one_;
  }
  void read(std::uint32_t p, zero::CudaStream stream) {
    auto const weights = engine_->gather(zero::ParameterId{p}, stream);
    work_.look_at(stream, weights[{p}]);
  }
  [[nodiscard]] typename Engine::Gradients write(std::uint32_t p, bool bad, zero::CudaStream stream) {
    auto gradients = engine_->gradients(zero::ParameterId{p}, stream);
    auto const target = gradients.write({p});
    std::span const scale(engine_->loss_scale().data(), 1);
    work_.launch(stream, "backward", {engine_test::reads(scale), engine_test::writes(target.values)}, elements,
                 [=](std::size_t i) {
                   float const g = bad && i == 7 ? INFINITY : scale[0] * static_cast<float>(1 + (i * 7 + p) % 11);
                   target.values[i] = zero::narrow<Compute>(target.adds ? zero::widen(target.values[i]) + g : g);
                 });
    return gradients;
  }
  void load() {
    auto const state = engine_->state();
    auto progress = state->progress();
    progress.first_steps = {1, 0, 0};
    state->set_progress(progress);
  }
  void broadcast(int step) {
    std::span const values(statistics_.data(), elements);
    work_.launch(two_, "statistics", {engine_test::writes(values)}, elements, [=, rank = rank_](std::size_t i) {
      values[i] = static_cast<float>(100 * rank + step) + static_cast<float>(i);
    });
    engine_->broadcast(values, small_.world - 1, two_);
    work_.launch(two_, "next", {engine_test::writes(values)}, elements, [=](std::size_t i) { values[i] *= 2.0F; });
  }
  void evaluate() {
    for (std::uint32_t p : {0U, 1U}) read(p, two_);
  }
  void give_up() {
    {
      auto micro_batch = engine_->begin_micro_batch(one_);
      write(1, false, producer(0)).ready(producer(0));
      (void)write(0, false, producer(1));
    }
    engine_->discard_gradients();
  }
  void abandon_capture() {
    try {
      (void)engine_->capture(one_, [&] {
        (void)take_step(0);
        throw std::logic_error("given up");
      });
    } catch (std::logic_error const&) {
      return;
    }
    throw std::runtime_error("a capture that was given up has thrown nothing");
  }

  Small small_;
  int rank_;
  std::vector<DeviceValues<Compute>> own_;
  DeviceValues<float> statistics_;
  Compute on_host_[2 * elements]{};
  OnCudaStreams work_;
  zero::CudaStream one_, two_;
  zero::profile::NvtxRanges ranges_;
  std::optional<Profiler> profiler_;
  std::unique_ptr<Engine> engine_;
};

using Prec = zero::Precision<zero::FP16, zero::DynamicScale>;
template <zero::Stage S, class Offload, class Communicator>
using EngineOf =
    zero::Engine<zero::Partitioner<S>, zero::Optimizer<zero::AdamW, Offload>, Prec, zero::CudaBackend, Communicator>;

}  // namespace fake_cuda
