// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The CMake target zero::libtorch (find_package(zero COMPONENTS libtorch)) has what these headers need of torch.

#include <zero/support/requirements.hpp>

#include <zero/adapters/libtorch/checkpoint.hpp>
#include <zero/adapters/libtorch/data_parallel.hpp>
#include <zero/adapters/libtorch/options.hpp>
#include <zero/adapters/libtorch/unit.hpp>

/// Data parallelism of libtorch's modules; see docs/libtorch.md. Not zero::torch: that name would hide torch's own
/// within zero, and wherever `using namespace zero` stands.
namespace zero::libtorch {}
