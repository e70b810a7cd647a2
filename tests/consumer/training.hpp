// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine.hpp>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace consumer {

using Trainer =
    zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                 zero::Precision<zero::FP16, zero::DynamicScale>, zero::HostBackend, zero::ThreadCommunicator>;

/// What the parameters should become: values that fp16 holds exactly.
inline float target(std::size_t i) { return static_cast<float>(i % 13) / 8.0F - 0.75F; }

struct Result {
  double error = 0.0;      ///< sum of squared distances from the targets
  std::uint64_t hash = 0;  ///< of the bits of all parameters, on all ranks
};

/// Some steps of least squares on one rank. The products with the loss scale, a power of two, are exact, so that the
/// gradients have the same bits however this file is compiled.
inline Result train(zero::ThreadCommunicator& communicator, int steps) {
  zero::ParameterList parameters;
  auto const weight = parameters.add({.name = "weight", .shape = {30, 50}});
  auto const bias = parameters.add({.name = "bias", .shape = {7}});
  Trainer engine{communicator,
                 parameters,
                 {.gradient_accumulation_steps = 2, .gradient_clipping = 1.0, .optimizer = {.lr = 0.05F}}};
  zero::HostStream const stream;
  for (int step = 0; step < steps; ++step) {
    for (int k = 0; k < 2; ++k) {
      auto micro_batch = engine.begin_micro_batch(stream);
      for (auto const id : {bias, weight}) {
        auto const values = engine.gather(id, stream);
        auto gradients = engine.gradients(id, stream);
        for (std::size_t i = 0; i < values[id].size(); ++i) {
          float const distance = zero::widen(values[id][i]) - target(i);
          gradients[id][i] = zero::narrow<zero::float16>(distance * engine.loss_scale().value());
        }
        gradients.ready(stream);
      }
      micro_batch.finish(stream);
    }
    (void)engine.step(stream).get();
  }
  Result result{.hash = 14695981039346656037U};  // FNV-1a
  for (auto const* const name : {"weight", "bias"}) {
    auto const values = engine.read_parameter(name);
    for (std::size_t i = 0; i < values.size(); ++i) {
      result.error += std::pow(values[i] - target(i), 2);
      result.hash = (result.hash ^ std::bit_cast<std::uint32_t>(values[i])) * 1099511628211U;
    }
  }
  return result;
}

/// The same on two ranks in this process; the result of the first.
inline Result train_two_ranks(int steps) {
  Result result;
  zero::run_ranks(2, [&](zero::ThreadCommunicator& communicator) {
    auto const mine = train(communicator, steps);
    if (communicator.rank() == 0) result = mine;
  });
  return result;
}

}  // namespace consumer
