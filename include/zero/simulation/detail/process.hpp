// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/call_site.hpp>
#include <zero/memory/buffer.hpp>
#include <zero/simulation/detail/host.hpp>
#include <zero/simulation/detail/operation.hpp>
#include <zero/simulation/detail/world.hpp>
#include <zero/simulation/options.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace zero::detail::simulation {

/// One simulated rank, as its backend, streams and communicator see it. Trivially copyable; valid during `simulate`.
class Process {
 public:
  Process() = default;
  Process(World& world, Host& host) noexcept : world_(&world), host_(&host) {}

  [[nodiscard]] explicit operator bool() const noexcept { return world_ != nullptr; }
  [[nodiscard]] int rank() const noexcept { return host_->rank; }
  [[nodiscard]] SimulationOptions const& options() const noexcept { return world_->options(); }
  [[nodiscard]] World& world() const noexcept { return *world_; }
  [[nodiscard]] Host& host() const noexcept { return *host_; }

  [[nodiscard]] Stream& make_stream(std::string_view name) const { return world_->make_stream(*host_, name); }

  // ------------------------------------------------------------------------------------------------- operations

  /// Puts an operation on a stream. With phantom storage it is run only where all bytes that it touches exist.
  /// \throws CommunicationError once any rank has failed.
  void put(Stream& stream, Operation operation) const {
    if (options().storage == SimulationStorage::phantom && touches_phantom(operation.accesses)) operation.run = nullptr;
    if (world_->passes_through()) {
      world_->count_operation();
      if (operation.run) operation.run();
      return;
    }
    (void)world_->put(*host_, stream, std::move(operation));
    world_->throw_if_failed(*host_);
  }

  /// Does what `put` does for an operation that need not be queued, without making one: a plan has millions. False for
  /// one that must be put on a stream.
  template <class Function>
  [[nodiscard]] bool pass_through(std::span<Access const> accesses, Function const& run) const {
    if (!world_->passes_through()) return false;
    world_->count_operation();
    if (!touches_phantom(accesses)) run();
    return true;
  }

  /// What an event stands for from now on; null where the source does not record one in this run.
  [[nodiscard]] std::shared_ptr<Operation> record(Stream& stream, CallSite site) const {
    if (world_->passes_through() || !world_->orders(OrderingKind::record, site)) return nullptr;
    Operation operation;
    operation.name = "record";
    operation.is_record = true;
    return world_->put(*host_, stream, std::move(operation));
  }

  void wait(Stream& stream, std::shared_ptr<Operation> const& recorded, CallSite site) const {
    if (world_->passes_through() || !world_->orders(OrderingKind::wait, site) || !recorded) return;
    Operation operation;
    operation.name = "wait";
    operation.after = recorded;
    (void)world_->put(*host_, stream, std::move(operation));
  }

  // ------------------------------------------------------------------------------------------------- the host

  void synchronize(Stream& stream, CallSite site) const {
    if (world_->passes_through() || !world_->orders(OrderingKind::synchronize, site)) return;
    world_->await(*host_, stream.last);
    host_->join_clock(stream.clock, stream.time);
  }
  void synchronize(std::shared_ptr<Operation> const& recorded, CallSite site) const {
    if (!recorded || !world_->orders(OrderingKind::synchronize, site)) return;
    world_->await(*host_, recorded);
    host_->join_clock(recorded->clock, recorded->finished_at);
  }
  /// Whether an event has passed, after some more operations had their chance.
  [[nodiscard]] bool has_passed(std::shared_ptr<Operation> const& recorded) const {
    if (!recorded) return true;
    if (!recorded->done) world_->poll();
    if (recorded->done) host_->join_clock(recorded->clock, recorded->finished_at);
    return recorded->done;
  }
  /// \throws CommunicationError after a race, which `simulate` throws as RaceError.
  void touch(Access const& access) const {
    world_->host_touches(*host_, access);
    world_->throw_if_failed(*host_);
  }

  // ------------------------------------------------------------------------------------------------- memory

  /// Addresses without memory, aligned to 64 bytes.
  [[nodiscard]] void* reserve(std::size_t bytes) const {
    auto const at = host_->next_phantom;
    host_->next_phantom += bytes;
    return reinterpret_cast<void*>(at);
  }
  [[nodiscard]] static bool is_phantom(void const* data) noexcept {
    return reinterpret_cast<std::uintptr_t>(data) >= Host::first_phantom;
  }
  void allocated(MemoryBlock block, std::string_view purpose) const {
    if (options().check) host_->checker.allocate(writes(block.data, block.bytes), std::string(purpose));
  }
  /// Names a part of memory for messages.
  void name(void const* data, std::size_t bytes, std::string name) const {
    if (options().check) host_->checker.name(reads(data, bytes), std::move(name));
  }
  /// Everything that touches a block must be over when it is given back, as far as the host knows.
  void freed(MemoryBlock block) const noexcept {
    auto const range = writes(block.data, block.bytes);
    world_->host_touches(*host_, range);
    host_->checker.forget(range);
  }

 private:
  [[nodiscard]] static bool touches_phantom(std::span<Access const> accesses) noexcept {
    return std::any_of(accesses.begin(), accesses.end(),
                       [](Access const& access) { return access.begin >= Host::first_phantom; });
  }

  World* world_ = nullptr;
  Host* host_ = nullptr;
};

}  // namespace zero::detail::simulation
