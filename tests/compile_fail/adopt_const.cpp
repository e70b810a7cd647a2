// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: none of them const, because the engine writes to it

#include <zero/engine.hpp>

#ifdef ZERO_COMPILES
using Element = float;
#else
using Element = float const;
#endif

zero::AdoptedBuffer adopted(Element* values) { return zero::adopt(values, 3); }
