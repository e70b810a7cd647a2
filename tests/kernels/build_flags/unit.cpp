// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "bits.hpp"

#include <string>

// ZERO_UNIT names the function: one file, compiled as often and with whatever flags the test wants.
std::string ZERO_UNIT() { return build_flags::describe(); }
