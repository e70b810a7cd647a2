// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "checkpoint/session.hpp"

std::unique_ptr<checkpoint_test::Session> checkpoint_test::make_session(zero::ThreadCommunicator& ranks,
                                                                        Setup const& setup) {
#ifndef ZERO_TEST_ONE_TYPE
  if (setup.types == Types::fp32) return make_session_fp32(ranks, setup);
  if (setup.types == Types::bf16) return make_session_bf16(ranks, setup);
#endif
  return make_session_fp16(ranks, setup);
}
