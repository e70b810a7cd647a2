// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine_state.hpp>
#include <zero/parameter.hpp>
#include <zero/precision.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
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
  bool takes_momentum = false;  ///< the rule, per step
  bool takes_beta2 = false;
  bool offloads = false;
  bool scales = false;                ///< the loss: the scaler is not NoScale
  bool fails_when_exhausted = true;   ///< an overflow at the minimum loss scale ends the run
  std::size_t state_count = 0;        ///< of the rule
  std::size_t scaler_bytes = 0;       ///< of StepState
  std::size_t loss_scale_offset = 0;  ///< bytes from the start of StepState to its fp32 scale
  std::size_t config_bytes = 0;       ///< of the rule's settings, per group
  std::size_t constants_bytes = 0;    ///< of the rule's constants, per group
  std::size_t decision_bytes = 0;

  /// Size of an element of \p role.
  [[nodiscard]] std::size_t bytes(ElementRole role) const noexcept {
    return role == ElementRole::value ? element_size(compute) : role == ElementRole::sum ? element_size(sum) : 4;
  }
  /// Whether fp32 parameters exist beside those in the compute type.
  [[nodiscard]] bool has_master() const noexcept { return offloads || compute != ElementType::fp32; }
};

/// Names of the rule's states, by which checkpoints know them.
[[nodiscard]] ZERO_OUT_OF_LINE inline std::vector<std::string> state_names(PolicyTraits const& traits) {
  std::vector<std::string> names{traits.state_names.begin(), traits.state_names.end()};
  for (std::size_t k = names.size(); k < traits.state_count; ++k) names.push_back(concat({"state_", k}));
  return names;
}

/// What one step takes of the rule's settings in place of the configuration's.
struct RuleSettings {
  double lr = 0.0;
  std::optional<double> momentum{};  ///< where the rule takes one per step
  std::optional<double> beta2{};     ///< where the rule takes one per step
};

/// What an engine's policies do on the host, behind one virtual call: settings, the state between steps, and
/// conversions. `state` is a StepState, `configs` an array of the rule's Config, both in host memory.
class Policies {
 public:
  explicit Policies(PolicyTraits const& traits) : traits_(traits) {}
  [[nodiscard]] PolicyTraits const& traits() const noexcept { return traits_; }
  [[nodiscard]] std::size_t bytes(ElementRole role) const noexcept { return traits_.bytes(role); }

  /// \throws ConfigurationError for settings of a policy that cannot work.
  virtual void validate(std::span<ParameterGroup const> groups) const = 0;
  [[nodiscard]] virtual std::uint64_t fingerprint_of_rule(ParameterGroup const& group) const = 0;
  [[nodiscard]] virtual std::uint64_t fingerprint_of_scaler() const = 0;
  /// Writes the state that a run starts with.
  virtual void start(void* state) const = 0;
  [[nodiscard]] virtual StepProgress progress(void const* state) const = 0;
  virtual void set_progress(void* state, StepProgress const& progress) const = 0;
  /// Writes every group's settings of the rule for one step.
  virtual void configure(void* configs, std::span<ParameterGroup const> groups, RuleSettings const& step) const = 0;
  /// Whether \p decision, a Decision that the host may read now, is to update.
  [[nodiscard]] virtual bool applies(void const* decision) const = 0;
  /// Elements of \p role to fp32, and back, rounded to nearest even.
  virtual void widen(ElementRole role, float* to, void const* from, std::size_t n) const = 0;
  virtual void narrow(ElementRole role, void* to, float const* from, std::size_t n) const = 0;

 protected:
  ~Policies() = default;

 private:
  PolicyTraits traits_;
};

}  // namespace zero::detail
