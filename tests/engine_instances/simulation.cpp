// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "simulation.hpp"

ZERO_INSTANTIATE_ENGINE(zero::SimulationBackend)
