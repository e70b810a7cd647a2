// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/bucket.hpp>
#include <zero/communicator.hpp>
#include <zero/engine_state.hpp>
#include <zero/kernels/decide.hpp>
#include <zero/kernels/norm_words.hpp>
#include <zero/memory/buffer.hpp>
#include <zero/parameter.hpp>
#include <zero/precision.hpp>
#include <zero/step/reports.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace zero::detail {

/// What an array of an engine holds, which decides the type of its elements.
enum class ElementRole : std::uint8_t {
  value,  ///< parameters and gradients, in the compute type
  sum,    ///< reduced gradients, in the sum type
  state,  ///< master parameters and the rule's states, in fp32
};

/// What the schedule needs to know of the policies that it works for.
struct PolicyTraits {
  std::string_view rule, scaler, offload;           ///< names, compared over ranks
  std::span<std::string_view const> state_names{};  ///< of the rule, or none
  ElementType compute = ElementType::fp32;
  ElementType sum = ElementType::fp32;
  bool offloads = false;
  bool fails_when_exhausted = true;  ///< an overflow at the minimum loss scale ends the run
  std::size_t state_count = 0;       ///< of the rule
  std::size_t scaler_bytes = 0;      ///< of StepState
  std::size_t config_bytes = 0;      ///< of the rule's settings, per group
  std::size_t constants_bytes = 0;   ///< of the rule's constants, per group
  std::size_t decision_bytes = 0;

  [[nodiscard]] std::size_t bytes(ElementRole role) const noexcept {
    return role == ElementRole::value ? element_size(compute) : role == ElementRole::sum ? element_size(sum) : 4;
  }
  /// Whether fp32 parameters exist beside those in the compute type.
  [[nodiscard]] bool has_master() const noexcept { return offloads || compute != ElementType::fp32; }
};

/// Where one fused update finds its arrays. Elements have the types of their roles.
struct UpdateBuffers {
  float* master = nullptr;
  void* value = nullptr;  ///< null: the master parameters are the only ones
  void const* gradient = nullptr;
  float* const* states = nullptr;  ///< one for each of the rule's
  void const* decision = nullptr;
};

/// Where a decision finds what it reads and writes; see DecisionArguments.
struct DecisionBuffers {
  NormWords norm;
  double addends = 1.0;
  double const* clipping = nullptr;
  void* state = nullptr;
  void const* configs = nullptr;
  std::uint32_t group_count = 0;
  void* constants = nullptr;
  void* decision = nullptr;
  StepOutcome* outcome = nullptr;
};

/// The operations of one engine that depend on its compute and sum types, its rule, scaler and communicator, behind one
/// virtual call per bucket. Everything else is written and compiled once for all engines of a backend: a further engine
/// costs its kernels. Addresses are of elements whose type follows from their role; streams and errors are those of the
/// backend's and the communicator's operation of the same name.
template <class Backend>
class EngineOperations : public PeerCheck {
 public:
  using Stream = typename Backend::Stream;

  explicit EngineOperations(PolicyTraits const& traits) : traits_(traits) {}
  [[nodiscard]] PolicyTraits const& traits() const noexcept { return traits_; }
  [[nodiscard]] std::size_t bytes(ElementRole role) const noexcept { return traits_.bytes(role); }

  // The communicator's.
  [[nodiscard]] virtual int rank() const = 0;
  [[nodiscard]] virtual int size() const = 0;
  [[nodiscard]] virtual int local_size() const = 0;
  virtual void reduce_scatter_add(ElementRole addends, void const* send, void* into, std::size_t count, bool first,
                                  CollectivePurpose purpose, Stream stream) = 0;
  virtual void all_gather(ElementRole role, void const* own, void* full, std::size_t count, CollectivePurpose purpose,
                          Stream stream) = 0;
  virtual void all_reduce(std::uint64_t* words, std::size_t count, CollectivePurpose purpose, Stream stream) = 0;
  virtual void exchange(std::span<std::byte const> mine, std::span<std::byte> all) = 0;
  /// Device memory that the reductions of slices of up to \p count elements need, and where it is: as long as this.
  [[nodiscard]] virtual std::size_t staging_bytes(std::size_t count) const = 0;
  virtual void set_staging(std::span<std::byte> staging) = 0;
  /// What has been put on \p stream, recorded collectives among it, must pass within the deadline.
  virtual void watch(Stream stream) = 0;
  /// Whether its collectives can be recorded and run again.
  [[nodiscard]] virtual bool can_be_captured() const = 0;

  /// Lets \p backend allocate what collectives use as the communicator wants it; before anything is allocated.
  virtual void prepare_memory(Backend& backend) const = 0;
  /// Makes that memory known to the communicator, for as long as what is returned lives. Collective. \throws
  /// ConfigurationError on all ranks where it cannot be.
  [[nodiscard]] virtual std::shared_ptr<void> register_memory(Backend& backend) = 0;

  // The backend's.
  virtual void accumulate(Backend& backend, void* into, void const* from, std::size_t n, bool first, Stream stream) = 0;
  virtual void squares(Backend& backend, NormWords norm, SegmentView const& segments, void const* slice,
                       Stream stream) = 0;
  virtual void decide(Backend& backend, DecisionBuffers const& buffers, Stream stream) = 0;
  /// \p on_host: of offloaded states.
  virtual void update(Backend& backend, SegmentView const& segments, UpdateBuffers const& buffers, bool on_host,
                      Stream stream) = 0;
  /// Parameters in the compute type from their masters; of offloaded states.
  virtual void narrow_on_host(Backend& backend, void* values, float const* masters, std::size_t n, Stream stream) = 0;

  // The host's.
  /// \throws ConfigurationError for settings of a policy that cannot work.
  virtual void validate(std::span<ParameterGroup const> groups) const = 0;
  [[nodiscard]] virtual std::uint64_t fingerprint_of_rule(ParameterGroup const& group) const = 0;
  [[nodiscard]] virtual std::uint64_t fingerprint_of_scaler() const = 0;
  /// Writes what a run starts with; returns where the loss scale lies in it.
  virtual float const* start(void* state) const = 0;
  [[nodiscard]] virtual StepProgress progress(void const* state) const = 0;
  virtual void set_progress(void* state, StepProgress const& progress) const = 0;
  /// Writes every group's settings of the rule for one step.
  virtual void configure(void* configs, std::span<ParameterGroup const> groups, double lr) const = 0;
  /// Whether a decision, which the host may read now, is to update.
  [[nodiscard]] virtual bool applies(Backend& backend, void const* decision) const = 0;
  virtual void widen(ElementRole role, float* to, void const* from, std::size_t n) const = 0;
  virtual void narrow(ElementRole role, void* to, float const* from, std::size_t n) const = 0;

 protected:
  ~EngineOperations() = default;

 private:
  PolicyTraits traits_;
};

}  // namespace zero::detail
