// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/engine.cuh>

#include "engines.hpp"

#include <zero/communicators/nccl.hpp>

IMAGES_CUDA_ENGINES(template, zero::NcclCommunicator);
