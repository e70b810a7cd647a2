// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Trains with a backend, a communicator, a rule and a scaler of this project, in every stage, with and without offload.
// The parameters must get the same bits as with the library's own backend and communicator.
#include "own_backend.hpp"
#include "own_communicator.hpp"
#include "own_rule.hpp"
#include "own_scaler.hpp"

#include <zero/any_engine.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

constexpr int ranks = 3;
constexpr int steps = 7;
constexpr int steps_with_overflow = 1;
constexpr int accumulation = 2;

struct Case {
  zero::Stage stage;
  bool offload;
};

/// What a run has made: the bits of parameters and states, and where it stands.
struct Result {
  std::vector<std::uint32_t> bits;
  std::uint64_t updates = 0, skipped = 0;
  float scale = 0.0F;
  friend bool operator==(Result const&, Result const&) = default;
};

void expect(bool condition, char const* what) {
  if (!condition) throw std::runtime_error(what);
}

/// A gradient that depends on parameter, rank and micro-batch; in the step with an overflow, infinite on one rank.
template <class Value>
Value gradient_of(Value parameter, std::size_t i, int rank, int micro_batch, float scale, bool overflow) {
  if (overflow) return zero::narrow<Value>(std::numeric_limits<float>::infinity());
  auto const target = static_cast<float>((i + 5 * static_cast<std::size_t>(rank)) % 13) / 8.0F;
  return zero::narrow<Value>((zero::widen(parameter) - target - static_cast<float>(micro_batch) / 4.0F) * scale);
}

template <class Engine>
void take_step(Engine& engine, std::vector<zero::ParameterId> const& parameters, int rank, bool overflow,
               typename Engine::Stream stream) {
  for (int k = 0; k < accumulation; ++k) {
    auto micro_batch = engine.begin_micro_batch(stream);
    for (std::size_t p = parameters.size(); p-- > 0;) {
      auto const id = parameters[p];
      auto const values = engine.gather(id, stream);
      auto gradients = engine.gradients(id, stream);
      for (std::size_t i = 0; i < values[id].size(); ++i) {
        gradients[id][i] =
            gradient_of(values[id][i], i, rank, k, engine.loss_scale().value(), overflow && rank == 1 && i == 3);
      }
      gradients.ready(stream);
    }
    micro_batch.finish(stream);
  }
  expect(engine.step(stream).get().skipped == overflow, "a step was skipped, or not, where it should not have been");
}

template <class Engine>
Result result_of(Engine& engine) {
  Result result;
  for (auto const* const name : {"embedding", "weight", "bias"}) {
    auto const add = [&](std::vector<float> const& values) {
      for (float value : values) result.bits.push_back(std::bit_cast<std::uint32_t>(value));
    };
    add(engine.read_parameter(name));
    for (std::size_t k = 0; k < own::RmsProp::state_count; ++k) add(engine.read_state(name, k));
  }
  result.updates = engine.step_state().steps;
  result.skipped = engine.step_state().skipped;
  result.scale = engine.loss_scale().value();
  auto const traits = engine.state()->traits();
  expect(traits.rule == "RMSprop" && traits.states == std::vector<std::string>{"square_avg", "momentum_buffer"},
         "the rule's facts did not reach the checkpoint");
  expect(traits.scaler == "QuarteringScale", "the scaler's facts did not reach the checkpoint");
  return result;
}

/// One rank's run.
template <class Precision, class Backend, class Communicator, class Check>
Result train(Case const& the_case, Communicator& communicator, Check const& check) {
  zero::ParameterList parameters;
  auto const group = parameters.add_group({.lr_factor = 0.5, .weight_decay = 0.25});
  std::vector const ids{parameters.add({.name = "embedding", .shape = {40, 33}, .unit = 0}),
                        parameters.add({.name = "weight", .shape = {300}, .unit = 1}),
                        parameters.add({.name = "bias", .shape = {7}, .group = group, .unit = 1})};
  auto const offload = the_case.offload ? std::optional(zero::CpuOffload::Config{.chunk_elements = 256}) : std::nullopt;
  auto const engine =
      zero::make_any_engine<own::RmsProp, Precision, Backend>(the_case.stage, communicator, parameters, offload,
                                                              {.gradient_accumulation_steps = accumulation,
                                                               .gradient_clipping = 3.0,
                                                               .bucket_elements = 640,
                                                               .optimizer = {.lr = 0.03, .momentum = 0.5},
                                                               .scale = {.initial = 32.0F}});
  for (int step = 0; step < steps; ++step) take_step(*engine, ids, communicator.rank(), step == 4, {});
  check(*engine);
  return result_of(*engine);
}

template <class Precision>
Result train_with_own(Case const& the_case) {
  Result result;
  own::run_ranks(ranks, [&](own::Communicator& communicator) {
    auto const check = [](auto& engine) {
      for (auto const kind : {zero::MemoryKind::device, zero::MemoryKind::pinned, zero::MemoryKind::pageable}) {
        expect(engine.memory().bytes(kind) == engine.backend().bytes_in_use(kind), "memory is not accounted");
      }
      expect(engine.memory().bytes(zero::MemoryKind::device, zero::MemoryPurpose::staging) > 0,
             "the communicator's staging is not accounted");
    };
    auto const mine = train<Precision, own::Backend>(the_case, communicator, check);
    if (communicator.rank() == 0) result = mine;
  });
  return result;
}

template <class Precision>
Result train_with_library(Case const& the_case) {
  Result result;
  zero::run_ranks(ranks, [&](zero::ThreadCommunicator& communicator) {
    auto const mine = train<Precision, zero::HostBackend>(the_case, communicator, [](auto const&) {});
    if (communicator.rank() == 0) result = mine;
  });
  return result;
}

template <class Precision>
bool agree(char const* precision) {
  bool all = true;
  for (int stage = 0; stage < 4; ++stage) {
    for (bool const offload : {false, true}) {
      Case const the_case{static_cast<zero::Stage>(stage), offload};
      auto const own = train_with_own<Precision>(the_case);
      auto const library = train_with_library<Precision>(the_case);
      expect(own.updates == steps - steps_with_overflow && own.skipped == steps_with_overflow,
             "wrong number of updates");
      bool const equal = own == library;
      all = all && equal;
      std::printf("%s, stage %d%s: %s\n", precision, stage, offload ? ", offload" : "", equal ? "equal" : "DIFFERENT");
    }
  }
  return all;
}

}  // namespace

int main() {
  try {
    bool const fp16 = agree<zero::Precision<zero::FP16, own::QuarteringScale>>("fp16");
    bool const bf16 = agree<zero::Precision<zero::BF16, own::QuarteringScale, zero::BF16>>("bf16, bf16 sums");
    return fp16 && bf16 ? 0 : 1;
  } catch (std::exception const& error) {
    std::printf("failed: %s\n", error.what());
    return 1;
  }
}
