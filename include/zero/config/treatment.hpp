// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <cstdint>

namespace zero::config {

/// What becomes of a key of DeepSpeed's.
enum class Treatment : std::uint8_t {
  applied,         ///< it changes what a run does
  always,          ///< what it asks for is so here anyway; Settings::notes says so
  refused,         ///< it cannot be had: ConfigError, unless its value asks for nothing
  of_its_section,  ///< what becomes of the section that it is in, which is refused or always so as a whole
};

}  // namespace zero::config
