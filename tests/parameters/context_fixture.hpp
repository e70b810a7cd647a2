// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "parameters/failing.hpp"

#include <zero/engine.hpp>
#include <zero/engine/context.hpp>
#include <zero/engine/policy_operations.hpp>
#include <zero/flat_layout.hpp>
#include <zero/parameters/storage.hpp>

#include <cstddef>
#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace parameters_test {

/// What the parts of an engine work with, for tests of one part: rank 0 of a layout, in FP32. Collectives go no further
/// than this rank, whatever the layout's world.
struct ContextFixture {
  using Operations = zero::detail::TypedOperations<zero::Optimizer<zero::AdamW>, zero::Precision<zero::FP32>,
                                                   FailingBackend, FailingCommunicator>;

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
  Operations::Config config;
  FailingCommunicator communicator{collectives};
  Operations operations{communicator, config};
  FailingBackend backend{{{.threads = 1}, &events}, 1};
  FailingBackend::OwnedStream communication{backend.make_stream("communication")};
  zero::MemoryReport memory_report;
  zero::Traffic traffic;
  std::exception_ptr failure;
  zero::detail::EngineContext<FailingBackend> context{backend, operations, memory_report, traffic,
                                                      failure, layout,     specs,         communication.get()};
  zero::detail::ParameterStorage<FailingBackend> storage{context};
};

}  // namespace parameters_test
