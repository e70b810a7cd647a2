# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# cmake -DOUTPUT=<file> -P public_headers.cmake: a header that includes every public one that needs no component.

include("${CMAKE_CURRENT_LIST_DIR}/../../cmake/headers.cmake")
set(headers ${ZERO_PUBLIC_HEADERS})
if(NOT headers)
  set(headers ${ZERO_HEADERS}) # a tree whose list does not tell public headers from internal ones
endif()
if(NOT headers)
  message(FATAL_ERROR "cmake/headers.cmake sets neither ZERO_PUBLIC_HEADERS nor ZERO_HEADERS")
endif()
list(TRANSFORM headers REPLACE "^include/(.*)$" "#include <\\1>")
list(JOIN headers "\n" lines)
file(WRITE "${OUTPUT}" "#pragma once\n${lines}\n")
