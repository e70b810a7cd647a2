// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "learner_maker.hpp"

#include <zero/communicators/nccl.hpp>

IMAGES_CUDA_ENGINES(extern template, zero::NcclCommunicator);

template std::unique_ptr<images::Learner> images::make_cuda_learner(LearnerRequest const&, zero::NcclCommunicator&,
                                                                    int);
