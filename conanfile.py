# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The Conan 2 package: `conan create .` makes and tests it. It holds what `cmake --install` installs of a build without
programs, zeroConfig.cmake included, so that find_package works as it does without Conan, components and all."""

import re
from pathlib import Path

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import load


class ZeroConan(ConanFile):
    name = "zero"
    description = "ZeRO-sharded optimization over raw buffers, as a header-only C++20 template library"
    license = "Apache-2.0 WITH LLVM-exception"
    topics = ("deep-learning", "distributed-training", "zero", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    exports_sources = "CMakeLists.txt", "LICENSE", "cmake/*", "include/*", "src/*"
    no_copy_source = True

    def set_version(self):
        header = load(self, Path(self.recipe_folder) / "include" / "zero" / "version.hpp")
        parts = (re.search(rf"ZERO_VERSION_{part} (\d+)", header)[1] for part in ("MAJOR", "MINOR", "PATCH"))
        self.version = ".".join(parts)

    def validate(self):
        if self.settings.os != "Linux":
            raise ConanInvalidConfiguration("zero is for Linux; on Windows use WSL2")

    def layout(self):
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self)
        for part in ("TESTS", "EXAMPLES", "TOOLS", "BENCHMARKS", "CUDA"):
            toolchain.cache_variables[f"ZERO_BUILD_{part}"] = False
        toolchain.generate()

    def package(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.install()

    def package_id(self):
        self.info.clear()  # headers are the same for every compiler

    def package_info(self):
        # The package's own zeroConfig.cmake defines zero::zero, and zero::cuda and zero::nccl where they are asked for.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = [str(Path("share") / "cmake" / "zero")]
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        self.cpp_info.system_libs = ["pthread"]
