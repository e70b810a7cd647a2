# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# cmake -DBUILD=<dir> -DPREFIX=<dir> [-DCOMPONENT=<file.cmake>] -P install.cmake
#
# Installs the package into a prefix that holds nothing of an earlier run; with COMPONENT, and one more component, as a
# file in cmake/components/ would be.

file(REMOVE_RECURSE "${PREFIX}")
execute_process(COMMAND "${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${PREFIX}" COMMAND_ERROR_IS_FATAL ANY)
if(DEFINED COMPONENT)
  file(COPY "${COMPONENT}" DESTINATION "${PREFIX}/share/cmake/zero/components")
endif()
