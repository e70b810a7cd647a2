// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/flat_layout.hpp>
#include <zero/parameter.hpp>
#include <zero/precision.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace zero {

/// Where a run stands, besides parameters and states.
struct StepProgress {
  std::uint64_t steps = 0;          ///< updates done
  std::uint64_t skipped = 0;        ///< steps skipped
  std::vector<std::byte> scaler{};  ///< the scaler's state, as it lies in memory
  /// By registration, the updates of the run before a parameter's first one, modulo 2^64: its own step count is `steps`
  /// less that. Empty: 0 for all.
  std::vector<std::uint64_t> first_steps{};
};

/// Consecutive elements of one parameter, or of one of the rule's states of it, in the memory of one rank.
struct StateRange {
  std::uint32_t parameter = 0;           ///< by registration
  std::uint32_t kind = 0;                ///< 0: the parameter's values; k + 1: the rule's k-th state
  std::uint64_t begin = 0;               ///< elements from the start of the parameter
  std::uint64_t count = 0;               ///< elements
  ElementType type = ElementType::fp32;  ///< fp32, and the compute type where frozen
  std::uint32_t bucket = 0;              ///< in which they lie
  std::size_t offset = 0;                ///< elements from the start of what this rank holds of the bucket

  /// Bytes of the elements.
  [[nodiscard]] std::uint64_t bytes() const noexcept { return count * element_size(type); }
};

/// Names of an engine's policies, and how its model is laid out.
struct EngineTraits {
  std::string rule;                         ///< name of the rule
  std::vector<std::string> states;          ///< names of the rule's states
  std::string scaler;                       ///< name of the loss scaler
  std::size_t scaler_bytes = 0;             ///< size of its state
  ElementType compute = ElementType::fp32;  ///< the compute type
  /// EngineConfig::micro_batches_per_step, where it was given: the bits depend on it.
  std::optional<int> micro_batches_per_step{};
  LayoutSettings layout{};  ///< what decided the layout
};

/// All that training has made, in the places where one engine keeps it, whatever its policies: what a checkpoint reads
/// and writes. Valid between two steps, as long as the engine. Used by one thread at a time, as the engine is; every
/// call blocks.
class EngineState {
 public:
  EngineState() = default;
  EngineState(EngineState const&) = delete;
  EngineState& operator=(EngineState const&) = delete;
  virtual ~EngineState() = default;

  /// This rank's number.
  [[nodiscard]] virtual int rank() const = 0;
  /// Number of ranks.
  [[nodiscard]] virtual int size() const = 0;
  /// As the communicator's.
  virtual void exchange(std::span<std::byte const> mine, std::span<std::byte> all) = 0;

  /// What the engine is.
  [[nodiscard]] virtual EngineTraits const& traits() const = 0;
  /// The same of the engine that parameter number \p parameter belongs to, where several step together.
  [[nodiscard]] virtual EngineTraits const& traits_of(std::uint32_t /*parameter*/) const { return traits(); }
  /// Whether parameter number \p parameter is none, but a tensor that is saved and loaded beside them, of the compute
  /// type of its `traits_of`.
  [[nodiscard]] virtual bool is_tensor(std::uint32_t /*parameter*/) const { return false; }
  /// As they were registered.
  [[nodiscard]] virtual std::vector<ParameterSpec> const& parameters() const = 0;

  /// This rank's part of everything: the parts of all ranks together are every element once, at stage 0 too.
  [[nodiscard]] virtual std::vector<StateRange> owned_ranges() const = 0;
  /// All that this rank holds: at stage 0 every element.
  [[nodiscard]] virtual std::vector<StateRange> resident_ranges() const = 0;

  /// Copies \p into.size() bytes of \p range, from element \p first on.
  virtual void read(StateRange const& range, std::uint64_t first, std::span<std::byte> into) = 0;
  /// Makes \p memory, which is the caller's, a place that `read` reaches at the speed of the bus, for as long as what
  /// is returned lives; null where it is one already. Locked in memory until then.
  [[nodiscard]] virtual std::shared_ptr<void> pin(std::span<std::byte> /*memory*/) { return nullptr; }
  /// Where the run stands. Waits until the last step has been decided.
  [[nodiscard]] virtual StepProgress progress() const = 0;

  /// From here to `finish_load` the engine is not to be used: its states are half new, and it says so.
  virtual void begin_load() = 0;
  /// Sets elements of one of this rank's `resident_ranges`, and what the parameter in the compute type follows from
  /// them.
  virtual void write(StateRange const& range, std::uint64_t first, std::span<std::byte const> from) = 0;
  /// Where the run is to go on from.
  virtual void set_progress(StepProgress const& progress) = 0;
  /// Makes new parameters known to all ranks. Collective.
  virtual void finish_load() = 0;
};

}  // namespace zero
