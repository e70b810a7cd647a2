// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "engines.hpp"

template class zero::Engine<zero::AnyStage, zero_plan::AnyAdamW, zero_plan::FP16Sums, zero::SimulationBackend,
                            zero::SimulationCommunicator>;
