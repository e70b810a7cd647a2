// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/backend.hpp>
#include <zero/communicator.hpp>
#include <zero/engine/broadcast.hpp>
#include <zero/engine/communication_stream.hpp>
#include <zero/engine/context.hpp>
#include <zero/engine/memory_labels.hpp>
#include <zero/engine/observation.hpp>
#include <zero/engine/operations.hpp>
#include <zero/engine/phase.hpp>
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
#include <zero/support/out_of_line.hpp>
#include <zero/traffic.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <string_view>

namespace zero::detail {

/// The stages of the data path, in pipeline order. All share one backend and one memory report. Made as a whole, once
/// every rank has agreed on the settings.
template <class Backend>
struct EngineParts {
  /// What \p operations refers to, \p phase, \p layout and \p observation, which may be null, are borrowed and must
  /// outlive this.
  ZERO_OUT_OF_LINE EngineParts(EngineOperations<Backend> const& operations, EngineSettings const& settings,
                               typename Backend::Config const& backend_config, ReduceSettings const& reduction,
                               std::shared_ptr<EngineLifetime const> const& lifetime, EnginePhase& phase,
                               FlatLayout const& layout, Observation<typename Backend::Stream> const* observation)
      : backend(backend_config, operations.collectives.local_size()),
        communication(prepared(backend, operations.collectives), operations.collectives),
        context{backend,
                operations.collectives,
                operations.kernels,
                operations.policies,
                memory_report,
                traffic,
                phase,
                layout,
                lifetime->parameters.specs(),
                communication.get(),
                static_cast<std::size_t>(operations.collectives.rank()),
                offload_split_of(operations.policies, settings, layout),
                observation},
        norm(context),
        gatherer(context, {.max_live_elements = settings.max_live_elements, .prefetch_units = settings.prefetch_units}),
        reducer(context, reduction, norm),
        updater(context, gatherer, reducer, settings.offload),
        decider(context, settings.max_skipped_steps, lifetime),
        access(context, gatherer, reducer, updater),
        broadcast(context),
        staging(backend, memory_report, MemoryKind::device, MemoryPurpose::staging,
                operations.collectives.staging_bytes(largest_slice(), reduction.sum_order)) {
    operations.collectives.set_staging(staging.span());
    check_adopted();
    if constexpr (facts.names_memory) {
      if (backend.wants_names()) BufferNames<Backend>(context).tell(gatherer, reducer, updater);
    }
  }
  EngineParts(EngineParts const&) = delete;
  EngineParts& operator=(EngineParts const&) = delete;
  /// Blocks until nothing on any stream that the engine knows of touches its memory.
  ZERO_OUT_OF_LINE ~EngineParts() {
    try {
      take_streams_back();
      gatherer.join_readers(communication.get());
      reducer.join(communication.get());
      updater.join(communication.get());
      backend.synchronize(communication.get());
    } catch (...) {
      synchronize_all();
    }
  }
  /// The same, as far as the decided step and the communication stream know of it, for a joint step that ends.
  void quiesce() noexcept {
    try {
      take_streams_back();
      decider.decided().synchronize();
      backend.synchronize(communication.get());
    } catch (...) {
      synchronize_all();
    }
  }
  /// The same after a failure, where the engine does not know what runs. Nothing to wait for is left where a device or
  /// a peer is lost.
  void synchronize_all() noexcept {
    try {
      take_streams_back();
    } catch (...) {  // what follows is all that can be done
    }
    if constexpr (facts.synchronizes_all) backend.synchronize_all();
  }
  /// After a capture on \p stream that was given up: what runs there, such as readers that the capture has joined, has
  /// no event that anybody would wait for.
  void follow_abandoned_capture(typename Backend::Stream stream) noexcept {
    try {
      backend.wait_for(communication.get(), stream);
    } catch (...) {
      context.phase.record_failure(std::current_exception());
    }
  }
  /// Gives up what another engine records on the communication stream, which cannot be waited for otherwise.
  void take_streams_back() {
    if constexpr (facts.captures_graphs) backend.abandon_captures_by_others(communication.get());
  }
  /// Collective, once every rank has made its parts. \throws ConfigurationError on all of them.
  void register_memory() { registered = context.collectives.register_memory(backend); }

  MemoryReport memory_report;
  Traffic traffic;
  Backend backend;
  CommunicationStream<Backend> communication;
  EngineContext<Backend> context;
  GradientNorm<Backend> norm;
  ParameterGatherer<Backend> gatherer;
  GradientReducer<Backend> reducer;
  ParameterUpdater<Backend> updater;
  StepDecider<Backend> decider;
  ParameterAccess<Backend> access;
  Broadcast<Backend> broadcast;
  Buffer<std::byte, Backend> staging;  ///< of the communicator
  std::shared_ptr<void> registered;    ///< with the communicator; ends before the memory does

 private:
  static constexpr BackendFacts facts = backend_facts<Backend>();

  // The communicator says where memory of collectives comes from before anything is allocated.
  static Backend& prepared(Backend& backend, Collectives<Backend> const& collectives) {
    collectives.prepare_memory(backend);
    return backend;
  }
  [[nodiscard]] static OffloadSplit offload_split_of(Policies const& policies, EngineSettings const& settings,
                                                     FlatLayout const& layout) noexcept {
    if (!policies.traits().offloads) return {layout.owned()};
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
    if constexpr (facts.checks_adopted) {
      for (auto const& spec : context.specs) {
        if (spec.values) backend.check_adopted(spec.values->data, spec.name);
        if (spec.gradients) backend.check_adopted(spec.gradients->data, spec.name);
      }
    }
  }
};

}  // namespace zero::detail
