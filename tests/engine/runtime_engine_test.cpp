// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Engines whose rule is chosen when the program runs: the bits of those whose rule is a template argument.

#include <zero/any_engine.hpp>
#include <zero/checkpoint/load.hpp>
#include <zero/checkpoint/save.hpp>
#include <zero/runtime_engine.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <unistd.h>

namespace engine_runtime_engine_test {

namespace {

using zero::Stage;
using zero::ThreadCommunicator;

static_assert(!std::is_copy_constructible_v<zero::RuntimeEngine<float>>);
static_assert(std::is_nothrow_move_constructible_v<zero::RuntimeEngine<float>>);

constexpr std::size_t elements = 700;

zero::ParameterList one_parameter() {
  zero::ParameterList list;
  static_cast<void>(list.add({.name = "w", .shape = {elements}}));
  return list;
}

/// Three steps with a gradient that the step and the element say. Both kinds of engine have these calls.
template <class Engine>
std::vector<float> train(Engine& engine) {
  using Value = typename Engine::Compute;
  auto const id = engine.find("w");
  std::vector<float> start(elements);
  for (std::size_t i = 0; i < elements; ++i) start[i] = static_cast<float>(i % 13) / 16.0F;
  engine.write_parameter("w", start);
  for (int step = 0; step < 3; ++step) {
    auto micro_batch = engine.begin_micro_batch({});
    {
      auto const weights = engine.gather(id, {});
      auto gradients = engine.gradients(id, {});
      float const scale = engine.loss_scale().value();
      auto const w = weights[id];
      auto const g = gradients[id];
      for (std::size_t i = 0; i < elements; ++i) {
        g[i] = zero::narrow<Value>((zero::widen(w[i]) - 0.5F) * scale * static_cast<float>(step + 1) / 4.0F);
      }
      gradients.ready({});
    }
    micro_batch.finish({});
    auto const report = engine.step({.lr = 0.125}, {}).get();
    REQUIRE_FALSE(report.skipped);
  }
  return engine.read_parameter("w");
}

template <class Rule, class Prec>
void check_rule(Stage stage) {
  using Value = typename Prec::compute::type;
  CAPTURE(zero::rule_facts<Rule>().name);
  std::vector<float> direct, erased;
  zero::run_ranks(2, [&](ThreadCommunicator& ranks) {
    auto const engine = zero::make_any_engine<Rule, Prec>(stage, ranks, one_parameter(), std::nullopt, {});
    auto values = train(*engine);
    if (ranks.rank() == 0) direct = std::move(values);
  });
  zero::run_ranks(2, [&](ThreadCommunicator& ranks) {
    zero::RuntimeEngine<Value> engine =
        zero::make_any_engine<Rule, Prec>(stage, ranks, one_parameter(), std::nullopt, {});
    auto values = train(engine);
    CHECK(engine.memory().total() > 0);
    CHECK(engine.traffic().training() > 0);
    CHECK(engine.layout().extents().size() == 1);
    if (ranks.rank() == 0) erased = std::move(values);
  });
  CHECK(direct == erased);
  CHECK(direct != std::vector<float>(elements, 0.0F));
}

}  // namespace

TEST_CASE("runtime engine: every rule and precision gives the bits of the engine that it holds") {
  using zero::Precision;
  check_rule<zero::AdamW, Precision<zero::FP32>>(Stage::none);
  check_rule<zero::Adam, Precision<zero::FP32>>(Stage::optimizer_states);
  check_rule<zero::Sgd, Precision<zero::BF16>>(Stage::gradients);
  check_rule<zero::Lion, Precision<zero::FP16, zero::DynamicScale>>(Stage::parameters);
  check_rule<zero::Adagrad, Precision<zero::FP16, zero::StaticScale>>(Stage::gradients);
}

TEST_CASE("runtime engine: it says what it was made with and where it stands, and takes parameters by number") {
  zero::run_ranks(2, [&](ThreadCommunicator& ranks) {
    auto config = zero::AnyEngine<zero::AdamW, zero::Precision<zero::FP16, zero::DynamicScale>>::Config{
        .gradient_accumulation_steps = 1, .gradient_clipping = 2.0, .bucket_elements = 512, .optimizer = {.lr = 0.25}};
    zero::RuntimeEngine<zero::float16> engine =
        zero::make_any_engine<zero::AdamW, zero::Precision<zero::FP16, zero::DynamicScale>>(
            Stage::gradients, ranks, one_parameter(), zero::CpuOffload::Config{.chunk_elements = 256}, config);
    CHECK(engine.config().stage == Stage::gradients);
    CHECK(engine.config().lr == 0.25);
    CHECK(engine.config().gradient_clipping == 2.0);
    CHECK(engine.config().bucket_elements == 512U);
    REQUIRE(engine.config().offload.has_value());
    CHECK(engine.config().offload->chunk_elements == 256);
    CHECK(&engine.backend() == &std::as_const(engine).backend());
    CHECK(engine.step_state().steps == 0);
    CHECK(engine.step_state().scale == 65536.0F);
    (void)train(engine);
    CHECK(engine.step_state().steps == 3);
    CHECK(engine.step_state().skipped == 0);
    auto const w = engine.find("w");
    std::vector<float> const values(elements, 0.5F), moments(elements, 0.25F);
    engine.write_parameter(w, values);
    CHECK(engine.read_parameter(w) == values);
    CHECK(engine.read_parameter("w") == values);
    engine.write_state(w, 1, moments);
    CHECK(engine.read_state(w, 1) == moments);
    CHECK_THROWS_AS((void)engine.read_parameter(zero::ParameterId{1}), zero::ConfigurationError);
    CHECK_THROWS_AS((void)engine.find("v"), zero::ConfigurationError);
    {
      auto micro_batch = engine.begin_micro_batch();
      auto gradients = engine.gradients({w});
      for (auto& g : gradients[w]) g = zero::narrow<zero::float16>(0.0F);
      gradients.ready();
      micro_batch.finish();
    }
    engine.write_gradient(w, moments);
    CHECK(engine.read_gradient(w) == moments);
    CHECK(engine.step({.lr = 0.0}).get().step == 4);
  });
}

TEST_CASE("runtime engine: one variable holds engines of several rules, and checkpoints take it") {
  auto const folder = std::filesystem::temp_directory_path() / ("zero-runtime-engine-" + std::to_string(::getpid()));
  std::filesystem::remove_all(folder);
  zero::run_ranks(1, [&](ThreadCommunicator& ranks) {
    zero::RuntimeEngine<float> engine = zero::make_any_engine<zero::Sgd, zero::Precision<zero::FP32>>(
        Stage::gradients, ranks, one_parameter(), std::nullopt, {});
    auto const trained = train(engine);
    zero::save_checkpoint(engine, folder.string(), {.tag = "sgd"});
    engine = zero::make_any_engine<zero::AdamW, zero::Precision<zero::FP32>>(Stage::none, ranks, one_parameter(),
                                                                             std::nullopt, {});
    CHECK(engine.read_parameter("w") != trained);
    zero::load_checkpoint(engine, folder.string(), {.parameters_only = true});
    CHECK(engine.read_parameter("w") == trained);
  });
  std::filesystem::remove_all(folder);
}

}  // namespace engine_runtime_engine_test
