// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "../training.hpp"

#define TRAIN_NAMED(unit) train_##unit
#define TRAIN(unit) TRAIN_NAMED(unit)

// train_plain or train_fast
std::uint64_t TRAIN(UNIT)() { return consumer::train_two_ranks(20).hash; }
