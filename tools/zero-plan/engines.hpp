// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/any_engine.hpp>
#include <zero/backends/simulation.hpp>
#include <zero/communicators/simulation.hpp>
#include <zero/optimizer.hpp>
#include <zero/precision.hpp>

#include <memory>
#include <optional>

namespace zero_plan {

template <class Prec>
using EngineOf = zero::AnyEngine<zero::AdamW, Prec, zero::SimulationBackend, zero::SimulationCommunicator>;

using FP32Prec = zero::Precision<zero::FP32>;
using BF16Prec = zero::Precision<zero::BF16>;
using BF16Sums = zero::Precision<zero::BF16, zero::NoScale, zero::BF16>;
using FP16Prec = zero::Precision<zero::FP16, zero::DynamicScale>;
using FP16Sums = zero::Precision<zero::FP16, zero::DynamicScale, zero::BF16>;

}  // namespace zero_plan

// The engines of one precision, which a translation unit of their own instantiates.
#define ZERO_PLAN_ENGINES(prefix, Prec)                                                            \
  prefix template std::unique_ptr<zero_plan::EngineOf<Prec>>                                       \
  zero::make_any_engine<zero::AdamW, Prec, zero::SimulationBackend, zero::SimulationCommunicator>( \
      zero::Stage, zero::SimulationCommunicator&, zero::ParameterList const&,                      \
      std::optional<zero::CpuOffload::Config> const&, typename zero_plan::EngineOf<Prec>::Config const&);

ZERO_PLAN_ENGINES(extern, zero_plan::FP32Prec)
ZERO_PLAN_ENGINES(extern, zero_plan::BF16Prec)
ZERO_PLAN_ENGINES(extern, zero_plan::BF16Sums)
ZERO_PLAN_ENGINES(extern, zero_plan::FP16Prec)
ZERO_PLAN_ENGINES(extern, zero_plan::FP16Sums)
