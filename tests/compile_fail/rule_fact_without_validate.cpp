// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Engine: the rule's facts say validates: it needs validate(config)

#include <zero/engine.hpp>

#include <cstddef>
#include <cstdint>

struct Rule {
  static constexpr zero::RuleFacts facts{.name = "Rule", .validates = true};
  static constexpr std::size_t state_count = 0;
  using Config = zero::Sgd::Config;
  using Constants = zero::Sgd::Constants;
  static Constants constants(Config const& config, std::uint64_t step) { return zero::Sgd::constants(config, step); }
  template <class Real>
  static void update(Real& p, Real const& g, zero::States<Real, 0>& /*states*/, Constants const& c) {
    p = fma(Real(c.minus_lr), g, p);
  }
#ifdef ZERO_COMPILES
  static void validate(Config const& /*config*/) {}
#endif
};

using Trainer =
    zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<Rule>, zero::Precision<zero::FP32>>;

[[maybe_unused]] constexpr auto stage = Trainer::stage;
