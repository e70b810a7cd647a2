# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# cmake -DOUTPUT=<file> -P public_headers.cmake: a header that includes every public one that needs no component.

include("${CMAKE_CURRENT_LIST_DIR}/../../cmake/headers.cmake")
set(headers ${ZERO_PUBLIC_HEADERS})
list(REMOVE_ITEM headers ${ZERO_COMPONENT_HEADERS})
list(TRANSFORM headers REPLACE "^include/(.*)$" "#include <\\1>")
list(JOIN headers "\n" lines)
file(WRITE "${OUTPUT}" "#pragma once\n${lines}\n")
