// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/collectives.hpp>
#include <zero/engine/kernels.hpp>
#include <zero/engine/policies.hpp>
#include <zero/profile/observer.hpp>

namespace zero::detail {

/// All that depends on the types of one engine, by who answers for it: its communicator, its backend, its policies.
/// Borrowed by the schedule, which knows no type but the backend's.
template <class Backend>
struct EngineOperations {
  Collectives<Backend>& collectives;
  Kernels<Backend>& kernels;
  Policies& policies;
  profile::Observer<typename Backend::Stream>* observer = nullptr;  ///< of this rank's steps, where there is one
};

}  // namespace zero::detail
