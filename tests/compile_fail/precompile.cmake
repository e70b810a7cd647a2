# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# cmake -DCOMPILER=<c++> -DINCLUDE=<dir> -DFOLDER=<dir> -P precompile.cmake
#
# Writes FOLDER/engine.hpp, which includes the engine, and what COMPILER makes of it: reading the engine is two thirds of
# what a case takes. A compiler that cannot use what was made reads the header.

file(MAKE_DIRECTORY "${FOLDER}")
file(WRITE "${FOLDER}/engine.hpp" "#include <zero/engine.hpp>\n")
set(made "${FOLDER}/engine.hpp.gch")
if(COMPILER MATCHES "clang[^/]*$")
  set(made "${FOLDER}/engine.hpp.pch")
endif()
execute_process(COMMAND "${COMPILER}" -std=c++20 -I "${INCLUDE}" -x c++-header "${FOLDER}/engine.hpp" -o "${made}"
                COMMAND_ERROR_IS_FATAL ANY)
