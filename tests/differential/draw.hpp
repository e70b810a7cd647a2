// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "differential/scenario.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace differential {

/// What a draw may contain besides what it always may.
struct Features {
  std::vector<Type> types = {Type::fp32, Type::fp16, Type::bf16};  ///< of parameters and gradients
  bool unaddressed = true;          ///< leased gradients that are never addressed count as missing
  bool undone = true;               ///< a later contribution is abandoned: the micro-batch fails
  bool missing_late = true;         ///< gradients missing at stages 2 and 3, on some ranks only, with a small ring
  bool plain_sgd_dampening = true;  ///< Sgd without momentum, but with dampening, which it ignores
};

/// The names of the switches among these.
inline constexpr std::array feature_names = {"unaddressed", "undone", "missing_late", "plain_sgd_dampening"};
/// The switch called \p name; null for an unknown one.
[[nodiscard]] bool* feature(Features& features, std::string_view name);

/// The scenario of \p seed. Features that are off change nothing else of it.
[[nodiscard]] Scenario draw(std::uint64_t seed, Features const& features);

}  // namespace differential
