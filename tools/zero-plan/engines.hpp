// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/any_engine.hpp>
#include <zero/backends/simulation.hpp>
#include <zero/communicators/simulation.hpp>
#include <zero/optimizer.hpp>
#include <zero/precision.hpp>

namespace zero_plan {

using AnyAdamW = zero::Optimizer<zero::AdamW, zero::AnyOffload>;
template <class Prec>
using EngineOf = zero::Engine<zero::AnyStage, AnyAdamW, Prec, zero::SimulationBackend, zero::SimulationCommunicator>;

using FP32Prec = zero::Precision<zero::FP32>;
using BF16Prec = zero::Precision<zero::BF16>;
using BF16Sums = zero::Precision<zero::BF16, zero::NoScale, zero::BF16>;
using FP16Prec = zero::Precision<zero::FP16, zero::DynamicScale>;
using FP16Sums = zero::Precision<zero::FP16, zero::DynamicScale, zero::BF16>;

}  // namespace zero_plan

// Each precision is instantiated in a translation unit of its own, so that a build is parallel.
extern template class zero::Engine<zero::AnyStage, zero_plan::AnyAdamW, zero_plan::FP32Prec, zero::SimulationBackend,
                                   zero::SimulationCommunicator>;
extern template class zero::Engine<zero::AnyStage, zero_plan::AnyAdamW, zero_plan::BF16Prec, zero::SimulationBackend,
                                   zero::SimulationCommunicator>;
extern template class zero::Engine<zero::AnyStage, zero_plan::AnyAdamW, zero_plan::BF16Sums, zero::SimulationBackend,
                                   zero::SimulationCommunicator>;
extern template class zero::Engine<zero::AnyStage, zero_plan::AnyAdamW, zero_plan::FP16Prec, zero::SimulationBackend,
                                   zero::SimulationCommunicator>;
extern template class zero::Engine<zero::AnyStage, zero_plan::AnyAdamW, zero_plan::FP16Sums, zero::SimulationBackend,
                                   zero::SimulationCommunicator>;
