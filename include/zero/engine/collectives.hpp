// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/communicator.hpp>
#include <zero/engine/policies.hpp>
#include <zero/step/reports.hpp>
#include <zero/support/call_history.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace zero::detail {

/// The communicator of an engine, without its type and those of the elements: one virtual call per collective.
/// Addresses are of elements whose type follows from their role; contracts and errors are those of the communicator's
/// function of the same name.
template <class Backend>
class Collectives : public PeerCheck {
 public:
  using Stream = typename Backend::Stream;

  [[nodiscard]] virtual int rank() const = 0;
  [[nodiscard]] virtual int size() const = 0;
  [[nodiscard]] virtual int local_size() const = 0;
  virtual void reduce_scatter_add(ElementRole addends, void* send, void* into, std::size_t count, SumRange range,
                                  CollectivePurpose purpose, Stream stream) = 0;
  virtual void all_gather(ElementRole role, void const* own, void* full, std::size_t count, CollectivePurpose purpose,
                          Stream stream) = 0;
  virtual void all_reduce(std::uint64_t* words, std::size_t count, CollectivePurpose purpose, Stream stream) = 0;
  virtual void exchange(std::span<std::byte const> mine, std::span<std::byte> all) = 0;

  /// Number of the engine, the same on every rank and another one for each engine of a communicator.
  virtual void set_engine(std::uint64_t number) = 0;
  /// Device memory that the reductions of slices of up to \p count elements need in \p order, in bytes, and where it
  /// is: as long as this.
  [[nodiscard]] virtual std::size_t staging_bytes(std::size_t count, SumOrder order) const = 0;
  virtual void set_staging(std::span<std::byte> staging) = 0;
  /// What has been put on \p stream, recorded collectives among it, must pass within the deadline.
  virtual void watch(Stream stream) = 0;
  /// Whether its collectives can be recorded and run again.
  [[nodiscard]] virtual bool can_be_captured() const = 0;

  /// The stream to put collectives on, where the communicator has one. \throws ConfigurationError where it is of
  /// another device than \p backend's.
  [[nodiscard]] virtual std::optional<Stream> communication_stream(Backend const& backend) const = 0;

  /// Lets \p backend allocate what collectives use as the communicator wants it; before anything is allocated.
  virtual void prepare_memory(Backend& backend) const = 0;
  /// Makes that memory known to the communicator, for as long as what is returned lives. Collective. \throws
  /// ConfigurationError on all ranks where it cannot be.
  [[nodiscard]] virtual std::shared_ptr<void> register_memory(Backend& backend) = 0;

  /// Whether the reductions of \p addends that ask for \p order add in the order of ranks.
  [[nodiscard]] virtual bool adds_by_rank(ElementRole addends, SumOrder order) const = 0;

  /// How many collectives of all ranks this rank has put on the communicator, whoever called them; null where it does
  /// not count.
  [[nodiscard]] virtual std::uint64_t* calls() noexcept = 0;
  /// All collectives of streams that were called so far: what ranks compare at every step.
  CallHistory history{};
  std::uint64_t seen = 0;  ///< of `calls()`, those that are in the history
  /// The history, with what others have called on the communicator since this engine's last call: another engine's
  /// collectives before this one's are not those behind it.
  [[nodiscard]] CallHistory& history_now() noexcept {
    constexpr std::uint64_t call_of_another = 1;
    auto const* const all = calls();
    for (; all != nullptr && seen != *all; ++seen) history.add(call_of_another);
    return history;
  }

 protected:
  ~Collectives() = default;
};

}  // namespace zero::detail
