# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# Every build installs all headers and all components; a component looks for what it needs (CUDA, NCCL, MPI) only when a
# consumer asks for it by name. Adding one is adding its file to cmake/components/.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_DATADIR}/cmake/zero") # share: nothing here depends on the architecture
set(generated_dir "${CMAKE_CURRENT_BINARY_DIR}/package")

install(TARGETS zero_core EXPORT zeroTargets FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILE_SET internal_headers DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILE_SET component_headers DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT zeroTargets NAMESPACE zero:: DESTINATION "${package_dir}")

file(GLOB components CONFIGURE_DEPENDS "${CMAKE_CURRENT_LIST_DIR}/components/*.cmake")
install(FILES ${components} DESTINATION "${package_dir}/components")

# What the component c compiles where libzero_c was not built.
install(DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}/src/c" DESTINATION "${CMAKE_INSTALL_DATADIR}/zero/src"
        FILES_MATCHING PATTERN "*.cpp" PATTERN "*.hpp" PATTERN "*.map")

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/zeroConfig.cmake.in" "${generated_dir}/zeroConfig.cmake"
                              INSTALL_DESTINATION "${package_dir}" NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${generated_dir}/zeroConfigVersion.cmake" COMPATIBILITY SameMinorVersion
                                 ARCH_INDEPENDENT)
install(FILES "${generated_dir}/zeroConfig.cmake" "${generated_dir}/zeroConfigVersion.cmake"
        DESTINATION "${package_dir}")

# Relative to the .pc file itself, so that `cmake --install --prefix elsewhere` stays right.
file(RELATIVE_PATH ZERO_PC_INCLUDEDIR "${CMAKE_INSTALL_FULL_DATADIR}/pkgconfig" "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
configure_file("${CMAKE_CURRENT_LIST_DIR}/zero.pc.in" "${generated_dir}/zero.pc" @ONLY)
install(FILES "${generated_dir}/zero.pc" DESTINATION "${CMAKE_INSTALL_DATADIR}/pkgconfig")
install(FILES "${CMAKE_CURRENT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DATADIR}/licenses/zero")

# Programs are targets that follow below; what they are is known at the end.
function(zero_install_programs)
  if(ZERO_BUILD_EXAMPLES AND TARGET train_gpt2)
    # Libraries that the system's linker does not find (a CUDA toolkit, NCCL of Python's package) stay where they are.
    set_target_properties(train_gpt2 PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
    install(TARGETS train_gpt2 RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  endif()
  if(ZERO_BUILD_EXAMPLES AND TARGET generate_gpt2)
    install(TARGETS generate_gpt2 RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  endif()
  if(PROJECT_IS_TOP_LEVEL)
    include("${PROJECT_SOURCE_DIR}/cmake/package.cmake")
  endif()
endfunction()
cmake_language(DEFER CALL zero_install_programs)
