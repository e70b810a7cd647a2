# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# A component as it would be installed: one file, found by its name.
add_library(zero::probe INTERFACE IMPORTED)
target_link_libraries(zero::probe INTERFACE zero::zero)
