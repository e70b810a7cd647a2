// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "objects.hpp"

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace zero::c {

/// An engine that is to be freed, with all of its leases: each is held alone before anything ends.
class EngineToFree {
 public:
  /// \throws InterfaceError where a call is inside one of them; all are as they were then.
  EngineToFree(Handle handle, char const* function) : engine_(handle, function) {
    parameters_.reserve(engine_->leases.size());
    gradients_.reserve(engine_->leases.size());
    for (auto const* const lease : engine_->leases) {
      if (lease->kind_of_lease == Kind::parameter_lease) {
        parameters_.emplace_back(lease->handle, function);
      } else {
        gradients_.emplace_back(lease->handle, function);
      }
    }
  }

  [[nodiscard]] Engine& engine() const noexcept { return *engine_; }

  void free() noexcept {
    for (auto& lease : gradients_) delete lease.remove();
    for (auto& lease : parameters_) delete lease.remove();
    engine_->micro_batch.reset();
    delete engine_.remove();
  }

 private:
  Locked<Engine> engine_;
  std::vector<Locked<ParameterLeaseObject>> parameters_;
  std::vector<Locked<GradientLeaseObject>> gradients_;
};

/// The same of a rank, with all of its engines.
class RankToFree {
 public:
  RankToFree(Handle handle, char const* function) : rank_(handle, function) {
    engines_.reserve(rank_->engines.size());
    for (auto const* const engine : rank_->engines) engines_.emplace_back(engine->handle, function);
  }

  /// \p world_is_locked: the caller holds the mutex of its world.
  void free(bool world_is_locked) noexcept {
    for (auto& engine : engines_) engine.free();
    auto const state = rank_->state;
    auto const number = rank_->communicator.rank();
    auto const forget = [&] { state->handles[static_cast<std::size_t>(number)] = {}; };
    if (world_is_locked) {
      forget();
    } else {
      std::lock_guard const lock(state->mutex);
      forget();
    }
    delete rank_.remove();
    state->group->retire(number);
  }

 private:
  Locked<Rank> rank_;
  std::vector<EngineToFree> engines_;
};

/// Frees an engine and its leases.
inline void free_engine(Handle handle, char const* function) {
  EngineToFree engine(handle, function);
  Locked<Rank> const rank(engine.engine().rank->handle, function);
  auto& engines = rank->engines;
  engines.erase(std::find(engines.begin(), engines.end(), &engine.engine()));
  engine.free();
}

/// Frees a rank, its engines and their leases.
inline void free_rank(Handle handle, char const* function) { RankToFree(handle, function).free(false); }

/// Frees a world, and all that is left of it.
inline void free_world(Handle handle, char const* function) {
  Locked<World> world(handle, function);
  auto const state = world->state;
  std::lock_guard const lock(state->mutex);
  std::vector<RankToFree> ranks;
  ranks.reserve(state->handles.size());
  for (auto const rank : state->handles) {
    if (rank != Handle()) ranks.emplace_back(rank, function);
  }
  for (auto& rank : ranks) rank.free(true);
  delete world.remove();
}

}  // namespace zero::c
