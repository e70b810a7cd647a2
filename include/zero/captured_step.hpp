// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/backend.hpp>
#include <zero/engine/recorded_calls.hpp>
#include <zero/engine_config.hpp>
#include <zero/error.hpp>
#include <zero/lease.hpp>
#include <zero/step_ticket.hpp>
#include <zero/traffic.hpp>

#include <cstdint>
#include <memory>
#include <utility>

namespace zero {

namespace detail {

template <class Backend>
class EngineCore;

struct NoGraph {};

template <class Backend>
struct GraphOf {
  using type = NoGraph;
};
template <class Backend>
requires(backend_facts<Backend>().captures_graphs) struct GraphOf<Backend> {
  using type = typename Backend::Graph;
};

/// A recorded step, what it sends, and the collectives that it calls.
template <class Graph>
struct RecordedStep {
  Graph graph;
  Traffic sent;
  RecordedCalls calls;
  std::uint64_t generation = 0;  ///< of the step counts that it was recorded with
};

}  // namespace detail

/// A whole step, recorded by `Engine::capture`: its micro-batches with all that the caller has put between, and the
/// update. Replaying it costs one launch. The settings of a step are not part of it. Move-only; used as the engine is,
/// and not beyond the engine's end.
template <class Backend>
class [[nodiscard]] CapturedStep {
 public:
  /// What operations are put on; a trivially copyable reference.
  using Stream = typename Backend::Stream;
  /// What a step returns.
  using Ticket = StepTicket<typename Backend::Event>;

  /// Takes the step once more, in the order of \p stream. Does not synchronize it. Between two replays the engine may
  /// be used as between two steps. \throws as Engine::step.
  [[nodiscard]] Ticket replay(StepOptions const& options, Stream stream) const {
    if (!lifetime_->alive)
      throw LeaseError("zero::CapturedStep: used after the engine's end: record it on the new engine");
    return core_->replay(step_, options, stream);
  }

 private:
  using Graph = typename detail::GraphOf<Backend>::type;
  friend class detail::EngineCore<Backend>;

  CapturedStep(detail::EngineCore<Backend>& core, std::shared_ptr<detail::EngineLifetime const> lifetime,
               detail::RecordedStep<Graph> step)
      : core_(&core), lifetime_(std::move(lifetime)), step_(std::move(step)) {}

  detail::EngineCore<Backend>* core_;
  std::shared_ptr<detail::EngineLifetime const> lifetime_;
  detail::RecordedStep<Graph> step_;
};

}  // namespace zero
