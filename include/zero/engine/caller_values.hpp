// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/operations.hpp>
#include <zero/engine/parts.hpp>
#include <zero/parameter.hpp>
#include <zero/support/fixed_array.hpp>
#include <zero/support/out_of_line.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace zero::detail {

/// Values that the caller gives to parameters, ParameterSpec::initial or what adopted buffers hold: takes them into
/// master parameters and arenas. Collective, blocks. \throws MismatchError where ranks give different values: they
/// would train different models.
template <class Backend>
class CallerValues {
 public:
  /// \p parts are borrowed.
  explicit CallerValues(EngineParts<Backend>& parts) noexcept : parts_(parts), specs_(parts.context.specs) {}

  /// Of a new engine: initial values, and where a parameter has none, what its adopted buffer holds.
  ZERO_OUT_OF_LINE void take_initial() {
    bool to_adopted = false;
    for (std::uint32_t i = 0; i < specs_.size(); ++i) {
      auto const& initial = specs_[i].initial;
      if (initial.empty()) {
        take_adopted({i});
      } else {
        parts_.access.write_parameter({i}, initial);
        to_adopted = to_adopted || specs_[i].values;
      }
    }
    if (to_adopted) parts_.gatherer.copy_to_adopted();
  }
  /// What all adopted buffers hold now.
  void take_adopted() {
    for (std::uint32_t i = 0; i < specs_.size(); ++i) take_adopted({i});
  }

 private:
  ZERO_OUT_OF_LINE void take_adopted(ParameterId id) {
    auto const& adopted = specs_[id.index].values;
    if (!adopted) return;
    auto& policies = parts_.context.policies;
    std::vector<float> values(adopted->count);
    FixedArray<std::byte> copied(adopted->count * policies.bytes(ElementRole::value));
    (parts_.backend.copy)(copied.begin(), adopted->data, copied.size(), parts_.communication.get());
    parts_.backend.synchronize(parts_.communication.get());
    parts_.backend.host_reads(copied.begin(), copied.size());
    policies.widen(ElementRole::value, values.data(), copied.begin(), values.size());
    parts_.access.write_parameter(id, values);
  }

  EngineParts<Backend>& parts_;
  std::vector<ParameterSpec> const& specs_;
};

}  // namespace zero::detail
