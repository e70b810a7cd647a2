// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mpi/runs.hpp"

std::uint64_t mpi_test::hash_of_fp32(zero::MpiCommunicator& communicator, engine_test::Run const& run) {
  return hash_with<zero::Precision<zero::FP32>>(communicator, run);
}
