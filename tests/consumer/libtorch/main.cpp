// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/adapters/libtorch.hpp>

#include <cstdio>

int main() {
  float first = 0, last = 0;
  zero::run_ranks(2, [&](zero::ThreadCommunicator& ranks) {
    torch::nn::Linear net(4, 1);
    zero::libtorch::DataParallel<> trainer(*net, ranks, zero::Stage::gradients, {.optimizer = {.lr = 0.05F}});
    for (int step = 0; step < 50; ++step) {
      auto const loss = trainer.micro_batch([&] {
        auto const x = torch::randn({16, 4});
        return (net(x) - x.sum(1, true)).pow(2).mean();
      });
      (void)trainer.step().get();
      if (ranks.rank() == 0) (step == 0 ? first : last) = loss.item<float>();
    }
  });
  std::printf("%g to %g\n", static_cast<double>(first), static_cast<double>(last));
  return last < first ? 0 : 1;
}
