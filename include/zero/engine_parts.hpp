// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/buffer.hpp>
#include <zero/communicator.hpp>
#include <zero/engine_config.hpp>
#include <zero/flat_layout.hpp>
#include <zero/gradient_norm.hpp>
#include <zero/gradient_reducer.hpp>
#include <zero/parameter.hpp>
#include <zero/parameter_access.hpp>
#include <zero/parameter_gatherer.hpp>
#include <zero/parameter_updater.hpp>
#include <zero/partitioner.hpp>
#include <zero/step_decider.hpp>

#include <cstddef>
#include <string>
#include <type_traits>
#include <vector>

namespace zero {

/// What works on the data of an engine, in the order of its way, over one backend and one set of books. Made as a
/// whole, once every rank has agreed on the settings.
template <class Partition, class Opt, class Prec, class Backend, class Communicator>
struct EngineParts {
  using Rule = typename Opt::rule;
  using Offload = typename Opt::offload;
  using Compute = typename Prec::compute::type;
  using Sum = typename Prec::sum::type;
  using Config = EngineConfig<Rule, typename Prec::scale, Offload, Backend>;

  /// All arguments but \p config are borrowed and must outlive this.
  EngineParts(Communicator& communicator, Config const& config, std::vector<ParameterSpec> const& specs,
              std::vector<ParameterGroup> const& groups, FlatLayout const& layout)
      : backend(config.backend, communicator.local_size()),
        communication(backend.make_stream("communication")),
        norm(backend, books, communicator.rank(), communicator.size()),
        gatherer(backend, communicator, books, layout, specs,
                 {.live_elements = config.live_elements, .prefetch_units = config.prefetch_units}, traffic,
                 communication.get()),
        reducer(backend, communicator, books, layout, specs, reduce_settings(config, layout), traffic, norm,
                communication.get()),
        updater(backend, books, layout, gatherer, reducer, static_cast<std::size_t>(communicator.rank()),
                config.offload, communication.get()),
        decider(backend, books, names(specs), groups, config.scale),
        access(backend, communicator, books, layout, specs, gatherer, reducer, updater, traffic, communication.get()) {}
  EngineParts(EngineParts const&) = delete;
  EngineParts& operator=(EngineParts const&) = delete;
  /// Blocks until nothing on any stream that the engine knows of touches its memory.
  ~EngineParts() {
    try {
      gatherer.join_readers(communication.get());
      reducer.join(communication.get());
      backend.synchronize(communication.get());
    } catch (...) {  // a device or a peer that has failed: there is nothing left to wait for
    }
  }

  MemoryReport books;
  Traffic traffic;
  Backend backend;
  typename Backend::OwnedStream communication;
  typename Backend::Event gradients_settled{};
  GradientNorm<Backend> norm;
  ParameterGatherer<Compute, Backend, Communicator> gatherer;
  GradientReducer<Compute, Sum, Backend, Communicator> reducer;
  ParameterUpdater<Rule, Offload, Compute, Sum, Backend, Communicator> updater;
  StepDecider<Rule, typename Prec::scale, Backend> decider;
  ParameterAccess<Rule, Offload, Compute, Sum, Backend, Communicator> access;

 private:
  static ReduceSettings reduce_settings(Config const& config, FlatLayout const& layout) {
    auto const usual = Partition::stage < Stage::gradients ? Reduce::once_per_step : Reduce::each_micro_batch;
    // One bucket more than a unit's gradients lie in: the last of one unit is reduced while the next one is filled.
    auto const ring = static_cast<int>(layout.ring_buckets_of_largest_unit()) + 1;
    ReduceSettings settings{.order = config.reduce.value_or(usual),
                            .micro_batches = config.gradient_accumulation_steps,
                            .ring = config.gradient_ring.value_or(ring),
                            .missing = config.missing_gradient,
                            .offloaded = Offload::offloads};
    if constexpr (std::is_same_v<Offload, CpuOffload>) settings.offload = config.offload;
    return settings;
  }

  static std::vector<std::string> names(std::vector<ParameterSpec> const& specs) {
    std::vector<std::string> all;
    for (auto const& spec : specs) all.push_back(spec.name);
    return all;
  }
};

}  // namespace zero
