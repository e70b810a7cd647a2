// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "gradients/failing_backend.hpp"

#include <zero/engine.hpp>

#include <utility>
#include <vector>

namespace gradients_test {

/// What the parts of an engine share, without the engine: of one rank, in FP32.
class EngineFixture {
 public:
  using Opt = zero::Optimizer<zero::AdamW>;
  using Prec = zero::Precision<zero::FP32>;
  using Config = zero::EngineConfig<zero::AdamW, Prec::scale, zero::NoOffload, FailingBackend>;

  EngineFixture(std::vector<zero::ParameterSpec> parameters, zero::LayoutSettings const& settings)
      : specs(std::move(parameters)), layout(specs, settings) {}

  Faults faults;
  std::vector<zero::ParameterSpec> specs;
  zero::FlatLayout layout;
  FailingCommunicator communicator{faults};
  Config config{};
  zero::detail::TypedCollectives<Prec, FailingBackend, FailingCommunicator> collectives{communicator};
  zero::detail::TypedKernels<Opt, Prec, FailingBackend> kernels{config.scale};
  zero::detail::TypedPolicies<Opt, Prec, Config> policies{config};
  FailingBackend backend{{{.threads = 1}, &faults}, 1};
  zero::MemoryReport memory_report;
  zero::Traffic traffic;
  zero::detail::EnginePhase phase{1};
  zero::detail::EngineContext<FailingBackend> context{.backend = backend,
                                                      .collectives = collectives,
                                                      .kernels = kernels,
                                                      .policies = policies,
                                                      .memory_report = memory_report,
                                                      .traffic = traffic,
                                                      .phase = phase,
                                                      .layout = layout,
                                                      .specs = specs,
                                                      .communication = {},
                                                      .rank = 0,
                                                      .offload_split = {layout.owned()}};
};

}  // namespace gradients_test
