// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A model of one parameter, whose gradient some function computes.
#include <zero/backends/simulation.hpp>
#include <zero/communicators/simulation.hpp>
#include <zero/engine.hpp>

void backward();

void simulate(zero::ParameterList const& parameters, zero::ParameterId id) {
  // block
}
