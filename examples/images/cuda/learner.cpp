// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "learner.hpp"

#include "../learner_maker.hpp"
#include "cuda_place.hpp"
#include "engines.hpp"

#ifdef IMAGES_HAVE_NCCL
#include <zero/communicators/nccl.hpp>
#endif

template <class Communicator>
std::unique_ptr<images::Learner> images::make_cuda_learner(LearnerRequest const& request, Communicator& communicator,
                                                           int device) {
  return in_one_line([&] { return make_learner_of(request, CudaPlace(device, request.threads), communicator); });
}

IMAGES_CUDA_ENGINES(extern template, zero::ThreadCommunicator);
template std::unique_ptr<images::Learner> images::make_cuda_learner(LearnerRequest const&, zero::ThreadCommunicator&,
                                                                    int);
#ifdef IMAGES_HAVE_NCCL
IMAGES_CUDA_ENGINES(extern template, zero::NcclCommunicator);
template std::unique_ptr<images::Learner> images::make_cuda_learner(LearnerRequest const&, zero::NcclCommunicator&,
                                                                    int);
#endif
