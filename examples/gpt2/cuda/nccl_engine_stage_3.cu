// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <zero/engine.cuh>

#include "nccl_place.hpp"

GPT2_ENGINES(, zero::Stage::parameters, gpt2::NcclPlace)
