// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// StepOptions::momentum and beta2: momentum that a schedule gives for each step.

#include "engine/engine_under_test.hpp"
#include "reference/rules.hpp"

#include <zero/any_engine.hpp>
#include <zero/schedule/one_cycle.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <functional>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace engine_momentum_test {

using engine_test::contains;
using engine_test::message_of;
using zero::Stage;

namespace {

constexpr zero::ParameterId id{0};
constexpr std::size_t elements = 4;
constexpr int steps = 20;

template <class Rule, class Communicator = zero::SelfCommunicator>
using EngineOf = zero::AnyEngine<Rule, zero::Precision<zero::FP32>, zero::HostBackend, Communicator>;

zero::ParameterList one_parameter() {
  static constexpr std::array<float, elements> initial{0.0F, 0.125F, 0.25F, 0.375F};
  zero::ParameterList list;
  (void)list.add({.name = "p", .shape = {elements}, .initial = initial});
  return list;
}
float gradient_of(int step, std::size_t i) {
  return static_cast<float>((step * 7 + static_cast<int>(i) * 3) % 11 - 5) / 8;
}

template <class Engine>
void micro_batch(Engine& engine, int step) {
  auto micro_batch = engine.begin_micro_batch({});
  auto gradients = engine.gradients(id, {});
  auto const places = gradients[id];
  for (std::size_t i = 0; i < elements; ++i) places[i] += gradient_of(step, i);
  gradients.ready({});
  micro_batch.finish({});
}

/// Momentum that falls and rises, and learning rates, as a schedule gives them.
zero::schedule::Rates rates_of(int step) {
  static zero::schedule::OneCycle const cycle({.min_lr = 0.01,
                                               .max_lr = 0.1,
                                               .first_steps = 7,
                                               .second_steps = 5,
                                               .decay_steps = 4,
                                               .min_momentum = 0.5,
                                               .max_momentum = 0.9,
                                               .decay_momentum_rate = 0.01});
  return cycle.at(static_cast<std::uint64_t>(step));
}

template <class Rule>
std::vector<std::vector<float>> train(typename Rule::Config const& config,
                                      std::function<zero::StepOptions(int)> const& options) {
  zero::SelfCommunicator self;
  EngineOf<Rule> engine(Stage::none, self, one_parameter(), {.optimizer = config});
  std::vector<std::vector<float>> parameters;
  for (int step = 0; step < steps; ++step) {
    micro_batch(engine, step);
    (void)engine.step(options(step), {}).get();
    parameters.push_back(engine.read_parameter("p"));
  }
  return parameters;
}

template <class Rule>
zero::StepOptions options_of(int step) {
  auto const rates = rates_of(step);
  zero::StepOptions options{.lr = rates.lr, .momentum = rates.momentum};
  if constexpr (zero::rule_facts<Rule>().sets_beta2) options.beta2 = rates.beta2;
  return options;
}

/// A rule of a user's own that takes momentum per step, and no β₂. v ← µ v + g,  p ← p − lr v.
struct HeavyBall {
  static constexpr zero::RuleFacts facts{.name = "HeavyBall", .sets_momentum = true};
  static constexpr std::size_t state_count = 1;
  struct Config {
    double lr = 1e-3;
    float momentum = 0.9F;
  };
  struct Constants {
    float momentum, minus_lr;
  };
  ZERO_HOST_DEVICE static Constants constants(Config const& c, std::uint64_t /*step*/) {
    return {c.momentum, (-zero::Double(c.lr)).to_float()};
  }
  template <class Real>
  ZERO_HOST_DEVICE static void update(Real& p, Real const& g, zero::States<Real, 1>& s, Constants const& c) {
    s[0] = fma(Real(c.momentum), s[0], g);
    p = fma(Real(c.minus_lr), s[0], p);
  }
  static void set_momentum(Config& c, double momentum) { c.momentum = static_cast<float>(momentum); }
};

/// Against a plain loop in double precision, whose rule is made anew for each step.
template <class Rule, class Oracle>
void check_against(Oracle const& oracle_of) {
  auto const parameters = train<Rule>({}, options_of<Rule>);
  std::array<reference::Element, elements> plain{};
  for (std::size_t i = 0; i < elements; ++i) plain[i].p = static_cast<double>(i) / 8;
  for (int step = 0; step < steps; ++step) {
    CAPTURE(step);
    for (std::size_t i = 0; i < elements; ++i) {
      plain[i].g = static_cast<double>(gradient_of(step, i));
      plain[i] = oracle_of(rates_of(step)).step(plain[i], static_cast<std::uint64_t>(step) + 1);
      CHECK(std::abs(static_cast<double>(parameters[static_cast<std::size_t>(step)][i]) - plain[i].p) < 3e-6);
    }
  }
}

}  // namespace

TEST_CASE("momentum: the rules take that of a step, as a plain loop does") {
  using zero::schedule::Rates;
  check_against<zero::Adam>(
      [](Rates const& r) { return reference::Adam{r.lr, r.momentum.value(), r.beta2.value(), 1e-8, 0.0, false}; });
  check_against<zero::AdamW>(
      [](Rates const& r) { return reference::Adam{r.lr, r.momentum.value(), r.beta2.value(), 1e-8, 0.01, true}; });
  check_against<zero::Lion>([](Rates const& r) {
    return reference::Lion{r.lr, r.momentum.value(), r.beta2.value(), 0.0};
  });
  check_against<zero::Sgd>([](Rates const& r) { return reference::Sgd{r.lr, r.momentum.value(), 0.0, 0.0, false}; });
}

TEST_CASE("momentum: that of a step has the bits of a configuration's") {
  auto const configured =
      train<zero::AdamW>({.lr = 0.1, .beta1 = 0.8, .beta2 = 0.95}, [](int) { return zero::StepOptions{}; });
  auto const given =
      train<zero::AdamW>({.lr = 0.1}, [](int) { return zero::StepOptions{.momentum = 0.8, .beta2 = 0.95}; });
  auto const half =
      train<zero::AdamW>({.lr = 0.1, .beta2 = 0.95}, [](int) { return zero::StepOptions{.momentum = 0.8}; });
  CHECK(given == configured);
  CHECK(half == configured);
  CHECK(train<zero::AdamW>({.lr = 0.1}, [](int) { return zero::StepOptions{}; }) != configured);
  CHECK(train<zero::Sgd>({.lr = 0.1}, [](int) { return zero::StepOptions{.momentum = 0.5}; }) ==
        train<zero::Sgd>({.lr = 0.1, .momentum = 0.5}, [](int) { return zero::StepOptions{}; }));
}

TEST_CASE("momentum: the configuration's counts again in a step that gives none") {
  auto const twice = [](int step) { return step == 3 ? zero::StepOptions{.momentum = 0.2} : zero::StepOptions{}; };
  auto const always = [](int step) { return zero::StepOptions{.momentum = step == 3 ? 0.2 : 0.9}; };
  CHECK(train<zero::AdamW>({.lr = 0.1}, twice) == train<zero::AdamW>({.lr = 0.1}, always));
}

TEST_CASE("momentum: a user's rule takes it by set_momentum") {
  CHECK(train<HeavyBall>({.lr = 0.1}, [](int) { return zero::StepOptions{.momentum = 0.5}; }) ==
        train<HeavyBall>({.lr = 0.1, .momentum = 0.5F}, [](int) { return zero::StepOptions{}; }));
}

TEST_CASE("momentum: PyTorch's optimizers with other betas at each step") {
  std::ifstream in(RECORDED_MOMENTUM);
  REQUIRE(in);
  int seen = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    std::string name;
    words >> name;
    CAPTURE(name);
    auto const parameters = name == "Adam"    ? train<zero::Adam>({.weight_decay = 0.1}, options_of<zero::Adam>)
                            : name == "AdamW" ? train<zero::AdamW>({.weight_decay = 0.1}, options_of<zero::AdamW>)
                                              : train<zero::Sgd>({.weight_decay = 0.1}, options_of<zero::Sgd>);
    for (int step = 0; step < steps; ++step) {
      for (std::size_t i = 0; i < elements; ++i) {
        std::string number;
        REQUIRE(static_cast<bool>(words >> number));
        CAPTURE(step);
        CHECK(std::abs(static_cast<double>(parameters[static_cast<std::size_t>(step)][i]) -
                       std::strtod(number.c_str(), nullptr)) < 3e-6);
      }
    }
    ++seen;
  }
  CHECK(seen == 3);
}

TEST_CASE("momentum: what cannot be is refused before anything changes") {
  zero::SelfCommunicator self;
  auto const refuses = [](auto& engine, zero::StepOptions const& options, char const* part) {
    CHECK(contains(message_of<zero::ConfigurationError>([&] { (void)engine.step(options, {}); }), part));
  };
  constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
  EngineOf<zero::AdamW> adam(Stage::none, self, one_parameter());
  micro_batch(adam, 0);
  auto const before = adam.read_parameter("p");
  for (double const bad : {1.0, 1.5, -0.1, not_a_number}) {
    refuses(adam, {.momentum = bad}, "zero::Engine: momentum of a step must be in [0, 1)");
    refuses(adam, {.beta2 = bad}, "zero::Engine: beta2 of a step must be in [0, 1)");
  }
  CHECK(adam.read_parameter("p") == before);
  CHECK(adam.step({.momentum = 0.0, .beta2 = 0.0}, {}).get().step == 1);

  EngineOf<zero::Adagrad> adagrad(Stage::none, self, one_parameter());
  micro_batch(adagrad, 0);
  refuses(adagrad, {.momentum = 0.9},
          "zero::Engine: momentum is given for a step, but the rule 'Adagrad' takes none per step: leave it out");
  refuses(adagrad, {.beta2 = 0.9}, "beta2 is given for a step, but the rule 'Adagrad' takes none");
  CHECK(adagrad.step({}).get().step == 1);
  EngineOf<zero::Sgd> sgd(Stage::none, self, one_parameter());
  micro_batch(sgd, 0);
  refuses(sgd, {.momentum = 0.9, .beta2 = 0.9}, "beta2 is given for a step, but the rule 'SGD' takes none");
  CHECK(sgd.step({.momentum = 0.9}, {}).get().step == 1);
}

TEST_CASE("momentum: another one on one rank, or none, is every rank's error") {
  for (auto stage : {Stage::none, Stage::optimizer_states, Stage::gradients, Stage::parameters}) {
    for (int what = 0; what < 3; ++what) {
      zero::run_ranks(2, [&](zero::ThreadCommunicator& ranks) {
        EngineOf<zero::AdamW, zero::ThreadCommunicator> engine(stage, ranks, one_parameter());
        micro_batch(engine, 0);
        CHECK(engine.step({.momentum = 0.5, .beta2 = 0.75}, {}).get().step == 1);
        auto const before = engine.read_parameter("p");
        micro_batch(engine, 1);
        zero::StepOptions options{.momentum = 0.5, .beta2 = 0.75};
        if (ranks.rank() == 1 && what == 0) options.momentum = 0.25;
        if (ranks.rank() == 1 && what == 1) options.momentum = std::nullopt;
        if (ranks.rank() == 1 && what == 2) options.beta2 = 0.5;
        auto const ticket = engine.step(options, {});
        CHECK(contains(message_of<zero::MismatchError>([&] { (void)ticket.get(); }), "rank 1 took a step otherwise"));
        CHECK(engine.read_parameter("p") == before);
      });
    }
  }
}

}  // namespace engine_momentum_test
