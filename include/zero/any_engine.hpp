// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/engine.hpp>
#include <zero/error.hpp>
#include <zero/offload.hpp>
#include <zero/partitioner.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace zero {

/// An engine whose stage and offload are chosen when the program runs: for trainers that options or a configuration
/// file drive. Rule, precision, backend and communicator stay policies, because the trainer's own code depends on them.
template <class Rule, class Prec, class Backend = HostBackend, class Communicator = ThreadCommunicator>
using AnyEngine = Engine<AnyStage, Optimizer<Rule, AnyOffload>, Prec, Backend, Communicator>;

/// An engine of the stage \p stage, with \p offload where it is given. Collective, blocks. \throws as the constructor
/// of Engine, and ConfigurationError for a value that is no stage or offload that is given twice.
template <class Rule, class Prec, class Backend = HostBackend, class Communicator = ThreadCommunicator>
std::unique_ptr<AnyEngine<Rule, Prec, Backend, Communicator>> make_any_engine(
    Stage stage, Communicator& communicator, ParameterList const& parameters,
    std::optional<CpuOffload::Config> const& offload,
    typename AnyEngine<Rule, Prec, Backend, Communicator>::Config config) {
  if (stage > Stage::parameters) throw ConfigurationError("zero::make_any_engine: stages are 0 to 3");
  if (offload && config.offload) {
    throw ConfigurationError("zero::make_any_engine: offload is given twice: leave it out of the configuration");
  }
  if (offload) config.offload = offload;
  return std::make_unique<AnyEngine<Rule, Prec, Backend, Communicator>>(stage, communicator, parameters,
                                                                        std::move(config));
}

}  // namespace zero
