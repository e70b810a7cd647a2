// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mpi/runs.hpp"

std::uint64_t mpi_test::hash_of_bf16(zero::MpiCommunicator& communicator, engine_test::Run const& run) {
  return hash_with<zero::Precision<zero::BF16>>(communicator, run);
}
