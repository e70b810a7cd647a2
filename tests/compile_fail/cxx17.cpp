// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero/engine.hpp needs C++20: compile with -std=c++20 or link the CMake target zero::zero
// standard: c++17

#include <zero/engine.hpp>
