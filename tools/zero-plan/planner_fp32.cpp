// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "engines.hpp"

ZERO_PLAN_ENGINES(, zero_plan::FP32Prec)
