// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/parts.hpp>
#include <zero/engine/phase.hpp>
#include <zero/error.hpp>
#include <zero/parameter.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace zero::detail {

/// The parameter that was registered under \p name. \throws ConfigurationError where none was.
[[nodiscard]] ZERO_OUT_OF_LINE inline ParameterId find_parameter(ParameterList const& parameters,
                                                                 std::string_view name) {
  if (auto const id = parameters.find(name)) return *id;
  fail<ConfigurationError>(
      {"zero::Engine: no parameter is named ", quote(name), ": give the name that it was registered with"});
}

/// \throws ConfigurationError where \p parameters has none of that number.
ZERO_OUT_OF_LINE inline void check_id(ParameterList const& parameters, ParameterId id) {
  if (id.index < parameters.specs().size()) return;
  fail<ConfigurationError>({"zero::Engine: there is no parameter ", id.index, " of ", parameters.specs().size(),
                            ": use the ids that ParameterList::add returned"});
}

/// Whole parameters, gradients and states of one engine: what may be read when, and what follows from a write. See
/// Engine for the contracts.
template <class Backend>
class NamedAccess {
 public:
  /// All are borrowed. \p addends: micro-batches of a step on all ranks.
  NamedAccess(EngineParts<Backend>& parts, EnginePhase& phase, ParameterList const& parameters, double addends)
      : parts_(parts), phase_(phase), parameters_(parameters), addends_(addends) {}

  [[nodiscard]] ZERO_OUT_OF_LINE std::vector<float> read_parameter(ParameterId id) {
    return access(EngineCall::read_parameter).read_parameter(checked(id));
  }
  ZERO_OUT_OF_LINE void write_parameter(ParameterId id, std::span<float const> values) {
    auto& access = this->access(EngineCall::write_parameter);
    parts_.gatherer.require_no_leases();
    parts_.gatherer.forget_gathered();
    access.write_parameter(checked(id), values);
    parts_.gatherer.copy_to_adopted();
  }
  [[nodiscard]] ZERO_OUT_OF_LINE std::vector<float> read_gradient(ParameterId id) {
    return access(EngineCall::read_gradient).read_gradient(checked(id), average());
  }
  ZERO_OUT_OF_LINE void write_gradient(ParameterId id, std::span<float const> values) {
    access(EngineCall::write_gradient).write_gradient(checked(id), values, average());
  }
  [[nodiscard]] ZERO_OUT_OF_LINE std::vector<float> read_state(ParameterId id, std::size_t k) {
    return access(EngineCall::read_state).read_state(checked(id), k);
  }
  ZERO_OUT_OF_LINE void write_state(ParameterId id, std::size_t k, std::span<float const> values) {
    access(EngineCall::write_state).write_state(checked(id), k, values);
  }

 private:
  [[nodiscard]] ParameterId checked(ParameterId id) const {
    check_id(parameters_, id);
    return id;
  }
  // After all that the last update has put on streams.
  [[nodiscard]] ParameterAccess<Backend>& access(EngineCall call) {
    parts_.context.require_allowed(call);
    parts_.updater.join(parts_.communication.get());
    return parts_.access;
  }
  [[nodiscard]] ZERO_OUT_OF_LINE double average() const {
    return 1.0 / (addends_ * static_cast<double>(parts_.decider.loss_scale().value()));
  }

  EngineParts<Backend>& parts_;
  EnginePhase& phase_;
  ParameterList const& parameters_;
  double addends_;
};

}  // namespace zero::detail
