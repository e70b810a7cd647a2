// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The one place that states the version: CMake's project() and the installed package read it from here, so that it is
// the same however the headers are reached (installed, as a subdirectory, or by a bare include path).
// Until 1.0 a new minor version may break its callers; a patch version does not.
#define ZERO_VERSION_MAJOR 0
#define ZERO_VERSION_MINOR 1
#define ZERO_VERSION_PATCH 0

/// One number that grows with the version, for the preprocessor: `#if ZERO_VERSION >= 100` is 0.1.0 or later.
#define ZERO_VERSION (ZERO_VERSION_MAJOR * 10000 + ZERO_VERSION_MINOR * 100 + ZERO_VERSION_PATCH)
