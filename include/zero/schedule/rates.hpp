// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <optional>

namespace zero::schedule {

/// What one optimizer step uses. What a schedule does not set is the configuration's: see StepOptions.
struct Rates {
  double lr = 0.0;                   ///< learning rate; a group's is this times its lr_factor
  std::optional<double> momentum{};  ///< β₁ of Adam, AdamW and Lion; momentum of Sgd
  std::optional<double> beta2{};     ///< β₂ of Adam, AdamW and Lion
};

}  // namespace zero::schedule
