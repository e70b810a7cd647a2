// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: HostStream

#include <zero/engine.hpp>

#ifdef ZERO_COMPILES
zero::HostStream const stream;
#else
zero::HostStream const stream = 0;
#endif
