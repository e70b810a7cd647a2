// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/communicator.hpp>
#include <zero/engine/context.hpp>
#include <zero/engine/memory_labels.hpp>
#include <zero/engine/operations.hpp>
#include <zero/engine/settings.hpp>
#include <zero/engine_config.hpp>
#include <zero/flat_layout.hpp>
#include <zero/gradients/norm.hpp>
#include <zero/gradients/reducer.hpp>
#include <zero/lease.hpp>
#include <zero/memory/buffer.hpp>
#include <zero/parameter.hpp>
#include <zero/parameters/access.hpp>
#include <zero/parameters/gatherer.hpp>
#include <zero/parameters/updater.hpp>
#include <zero/partitioner.hpp>
#include <zero/step/decider.hpp>
#include <zero/traffic.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <string_view>

namespace zero::detail {

/// What works on the data of an engine, in the order of its way, over one backend and one memory report. Made as a
/// whole, once every rank has agreed on the settings.
template <class Backend>
struct EngineParts {
  /// \p operations and \p layout are borrowed and must outlive this.
  [[gnu::noinline]] EngineParts(EngineOperations<Backend>& operations, EngineSettings const& settings,
                                typename Backend::Config const& backend_config,
                                std::shared_ptr<EngineLifetime const> const& lifetime, FlatLayout const& layout)
      : backend(backend_config, operations.local_size()),
        communication(prepared(backend, operations).make_stream("communication")),
        context{backend,
                operations,
                memory_report,
                traffic,
                failure,
                layout,
                lifetime->parameters.specs(),
                communication.get(),
                static_cast<std::size_t>(operations.rank()),
                offload_split_of(operations, settings, layout)},
        norm(backend, memory_report, operations.rank(), operations.size()),
        gatherer(context, {.max_live_elements = settings.max_live_elements, .prefetch_units = settings.prefetch_units}),
        reducer(context, reduce_settings(settings, layout), norm),
        updater(context, gatherer, reducer, settings.offload),
        decider(context, lifetime),
        access(context, gatherer, reducer, updater),
        staging(backend, memory_report, MemoryKind::device, MemoryPurpose::staging,
                operations.staging_bytes(largest_slice())) {
    operations.set_staging(staging.span());
    check_adopted();
    if constexpr (requires { backend.wants_names(); }) {
      if (backend.wants_names()) BufferNames<Backend>(context).tell(gatherer, reducer, updater);
    }
  }
  EngineParts(EngineParts const&) = delete;
  EngineParts& operator=(EngineParts const&) = delete;
  /// Blocks until nothing on any stream that the engine knows of touches its memory.
  [[gnu::noinline]] ~EngineParts() {
    try {
      gatherer.join_readers(communication.get());
      reducer.join(communication.get());
      updater.join(communication.get());
      backend.synchronize(communication.get());
    } catch (...) {
      synchronize_all();
    }
  }
  /// The same after a failure, where the engine does not know what runs. Nothing to wait for is left where a device or
  /// a peer is lost.
  void synchronize_all() noexcept {
    if constexpr (requires { backend.synchronize_all(); }) backend.synchronize_all();
  }
  /// Collective, once every rank has made its parts. \throws ConfigurationError on all of them.
  void register_memory() { registered = context.operations.register_memory(backend); }

  MemoryReport memory_report;
  Traffic traffic;
  std::exception_ptr failure;  ///< what the engine's next call throws
  Backend backend;
  typename Backend::OwnedStream communication;
  typename Backend::Event norm_ready{};
  EngineContext<Backend> context;
  GradientNorm<Backend> norm;
  ParameterGatherer<Backend> gatherer;
  GradientReducer<Backend> reducer;
  ParameterUpdater<Backend> updater;
  StepDecider<Backend> decider;
  ParameterAccess<Backend> access;
  Buffer<std::byte, Backend> staging;  ///< of the communicator
  std::shared_ptr<void> registered;    ///< with the communicator; ends before the memory does

 private:
  static Backend& prepared(Backend& backend, EngineOperations<Backend> const& operations) {
    operations.prepare_memory(backend);
    return backend;
  }
  [[nodiscard]] static OffloadSplit offload_split_of(EngineOperations<Backend> const& operations,
                                                     EngineSettings const& settings,
                                                     FlatLayout const& layout) noexcept {
    if (!operations.traits().offloads) return {layout.owned()};
    return OffloadSplit::of(layout.owned(), layout.settings().alignment_elements, settings.offload);
  }
  [[nodiscard]] std::size_t largest_slice() const noexcept {
    std::size_t largest = 0;
    for (std::size_t b = 0; b < context.layout.trainable_buckets(); ++b) {
      if (context.layout.slice_elements(b) > largest) largest = context.layout.slice_elements(b);
    }
    return largest;
  }

  void check_adopted() {
    if constexpr (requires { backend.check_adopted(nullptr, std::string_view()); }) {
      for (auto const& spec : context.specs) {
        if (spec.values) backend.check_adopted(spec.values->data, spec.name);
        if (spec.gradients) backend.check_adopted(spec.gradients->data, spec.name);
      }
    }
  }

  static ReduceSettings reduce_settings(EngineSettings const& settings, FlatLayout const& layout) {
    auto const default_order =
        layout.settings().stage < Stage::gradients ? Reduce::once_per_step : Reduce::each_micro_batch;
    // One bucket more than a unit's gradients lie in: the last of one unit is reduced while the next one is filled.
    auto const ring = static_cast<int>(layout.ring_buckets_of_largest_unit()) + 1;
    return {.order = settings.reduce.value_or(default_order),
            .micro_batches = settings.gradient_accumulation_steps,
            .ring = settings.gradient_ring.value_or(ring),
            .missing = settings.missing_gradient,
            .offloaded = settings.offloads,
            .offload = settings.offload};
  }
};

}  // namespace zero::detail
