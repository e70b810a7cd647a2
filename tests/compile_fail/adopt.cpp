// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::adopt: the buffer must hold float, zero::float16 or zero::bfloat16

#include <zero/engine.hpp>

#ifdef ZERO_COMPILES
using Element = float;
#else
using Element = double;
#endif

zero::AdoptedBuffer adopted(Element* values) { return zero::adopt(values, 3); }
