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
      : group(detail::ThreadGroup::of_all(ranks, deadline)),
        taken(static_cast<std::size_t>(ranks)),
        handles(static_cast<std::size_t>(ranks)) {}

  std::shared_ptr<detail::ThreadGroup> group;
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

  Lease(Engine& of, Any made) : LeaseBase(of, lease_kind), lease(std::move(made)) {}
  Any lease;
};
using ParameterLeaseObject = Lease<Kind::parameter_lease, ParametersOf>;
using GradientLeaseObject = Lease<Kind::gradient_lease, GradientsOf>;

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
  std::vector<LeaseBase*> leases{};
  std::vector<ParameterId> ids{};  // of the call that is running
  Handle handle{};

  // What the reports of saves and loads point to.
  std::string save_warnings{}, load_tag{}, load_missing{}, load_extra{}, load_skipped{};
  UserState client_state{};
};

/// A lease, and its engine, for one call.
template <class LeaseObject>
class LockedLease {
 public:
  template <class Opaque>
  LockedLease(Opaque* handle, char const* function)
      : lease_(handle, function), engine_(lease_->engine->handle, function) {}

  [[nodiscard]] LeaseObject* operator->() const noexcept { return &*lease_; }
  [[nodiscard]] Engine& engine() const noexcept { return *engine_; }

  /// Ends its handle; the lease itself ends with what is returned.
  [[nodiscard]] std::unique_ptr<LeaseObject> remove() noexcept {
    auto& leases = engine_->leases;
    auto const place = lease_->place;
    leases.back()->place = place;
    std::swap(leases[place], leases.back());
    leases.pop_back();
    return std::unique_ptr<LeaseObject>(lease_.remove());
  }

 private:
  Locked<LeaseObject> lease_;
  Locked<Engine> engine_;
};

/// Gives \p lease a handle.
template <class Opaque, class LeaseObject>
[[nodiscard]] Opaque* enter_lease(Engine& engine, std::unique_ptr<LeaseObject> lease) {
  engine.leases.reserve(engine.leases.size() + 1);
  lease->handle = handles().add(LeaseObject::kind, lease.get());
  lease->place = engine.leases.size();
  engine.leases.push_back(lease.get());
  return lease.release()->handle.template as<Opaque>();
}

}  // namespace zero::c
