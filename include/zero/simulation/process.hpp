// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/simulation/detail/process.hpp>

namespace zero {

class SimulationBackend;
class SimulationCommunicator;
class SimulationStream;

namespace simulation {

/// A reference to one simulated rank, which SimulationCommunicator::process gives and the engine's backend is
/// configured with. Trivially copyable; valid during `simulate`.
class Process {
 public:
  /// Of no rank.
  Process() = default;
  /// Whether it is that of a rank.
  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(process_); }

 private:
  friend class zero::SimulationBackend;
  friend class zero::SimulationCommunicator;
  friend class zero::SimulationStream;

  explicit Process(detail::simulation::Process process) noexcept : process_(process) {}

  detail::simulation::Process process_;
};

}  // namespace simulation

}  // namespace zero
