// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "parameters.hpp"

#include <zero/config/settings.hpp>
#include <zero/engine_state.hpp>
#include <zero/parameter.hpp>

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace gpt2 {

/// What the engine of a run would be, without the memory: the library loads into it as into that engine, compares,
/// reads and verifies the same, and nothing of it is kept. One rank, which stands for all of the run: every part that
/// one of them would read, it reads.
class DryEngine {
 public:
  /// The engine of \p settings, with a rule and a precision, for a model of \p shape.
  DryEngine(zero::config::Settings const& settings, ModelShape const& shape);

  /// As an engine's. Valid as long as this object.
  [[nodiscard]] std::unique_ptr<zero::EngineState> state();
  /// Keeps nothing.
  void write_parameter(std::string const& /*name*/, std::span<float const> /*values*/) const noexcept {}

 private:
  zero::EngineTraits traits_;
  std::vector<zero::ParameterSpec> parameters_;
};

}  // namespace gpt2
