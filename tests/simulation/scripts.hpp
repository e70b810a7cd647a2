// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/communicators/simulation.hpp>
#include <zero/error.hpp>

#include <array>
#include <functional>
#include <string>

namespace simulation_test {

/// What the host code of every rank does.
using Script = std::function<void(zero::SimulationCommunicator&)>;

inline constexpr std::array orders = {zero::SimulationOrder::earliest, zero::SimulationOrder::latest,
                                      zero::SimulationOrder::random, zero::SimulationOrder::starved};

/// What a simulation of \p script says that fails with an \p Error; empty where it does not fail.
template <class Error>
std::string failure_of(Script const& script, int ranks, zero::SimulationOptions options = {}) {
  options.ranks = ranks;
  try {
    (void)zero::simulate(options, script);
  } catch (Error const& error) {
    return error.what();
  }
  return {};
}

inline std::string race_of(Script const& script, int ranks = 1, zero::SimulationOptions options = {}) {
  return failure_of<zero::RaceError>(script, ranks, options);
}

/// Whether nothing is wrong with \p script in any kind of order.
inline bool clean(Script const& script, int ranks = 1) {
  for (auto order : orders) (void)zero::simulate({.ranks = ranks, .seed = 7, .order = order}, script);
  return true;
}

}  // namespace simulation_test
