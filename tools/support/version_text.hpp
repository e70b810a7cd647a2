// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/kernels/instruction_set.hpp>
#include <zero/version.hpp>

#include <string>
#include <string_view>

namespace command_line {

/// What a program can do beside the host's work; empty: it has none of it.
struct Accelerators {
  std::string cuda{}, nccl{}, gpus{}, mpi{};
};

[[nodiscard]] inline std::string compiler() {
#if defined(__clang__)
  return "Clang " __clang_version__;
#else
  return "GCC " __VERSION__;
#endif
}

[[nodiscard]] inline std::string_view instruction_set() {
  switch (zero::best_instruction_set()) {
    case zero::InstructionSet::avx512:
      return "AVX-512, of this machine's x86-64";
    case zero::InstructionSet::avx2:
      return "AVX2, of this machine's x86-64";
    case zero::InstructionSet::baseline:
      break;
  }
#if defined(__x86_64__)
  return "x86-64 without AVX2, as this machine is";
#else
  return "AArch64";
#endif
}

/// The text of --version.
[[nodiscard]] inline std::string version_of(std::string_view program, Accelerators const& accelerators = {}) {
  auto const line = [](std::string_view what, std::string_view value, std::string_view otherwise) {
    return std::string(what) + ": " + std::string(value.empty() ? otherwise : value) + "\n";
  };
  std::string const version = std::to_string(ZERO_VERSION_MAJOR) + "." + std::to_string(ZERO_VERSION_MINOR) + "." +
                              std::to_string(ZERO_VERSION_PATCH);
  return std::string(program) + " of zero " + version + "\n" + line("compiler", compiler(), "") +
         line("instruction set", instruction_set(), "") + line("CUDA", accelerators.cuda, "built without") +
         line("NCCL", accelerators.nccl, "built without") + line("MPI", accelerators.mpi, "built without") +
         line("GPUs", accelerators.gpus, "none that it can use");
}

}  // namespace command_line
