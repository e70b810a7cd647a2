// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "parameters/failing.hpp"

#include <zero/engine.hpp>
#include <zero/engine/context.hpp>
#include <zero/engine/phase.hpp>
#include <zero/engine/typed_collectives.hpp>
#include <zero/engine/typed_kernels.hpp>
#include <zero/engine/typed_policies.hpp>
#include <zero/flat_layout.hpp>
#include <zero/parameters/storage.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace parameters_test {

/// What the parts of an engine work with, for tests of one part: rank 0 of a layout, in FP32. Collectives go no further
/// than this rank, whatever the layout's world.
struct ContextFixture {
  using Optimizer = zero::Optimizer<zero::AdamW>;
  using Precision = zero::Precision<zero::FP32>;
  using Config = zero::EngineConfig<zero::AdamW, zero::NoScale, zero::NoOffload, FailingBackend>;

  ContextFixture(std::vector<zero::ParameterSpec> parameters, zero::LayoutSettings const& settings)
      : specs(std::move(parameters)), layout(specs, settings) {
    config.backend.plan = &events;
  }

  /// Parameters "p0", "p1", ... of the given sizes, one unit each.
  static std::vector<zero::ParameterSpec> parameters(std::vector<std::size_t> const& sizes) {
    std::vector<zero::ParameterSpec> specs;
    for (std::size_t p = 0; p < sizes.size(); ++p) {
      specs.push_back({.name = "p" + std::to_string(p), .shape = {sizes[p]}, .unit = static_cast<int>(p)});
    }
    return specs;
  }

  FailurePlan collectives, events;
  std::vector<zero::ParameterSpec> specs;
  zero::FlatLayout layout;
  Config config;
  FailingCommunicator communicator{collectives};
  zero::detail::TypedCollectives<Precision, FailingBackend, FailingCommunicator> ranks{communicator};
  zero::detail::TypedKernels<Optimizer, Precision, FailingBackend> kernels{config.scale};
  zero::detail::TypedPolicies<Optimizer, Precision, Config> policies{config};
  FailingBackend backend{{{.threads = 1}, &events}, 1};
  FailingBackend::OwnedStream communication{backend.make_stream("communication")};
  zero::MemoryReport memory_report;
  zero::Traffic traffic;
  zero::detail::EnginePhase phase{1};
  zero::detail::EngineContext<FailingBackend> context{backend, ranks, kernels, policies, memory_report,
                                                      traffic, phase, layout,  specs,    communication.get()};
  zero::detail::ParameterStorage<FailingBackend> storage{context};
};

}  // namespace parameters_test
