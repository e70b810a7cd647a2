// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "learner.hpp"

#include <memory>

namespace images {

/// make_learner of bf16 and fp16: a file of its own, as each type takes a compiler a while.
[[nodiscard]] std::unique_ptr<Learner> make_half_learner(LearnerRequest const& request,
                                                         zero::ThreadCommunicator& communicator);

}  // namespace images
