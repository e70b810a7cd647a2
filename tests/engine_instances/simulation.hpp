// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/backends/simulation.hpp>
#include <zero/engine_instances.hpp>

ZERO_EXTERN_ENGINE(zero::SimulationBackend)
