// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "checkpoint/session_of.hpp"

std::unique_ptr<checkpoint_test::Session> checkpoint_test::make_session_fp32(zero::ThreadCommunicator& ranks,
                                                                             Setup const& setup) {
  return std::make_unique<SessionOf<zero::Precision<zero::FP32>>>(ranks, setup);
}
