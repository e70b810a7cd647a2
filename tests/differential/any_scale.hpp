// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "differential/scenario.hpp"

#include <zero/loss_scaler.hpp>

namespace differential {

/// The library's scalers behind one type, so that engines are compiled once for all of them.
struct AnyScale {
  static constexpr zero::ScalerFacts facts{.name = "AnyScale"};
  struct Config {
    Scaling kind = Scaling::none;
    zero::StaticScale::Config constant{};
    zero::DynamicScale::Config dynamic{};
    zero::AtMinimumScale at_minimum = zero::AtMinimumScale::fail;
  };
  struct State {
    float scale;
    bool exhausted;
    zero::DynamicScale::State dynamic;
  };

  static State initial(Config const& config) {
    auto const dynamic = zero::DynamicScale::initial(config.dynamic);
    switch (config.kind) {
      case Scaling::none:
        return {zero::NoScale::initial({}).scale, false, dynamic};
      case Scaling::constant:
        return {zero::StaticScale::initial(config.constant).scale, false, dynamic};
      default:
        return {dynamic.scale, dynamic.exhausted, dynamic};
    }
  }
  static State update(Config const& config, State state, bool overflow) {
    switch (config.kind) {
      case Scaling::none:
        return {zero::NoScale::update({}, {state.scale}, overflow).scale, false, state.dynamic};
      case Scaling::constant:
        return {zero::StaticScale::update(config.constant, {state.scale}, overflow).scale, false, state.dynamic};
      default:
        state.dynamic = zero::DynamicScale::update(config.dynamic, state.dynamic, overflow);
        return {state.dynamic.scale, state.dynamic.exhausted, state.dynamic};
    }
  }
};
static_assert(zero::loss_scaler<AnyScale>);

}  // namespace differential
