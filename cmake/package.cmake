# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# What CPack makes of a build: `cpack -G DEB` or `cpack -G TGZ` in the build folder. A package holds what `cmake --install`
# installs: headers and package files, and the programs that the build has built.

set(CPACK_PACKAGE_NAME zero)
set(CPACK_PACKAGE_VENDOR "The zero authors")
set(CPACK_PACKAGE_CONTACT "The zero authors <zero@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION} (header-only C++20 library)")
set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
set(CPACK_PACKAGE_CHECKSUM SHA256)
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_GENERATOR TGZ DEB)

# Headers are the same everywhere; programs are not.
set(zero_programs)
foreach(program generate_gpt2 train_gpt2 zero-plan zero-tokenize zero-inspect zero-consolidate zero_c)
  if(TARGET ${program})
    list(APPEND zero_programs ${program})
  endif()
endforeach()
if(zero_programs)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
  set(CPACK_SYSTEM_NAME "${CMAKE_SYSTEM_NAME}-${CMAKE_SYSTEM_PROCESSOR}")
else()
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE all)
  set(CPACK_SYSTEM_NAME any)
endif()
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "cmake, g++ (>= 4:12), python3-matplotlib")

include(CPack)
