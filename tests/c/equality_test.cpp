// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Trainers in C (training.c) against the same loops in C++, to the bit.

#include "training.h"

#include <zero/any_engine.hpp>
#include <zero/optimizer.hpp>
#include <zero/precision.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

namespace c_equality_test {

namespace {

using zero::ParameterId;

constexpr int steps = 3, micro_batches = 4;
constexpr std::size_t passes = 12;
static_assert(passes / micro_batches == steps);
constexpr double first_lr = 0.125;

/// What is trained, in one type.
template <class Value>
struct Numbers {
  std::vector<float> initial = std::vector<float>(model_elements);
  std::vector<Value> gradients = std::vector<Value>(passes * model_elements);

  explicit Numbers(float scale) {
    for (std::size_t i = 0; i < initial.size(); ++i) initial[i] = static_cast<float>(i % 29) / 16.0F - 0.75F;
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      gradients[i] = zero::narrow<Value>((static_cast<float>(i * 37 % 1009) / 512.0F - 1.0F) * scale);
    }
  }
};

/// What both trainers give.
struct Outcome {
  std::vector<float> values, states;
  std::vector<double> norms;
  std::vector<unsigned char> gathered;
};

void expect_same(Outcome const& one, Outcome const& other) {
  CHECK(std::memcmp(one.values.data(), other.values.data(), one.values.size() * sizeof(float)) == 0);
  CHECK(std::memcmp(one.states.data(), other.states.data(), one.states.size() * sizeof(float)) == 0);
  CHECK(one.norms == other.norms);
  CHECK(one.gathered == other.gathered);
}

template <class Value>
Outcome train_in_c(Numbers<Value> const& numbers, std::vector<zero_setting> const& settings, int ranks,
                   zero_rank_function function) {
  Outcome outcome;
  outcome.values.resize(std::size_t{steps} * model_elements);
  outcome.states.resize(model_elements);
  outcome.gathered.resize(model_elements * sizeof(Value));
  std::vector<zero_step_report> reports(steps);
  training t{};
  t.settings = settings.data();
  t.setting_count = settings.size();
  t.type = static_cast<int32_t>(zero::element_type<Value>);
  t.element_size = sizeof(Value);
  t.initial = numbers.initial.data();
  t.gradients = reinterpret_cast<unsigned char const*>(numbers.gradients.data());
  t.micro_batches = micro_batches;
  t.steps = steps;
  t.values = outcome.values.data();
  t.states = outcome.states.data();
  t.gathered = outcome.gathered.data();
  t.reports = reports.data();
  auto const status = zero_world_run(ranks, nullptr, function, &t);
  CAPTURE(std::string(zero_last_error()));
  REQUIRE(status == ZERO_OK);
  for (auto const& report : reports) outcome.norms.push_back(report.gradient_norm);
  CHECK(reports.back().step == steps);
  return outcome;
}

/// One micro-batch, unit by unit. Returns what the gathers gave.
template <class Engine, class Value>
void pass(Engine& engine, Numbers<Value> const& numbers, int step, std::vector<unsigned char>& gathered) {
  auto micro_batch = engine.begin_micro_batch();
  auto const* gradients = numbers.gradients.data() + (step * micro_batches + micro_batch.index()) * model_elements;
  std::size_t offset = 0;
  for (std::uint32_t p = 0; p < model_parameters; offset += model_sizes[p++]) {
    auto const lease = engine.gather(ParameterId{p});
    auto const values = lease[ParameterId{p}];
    std::memcpy(gathered.data() + offset * sizeof(Value), values.data(), values.size_bytes());
  }
  for (std::uint32_t p = model_parameters; p-- > 0;) {
    offset -= model_sizes[p];
    auto const weights = engine.gather(ParameterId{p});
    auto lease = engine.gradients(ParameterId{p});
    auto const place = lease[ParameterId{p}];
    std::memcpy(static_cast<void*>(place.data()), gradients + offset, place.size_bytes());
    lease.ready();
  }
  micro_batch.finish();
}

template <class Rule, class Prec>
Outcome train_in_cpp(Numbers<typename Prec::compute::type> const& numbers, zero::Stage stage, int ranks,
                     typename zero::AnyEngine<Rule, Prec>::Config const& config) {
  Outcome outcome;
  zero::run_ranks(ranks, [&](zero::ThreadCommunicator& communicator) {
    zero::ParameterList list;
    std::size_t offset = 0;
    constexpr char const* names[] = {"first", "second", "third"};
    for (int p = 0; p < model_parameters; ++p) {
      auto const size = model_sizes[p];
      (void)list.add({.name = names[p], .shape = {size}, .unit = p, .initial = {&numbers.initial[offset], size}});
      offset += size;
    }
    auto own = config;
    own.gradient_accumulation_steps = micro_batches / ranks;
    auto const engine = zero::make_any_engine<Rule, Prec>(stage, communicator, list, std::nullopt, own);
    std::vector<unsigned char> gathered(model_elements * sizeof(typename Prec::compute::type));
    std::vector<float> values, states;
    std::vector<double> norms;
    for (int step = 0; step < steps; ++step) {
      for (int round = 0; round < micro_batches / ranks; ++round) pass(*engine, numbers, step, gathered);
      norms.push_back(engine->step({.lr = first_lr / (step + 1)}).get().gradient_norm);
      states.clear();
      for (std::uint32_t p = 0; p < model_parameters; ++p) {
        auto const whole = engine->read_parameter(ParameterId{p});
        values.insert(values.end(), whole.begin(), whole.end());
        auto const state = engine->read_state(ParameterId{p}, 0);
        states.insert(states.end(), state.begin(), state.end());
      }
    }
    if (communicator.rank() == 0) outcome = {values, states, norms, gathered};
  });
  return outcome;
}

/// The trainer in C with \p rule, whose name is \p name, and \p precision against that in C++, at every stage.
template <class Rule, class Prec>
void compare(char const* name, char const* type, typename zero::AnyEngine<Rule, Prec>::Config const& config,
             std::vector<zero_setting> extra, float scale = 1.0F) {
  CAPTURE(name);
  CAPTURE(type);
  Numbers<typename Prec::compute::type> const numbers(scale);
  extra.push_back({"rule", name, 0.0});
  extra.push_back({"type", type, 0.0});
  for (int stage = 0; stage <= 3; ++stage) {
    for (int const ranks : {1, 2}) {
      CAPTURE(stage);
      CAPTURE(ranks);
      int const rounds = micro_batches / ranks;
      auto settings = extra;
      settings.push_back({"stage", nullptr, static_cast<double>(stage)});
      settings.push_back({"gradient_accumulation_steps", nullptr, static_cast<double>(rounds)});
      settings.push_back({"reduce", "each_micro_batch", 0.0});  // the same bits on any number of ranks
      auto own = config;
      own.reduce = zero::Reduce::each_micro_batch;
      auto const cpp = train_in_cpp<Rule, Prec>(numbers, static_cast<zero::Stage>(stage), ranks, own);
      expect_same(train_in_c(numbers, settings, ranks, train_placed), cpp);
      if (stage == 3) continue;
      auto adopted = train_in_c(numbers, settings, ranks, train_adopted);
      adopted.gathered = cpp.gathered;  // that of C++ is of before the last step
      expect_same(adopted, cpp);
    }
  }
}

TEST_CASE("c: trainers in C have the bits of those in C++: AdamW in fp32") {
  compare<zero::AdamW, zero::Precision<zero::FP32>>(
      "AdamW", "fp32", {.gradient_clipping = 1.5, .optimizer = {.beta1 = 0.875, .weight_decay = 0.25}},
      {{"beta1", nullptr, 0.875}, {"weight_decay", "0.25", 0.0}, {"gradient_clipping", "1.5", 0.0}});
}

TEST_CASE("c: trainers in C have the bits of those in C++: Adam in bf16") {
  compare<zero::Adam, zero::Precision<zero::BF16>>("Adam", "bf16", {.optimizer = {.beta2 = 0.75, .eps = 1e-4}},
                                                   {{"beta2", nullptr, 0.75}, {"eps", "1e-4", 0.0}});
}

TEST_CASE("c: trainers in C have the bits of those in C++: SGD in fp32") {
  compare<zero::Sgd, zero::Precision<zero::FP32>>("SGD", "fp32", {.optimizer = {.momentum = 0.5, .nesterov = true}},
                                                  {{"momentum", nullptr, 0.5}, {"nesterov", "true", 0.0}});
}

TEST_CASE("c: trainers in C have the bits of those in C++: Lion in fp16 with a dynamic loss scale") {
  compare<zero::Lion, zero::Precision<zero::FP16, zero::DynamicScale>>(
      "Lion", "fp16", {.scale = {.initial = 256.0F}}, {{"loss_scale_initial", nullptr, 256.0}}, 256.0F);
}

TEST_CASE("c: trainers in C have the bits of those in C++: Adagrad in fp16 with a fixed loss scale and offload") {
  compare<zero::Adagrad, zero::Precision<zero::FP16, zero::StaticScale>>(
      "Adagrad", "fp16",
      {.optimizer = {.lr_decay = 0.5},
       .scale = {.scale = 128.0F},
       .offload = zero::CpuOffload::Config{.chunk_elements = 256}},
      {{"loss_scale", "128", 0.0},
       {"lr_decay", nullptr, 0.5},
       {"offload", "cpu", 0.0},
       {"offload_chunk_elements", "256", 0.0}},
      128.0F);
}

TEST_CASE("c: two ranks have the bits of one rank with as many micro-batches") {
  Numbers<float> const numbers(1.0F);
  std::vector<zero_setting> settings{{"reduce", "each_micro_batch", 0.0}};
  auto const run = [&](int stage, int ranks, zero_rank_function function) {
    int const rounds = micro_batches / ranks;
    auto own = settings;
    own.push_back({"stage", nullptr, static_cast<double>(stage)});
    own.push_back({"gradient_accumulation_steps", nullptr, static_cast<double>(rounds)});
    return train_in_c(numbers, own, ranks, function);
  };
  for (int stage = 0; stage <= 3; ++stage) {
    CAPTURE(stage);
    auto const function = stage == 3 ? train_placed : train_adopted;
    expect_same(run(stage, 2, function), run(stage, 1, function));
  }
}

}  // namespace

}  // namespace c_equality_test
