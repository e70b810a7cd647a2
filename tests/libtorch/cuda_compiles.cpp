// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// That the adapter for modules on a GPU compiles; where there is none, nothing of it can run.

#include <zero/adapters/libtorch_cuda.hpp>
#include <zero/communicators/nccl.hpp>

namespace zero_test {

using Trainer =
    zero::libtorch::DataParallel<zero::AdamW, zero::Precision<zero::BF16>, zero::NcclCommunicator, zero::CudaBackend>;

void train(torch::nn::Module& module, zero::NcclCommunicator& ranks, torch::Tensor const& loss) {
  Trainer trainer(module, ranks, zero::Stage::parameters);
  (void)trainer.micro_batch([&] { return loss; });
  (void)trainer.step().get();
  (void)trainer.evaluate([&] { return loss; });
  { auto const whole = trainer.whole(); }
  trainer.close();
}

}  // namespace zero_test
