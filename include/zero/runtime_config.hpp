// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/engine_config.hpp>
#include <zero/offload.hpp>
#include <zero/partitioner.hpp>

namespace zero {

/// The settings of an engine whose policies were chosen when the program ran: EngineConfig without the rule's, the
/// scaler's and the backend's own.
struct RuntimeConfig : EngineConfig<NoPolicy, NoPolicy, AnyOffload, NoPolicy> {
  Stage stage = Stage::none;  ///< what is sharded
  double lr = 0.0;            ///< the rule's learning rate
};

}  // namespace zero
