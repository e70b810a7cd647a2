// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "../ranks.hpp"

#include <memory>

namespace zero {
class NcclCommunicator;
}  // namespace zero

namespace images {

/// make_learner on GPU number \p device of this process. For a ThreadCommunicator of one rank, and an NcclCommunicator.
template <class Communicator>
[[nodiscard]] std::unique_ptr<Learner> make_cuda_learner(LearnerRequest const& request, Communicator& communicator,
                                                         int device);

extern template std::unique_ptr<Learner> make_cuda_learner(LearnerRequest const&, zero::ThreadCommunicator&, int);
extern template std::unique_ptr<Learner> make_cuda_learner(LearnerRequest const&, zero::NcclCommunicator&, int);

/// Ranks that compute on a GPU each.
template <class Communicator>
class CudaRanks final : public RanksOver<Communicator> {
 public:
  CudaRanks(Communicator& communicator, int device) : RanksOver<Communicator>(communicator), device_(device) {}
  [[nodiscard]] std::unique_ptr<Learner> make_learner(LearnerRequest const& request) override {
    return make_cuda_learner(request, this->communicator_, device_);
  }

 private:
  int device_;
};

}  // namespace images
