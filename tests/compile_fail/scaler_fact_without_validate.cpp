// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Engine: the scaler's facts say validates: it needs validate(config)

#include <zero/engine.hpp>

struct Scaler {
  using Config = zero::StaticScale::Config;
  using State = zero::StaticScale::State;
#ifdef ZERO_COMPILES
  static constexpr zero::ScalerFacts facts{.name = "Scaler"};
#else
  static constexpr zero::ScalerFacts facts{.name = "Scaler", .validates = true};
#endif
  static State initial(Config const& config) { return {config.scale}; }
  static State update(Config const& /*config*/, State state, bool /*overflow*/) { return state; }
};

using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::FP16, Scaler>>;

[[maybe_unused]] constexpr auto stage = Trainer::stage;
