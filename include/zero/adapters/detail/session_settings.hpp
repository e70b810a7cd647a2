// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/adapters/detail/registration.hpp>

#include <string>
#include <vector>

namespace zero::libtorch::detail {

/// What a session is made of, besides the engine's settings.
struct SessionSettings {
  GroupOf group_of;
  std::vector<std::string> unit_order;
  bool check_values = false;
};

}  // namespace zero::libtorch::detail
