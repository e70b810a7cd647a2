// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What zero needs of a compiler. Every public header includes this one first. A compiler goes on after #error, through
// thousands of errors that follow from it, but not after a header that does not exist.

#if (defined(_MSVC_LANG) ? _MSVC_LANG : __cplusplus) < 202002L
#error "zero needs C++20: compile with -std=c++20, or link the CMake target zero::zero"
#include <zero/stopped_by_the_error_above>
#elif !defined(__cpp_exceptions)
#error "zero reports failures by exceptions: compile without -fno-exceptions the files that include it"
#include <zero/stopped_by_the_error_above>
#endif
