// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Engine: a scaler's name is a fact: write static constexpr zero::ScalerFacts facts{.name = ...}

#include <zero/engine.hpp>

#include <string_view>

struct Scaler : zero::StaticScale {
#ifndef ZERO_COMPILES
  static constexpr std::string_view name = "Scaler";
#endif
};

using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::FP16, Scaler>>;

[[maybe_unused]] constexpr auto stage = Trainer::stage;
