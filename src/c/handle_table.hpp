// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "error.hpp"

#include <zero/utility/fingerprint.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <string>
#include <vector>

namespace zero::c {

static_assert(sizeof(void*) == 8, "zero_c: handles need pointers of 64 bits");

/// Types of handles.
enum class Kind : std::uint8_t { world = 1, rank, parameter_list, engine, parameter_lease, gradient_lease };

[[nodiscard]] constexpr char const* name(Kind kind) noexcept {
  constexpr std::array names{"zero_world",           "zero_rank",          "zero_parameter_list", "zero_engine",
                             "zero_parameter_lease", "zero_gradient_lease"};
  return names[static_cast<std::size_t>(kind) - 1];
}

/// A handle as a number, from its most significant bits: 4 of its kind, 16 that tell copies of the library apart, 24
/// of a generation, 20 of its slot in the table.
struct Handle {
  static constexpr unsigned slot_bits = 20, generation_bits = 24, library_bits = 16;
  static constexpr std::uint64_t most_slots = std::uint64_t{1} << slot_bits;
  static constexpr std::uint64_t last_generation = (std::uint64_t{1} << generation_bits) - 1;

  std::uint64_t bits = 0;

  Handle() = default;
  explicit Handle(std::uint64_t number) noexcept : bits(number) {}
  explicit Handle(void const* pointer) noexcept : bits(reinterpret_cast<std::uintptr_t>(pointer)) {}
  Handle(Kind kind, std::uint64_t library, std::uint64_t generation, std::uint64_t slot) noexcept
      : bits(static_cast<std::uint64_t>(kind) << 60U | library << (slot_bits + generation_bits) |
             generation << slot_bits | slot) {}

  [[nodiscard]] std::uint64_t kind() const noexcept { return bits >> 60U; }
  [[nodiscard]] std::uint64_t library() const noexcept {
    return bits >> (slot_bits + generation_bits) & ((1U << library_bits) - 1);
  }
  [[nodiscard]] std::uint64_t generation() const noexcept { return bits >> slot_bits & last_generation; }
  [[nodiscard]] std::uint64_t slot() const noexcept { return bits & (most_slots - 1); }
  /// As C's opaque pointer, which is never followed.
  template <class Opaque>
  [[nodiscard]] Opaque* as() const noexcept {
    return reinterpret_cast<Opaque*>(static_cast<std::uintptr_t>(bits));
  }
  friend bool operator==(Handle, Handle) = default;
};

/// How a call holds what a handle names: alone, or together with other calls that only share it.
enum class Access : std::uint8_t { exclusive, shared };

/// All handles of this copy of the library. A slot says in one atomic word which handle it serves and who is inside a
/// call with it, so that a use costs one exchange, and a freed handle is told from the one that has its slot now.
class HandleTable {
  struct Slot {
    std::atomic<std::uint64_t> state{0};  // generation, live, exclusive, users
    void* object = nullptr;
  };

 public:
  HandleTable() {
    Fingerprint fingerprint;  // of this copy, and of this process
    fingerprint.add(reinterpret_cast<std::uintptr_t>(this));
    fingerprint.add(std::chrono::steady_clock::now().time_since_epoch().count());
    library_ = fingerprint.value() & ((1U << Handle::library_bits) - 1);
  }
  HandleTable(HandleTable const&) = delete;
  HandleTable& operator=(HandleTable const&) = delete;
  ~HandleTable() = delete;

  /// A new handle of \p object. \throws InterfaceError where there are 2^20 of them.
  [[nodiscard]] Handle add(Kind kind, void* object) {
    std::lock_guard const lock(mutex_);
    free_.reserve(used_ + 1);  // so that `remove` allocates nothing
    auto const index = free_.empty() ? new_slot() : free_.back();
    if (!free_.empty()) free_.pop_back();
    auto& slot = slot_at(index);
    slot.object = object;
    auto const generation = (slot.state.load(std::memory_order_relaxed) >> generation_shift) + 1;
    slot.state.store(generation << generation_shift | live, std::memory_order_release);
    return {kind, library_, generation, index};
  }

  /// What \p handle names, which is \p function's to use until `unlock`. \throws InterfaceError for a handle that is
  /// none of \p kind, and where another call is inside.
  [[nodiscard]] void* lock(Handle handle, Kind kind, Access access, char const* function) {
    auto& slot = slot_of(handle, kind, function);
    auto state = slot.state.load(std::memory_order_acquire);
    for (;;) {
      if (state >> generation_shift != handle.generation() || (state & live) == 0) fail_stale(kind, function);
      bool const is_free = access == Access::exclusive ? (state & (exclusive | users)) == 0 : (state & exclusive) == 0;
      if (!is_free) {
        fail(ZERO_ERROR_IN_USE, {function, ": the ", name(kind),
                                 " is in use by another call: one thread at a time uses a handle, until its call has "
                                 "returned"});
      }
      auto const next = access == Access::exclusive ? state | exclusive : state + 1;
      if (slot.state.compare_exchange_weak(state, next, std::memory_order_acq_rel, std::memory_order_acquire)) break;
    }
    return slot.object;
  }
  void unlock(Handle handle, Access access) noexcept {
    auto& state = slot_at(handle.slot()).state;
    if (access == Access::exclusive) {
      state.fetch_and(~exclusive, std::memory_order_release);
    } else {
      state.fetch_sub(1, std::memory_order_release);
    }
  }
  /// Ends \p handle, which the caller has locked for itself alone, and keeps its slot for `renew`.
  void retire(Handle handle) noexcept {
    slot_at(handle.slot()).state.store(handle.generation() << generation_shift, std::memory_order_release);
  }
  /// Another handle of the object that the retired \p handle named: what costs least of a handle that lives shortly.
  [[nodiscard]] Handle renew(Handle handle, Kind kind) {
    auto& slot = slot_at(handle.slot());
    if (handle.generation() == Handle::last_generation) {
      auto const next = add(kind, slot.object);
      remove(handle);
      return next;
    }
    slot.state.store((handle.generation() + 1) << generation_shift | live, std::memory_order_release);
    return {kind, library_, handle.generation() + 1, handle.slot()};
  }
  /// Ends \p handle, which is retired, or which the caller has locked for itself alone.
  void remove(Handle handle) noexcept {
    std::lock_guard const lock(mutex_);
    auto& slot = slot_at(handle.slot());
    slot.object = nullptr;
    slot.state.store(handle.generation() << generation_shift, std::memory_order_release);
    if (handle.generation() < Handle::last_generation) free_.push_back(handle.slot());  // else never used again
  }

 private:
  static constexpr unsigned generation_shift = 32;
  static constexpr std::uint64_t live = std::uint64_t{1} << 31U, exclusive = std::uint64_t{1} << 30U;
  static constexpr std::uint64_t users = exclusive - 1;
  static constexpr std::size_t chunk_slots = 1024;

  [[nodiscard]] std::uint64_t new_slot() {
    if (used_ == Handle::most_slots) {
      fail(ZERO_ERROR_CONFIGURATION, {"zero_c: there are ", Handle::most_slots, " handles already: free some"});
    }
    auto& chunk = chunks_[used_ / chunk_slots];
    if (chunk.load(std::memory_order_relaxed) == nullptr) chunk.store(new Slot[chunk_slots], std::memory_order_release);
    return used_++;
  }
  [[nodiscard]] Slot& slot_at(std::uint64_t index) noexcept {
    return chunks_[index / chunk_slots].load(std::memory_order_acquire)[index % chunk_slots];
  }
  [[nodiscard]] Slot& slot_of(Handle handle, Kind kind, char const* function) {
    if (handle.bits == 0) fail(ZERO_ERROR_NULL_HANDLE, {function, ": the ", name(kind), " is null: make one first"});
    auto const given = handle.kind();
    if (given == 0 || given > static_cast<std::uint64_t>(Kind::gradient_lease)) fail_foreign(kind, function);
    if (given != static_cast<std::uint64_t>(kind)) {
      fail(ZERO_ERROR_FOREIGN_HANDLE,
           {function, ": the handle is a ", name(static_cast<Kind>(given)), ", where a ", name(kind), " is wanted"});
    }
    if (handle.library() != library_) {
      fail(ZERO_ERROR_FOREIGN_HANDLE,
           {function, ": the ", name(kind),
            " was made by another copy of the library in this program: link libzero_c once, or keep the two apart"});
    }
    if (chunks_[handle.slot() / chunk_slots].load(std::memory_order_acquire) == nullptr) fail_foreign(kind, function);
    return slot_at(handle.slot());
  }
  [[noreturn]] static void fail_foreign(Kind kind, char const* function) {
    fail(ZERO_ERROR_FOREIGN_HANDLE,
         {function, ": the ", name(kind), " is no handle of this library: pass what the library has returned"});
  }
  [[noreturn]] static void fail_stale(Kind kind, char const* function) {
    fail(ZERO_ERROR_STALE_HANDLE,
         {function, ": the ", name(kind), " was freed, or what it was made from: use it before that, or make another"});
  }

  std::uint64_t library_ = 0;
  std::array<std::atomic<Slot*>, Handle::most_slots / chunk_slots> chunks_{};
  std::mutex mutex_;  // guards what follows
  std::uint64_t used_ = 0;
  std::vector<std::uint64_t> free_;
};

/// Never destroyed: functions that run at the end of the program, and threads that outlive it, may still ask. For the
/// same reason the library is linked so that `dlclose` leaves it where it is.
[[nodiscard]] inline HandleTable& handles() noexcept {
  alignas(HandleTable) static std::array<std::byte, sizeof(HandleTable)> room;
  static auto& table = *::new (room.data()) HandleTable;
  return table;
}

/// An object that one call holds by its handle.
template <class Object>
class Locked {
 public:
  Locked(Handle handle, char const* function, Access access = Access::exclusive)
      : handle_(handle),
        access_(access),
        object_(static_cast<Object*>(handles().lock(handle, Object::kind, access, function))) {}
  Locked(void const* handle, char const* function, Access access = Access::exclusive)
      : Locked(Handle(handle), function, access) {}
  Locked(Locked&& other) noexcept : handle_(other.handle_), access_(other.access_), object_(other.object_) {
    other.object_ = nullptr;
  }
  Locked& operator=(Locked&&) = delete;
  ~Locked() {
    if (object_ != nullptr) handles().unlock(handle_, access_);
  }

  [[nodiscard]] Object& operator*() const noexcept { return *object_; }
  [[nodiscard]] Object* operator->() const noexcept { return object_; }

  /// Ends the handle, which was held for this call alone, and keeps its slot.
  void retire() noexcept {
    handles().retire(handle_);
    object_ = nullptr;
  }
  /// Ends the handle, which was held for this call alone. Returns what it named, which is the caller's now.
  [[nodiscard]] Object* remove() noexcept {
    handles().remove(handle_);
    auto* const object = object_;
    object_ = nullptr;
    return object;
  }

 private:
  Handle handle_;
  Access access_;
  Object* object_;
};

}  // namespace zero::c
