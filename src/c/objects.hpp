// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "engine_maker.hpp"
#include "handle_table.hpp"

#include <zero/checkpoint/manifest.hpp>
#include <zero/communicators/thread.hpp>
#include <zero/lease.hpp>
#include <zero/micro_batch.hpp>
#include <zero/parameter.hpp>
#include <zero/schedule/schedule.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace zero::c {

/// What the ranks of a world share, and its handle, as long as any of them is there.
struct WorldState {
  explicit WorldState(int ranks, std::chrono::nanoseconds deadline)
      : group(ThreadCommunicator::Group::of_all(ranks, deadline)),
        taken(static_cast<std::size_t>(ranks)),
        handles(static_cast<std::size_t>(ranks)) {}

  std::shared_ptr<ThreadCommunicator::Group> group;
  std::mutex mutex;             // guards what follows
  std::vector<bool> taken;      // by rank
  std::vector<Handle> handles;  // of ranks that are there; 0: none
};

/// What a zero_world names.
struct World {
  static constexpr Kind kind = Kind::world;
  std::shared_ptr<WorldState> state;
};

struct Engine;

/// What a zero_rank names. Others may say meanwhile that it has failed, so that it is shared with that call.
struct Rank {
  static constexpr Kind kind = Kind::rank;

  Rank(std::shared_ptr<WorldState> world, int number) : state(std::move(world)), communicator(state->group, number) {}

  std::shared_ptr<WorldState> state;
  ThreadCommunicator communicator;
  std::vector<Engine*> engines{};
  Handle handle{};
};

/// What a zero_parameter_list names.
struct List {
  static constexpr Kind kind = Kind::parameter_list;
  ParameterList parameters;
};

/// What both kinds of leases are: things of an engine's, which ends them.
struct LeaseBase {
  LeaseBase(Engine& of, Kind lease_kind) : engine(&of), kind_of_lease(lease_kind) {}
  LeaseBase(LeaseBase const&) = delete;
  LeaseBase& operator=(LeaseBase const&) = delete;
  virtual ~LeaseBase() = default;

  Engine* engine;
  Kind kind_of_lease;
  Handle handle{};
  std::size_t place = 0;  // in the engine's list
};

template <class Value>
using ParametersOf = typename RuntimeEngine<Value>::Lease;
template <class Value>
using GradientsOf = typename RuntimeEngine<Value>::Gradients;

/// What a lease's handle names.
template <Kind lease_kind, template <class> class LeaseOf>
struct Lease final : LeaseBase {
  static constexpr Kind kind = lease_kind;
  using Any = std::variant<LeaseOf<float>, LeaseOf<float16>, LeaseOf<bfloat16>>;

  explicit Lease(Engine& of) : LeaseBase(of, lease_kind) {}
  Any lease{};
};
using ParameterLeaseObject = Lease<Kind::parameter_lease, ParametersOf>;
using GradientLeaseObject = Lease<Kind::gradient_lease, GradientsOf>;

/// Leases that have ended, and their slots in the table, for those to come: a step takes two for each tensor.
template <class LeaseObject>
class Spares {
 public:
  Spares() = default;
  Spares(Spares const&) = delete;
  Spares& operator=(Spares const&) = delete;
  ~Spares() {
    for (auto const& lease : leases_) handles().remove(lease->handle);
  }

  /// A lease of \p engine's that has a handle, and holds nothing yet.
  [[nodiscard]] std::unique_ptr<LeaseObject> take(Engine& engine) {
    if (leases_.empty()) {
      leases_.reserve(++made_);  // so that `put` allocates nothing
      auto lease = std::make_unique<LeaseObject>(engine);
      lease->handle = handles().add(LeaseObject::kind, lease.get());
      return lease;
    }
    auto& last = leases_.back();
    last->handle = handles().renew(last->handle, LeaseObject::kind);
    auto lease = std::move(last);
    leases_.pop_back();
    return lease;
  }
  /// Takes one back, whose handle is retired.
  void put(std::unique_ptr<LeaseObject> lease) noexcept { leases_.push_back(std::move(lease)); }

 private:
  std::vector<std::unique_ptr<LeaseObject>> leases_;
  std::size_t made_ = 0;
};

/// What a zero_engine names.
struct Engine {
  static constexpr Kind kind = Kind::engine;

  /// Calls \p f with the engine of its type.
  template <class Function>
  decltype(auto) visit(Function&& f) {
    return std::visit(std::forward<Function>(f), engine);
  }

  Engine(Rank& of, EngineRequest const& request, ParameterList const& list)
      : rank(&of),
        parameters(list),
        engine(make_engine(request, of.communicator, list)),
        schedule(request.schedule),
        sequences(request.sequences),
        steps_per_print(request.steps_per_print) {
    auto const state = visit([](auto& typed) { return typed.state(); });
    rule = state->traits().rule;
    states = state->traits().states.size();
  }

  /// \throws ConfigurationError where there is no parameter \p id.
  [[nodiscard]] ParameterSpec const& spec(std::uint32_t id) const {
    if (id < parameters.specs().size()) return parameters.specs()[id];
    detail::fail<ConfigurationError>({"zero::Engine: there is no parameter ", id, " of ", parameters.specs().size(),
                                      ": use the ids that zero_parameter_list_add returned"});
  }

  Rank* rank;
  ParameterList parameters;  // names and shapes, whose texts callers may keep
  AnyTypeEngine engine;
  std::optional<schedule::Schedule> schedule;
  std::uint64_t sequences;
  std::uint64_t steps_per_print;
  std::string rule{};
  std::size_t states = 0;
  std::optional<MicroBatch<HostStream>> micro_batch{};  // that is open
  std::vector<LeaseBase*> leases{};                     // that are open
  Spares<ParameterLeaseObject> spare_parameters{};
  Spares<GradientLeaseObject> spare_gradients{};
  std::vector<ParameterId> ids{};  // of the call that is running
  Handle handle{};

  // What the reports of saves and loads point to.
  std::string save_warnings{}, load_tag{}, load_missing{}, load_extra{}, load_skipped{};
  UserState client_state{};
};

[[nodiscard]] inline Spares<ParameterLeaseObject>& spares(Engine& engine, ParameterLeaseObject const* /*kind*/) {
  return engine.spare_parameters;
}
[[nodiscard]] inline Spares<GradientLeaseObject>& spares(Engine& engine, GradientLeaseObject const* /*kind*/) {
  return engine.spare_gradients;
}

/// A lease, and its engine, for one call.
template <class LeaseObject>
class LockedLease {
 public:
  template <class Opaque>
  LockedLease(Opaque* handle, char const* function)
      : lease_(handle, function), engine_(lease_->engine->handle, function) {}

  [[nodiscard]] LeaseObject* operator->() const noexcept { return &*lease_; }
  [[nodiscard]] Engine& engine() const noexcept { return *engine_; }

  /// Ends its handle, and returns what it held, which ends with that.
  [[nodiscard]] typename LeaseObject::Any take() noexcept {
    auto& leases = engine_->leases;
    auto* const lease = &*lease_;
    leases.back()->place = lease->place;
    std::swap(leases[lease->place], leases.back());
    leases.pop_back();
    auto held = std::exchange(lease->lease, typename LeaseObject::Any());
    lease_.retire();
    spares(*engine_, lease).put(std::unique_ptr<LeaseObject>(lease));
    return held;
  }

 private:
  Locked<LeaseObject> lease_;
  Locked<Engine> engine_;
};

/// Gives what \p made holds to a lease of \p engine's, and that a handle.
template <class LeaseObject>
[[nodiscard]] Handle enter_lease(Engine& engine, typename LeaseObject::Any made) {
  engine.leases.reserve(engine.leases.size() + 1);
  auto lease = spares(engine, static_cast<LeaseObject*>(nullptr)).take(engine);
  lease->lease = std::move(made);
  lease->place = engine.leases.size();
  engine.leases.push_back(lease.get());
  return lease.release()->handle;
}

}  // namespace zero::c
