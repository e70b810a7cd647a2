// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Ranks that are processes give the bits of one rank, whose micro-batches are as many.

#include "runs.hpp"

#include <zero/communicators/mpi.hpp>
#include <zero/communicators/self.hpp>

#include <cstdio>
#include <exception>
#include <stdexcept>

namespace {

using namespace zero_test;

template <class Model, class Communicator>
std::uint64_t train_with(Communicator& communicator, zero::Stage stage, int micro_batches) {
  using Trainer = zero::libtorch::DataParallel<zero::AdamW, zero::Precision<zero::FP32>, Communicator>;
  auto model = make_model<Model>();
  typename Trainer::Config config{.micro_batches_per_step = micro_batches, .optimizer = {.lr = 1e-3F}};
  Trainer trainer(*model, communicator, stage, config, {.group_of = group_of});
  for (int s = 0; s < 3; ++s) {
    for (int round = 0; round < (micro_batches + communicator.size() - 1) / communicator.size(); ++round) {
      (void)trainer.micro_batch([&](std::int64_t m) { return loss_of(model, s * micro_batches + m, torch::kFloat); });
    }
    (void)trainer.step().get();
  }
  (void)trainer.evaluate([&] { return loss_of(model, 99, torch::kFloat); });
  auto const result = fingerprint_of_parameters(trainer, *model);
  trainer.close();
  return result;
}

template <class Model>
void compare(zero::MpiCommunicator& ranks) {
  for (int const micro_batches : {2, 3}) {
    zero::SelfCommunicator alone;
    auto const expected = train_with<Model>(alone, zero::Stage::none, micro_batches);
    for (int stage = 0; stage < 4; ++stage) {
      if (train_with<Model>(ranks, static_cast<zero::Stage>(stage), micro_batches) == expected) continue;
      throw std::runtime_error("other parameters at stage " + std::to_string(stage));
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  int level = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level);
  at::set_num_threads(1);
  try {
    zero::MpiCommunicator ranks;
    compare<ResNet>(ranks);
    compare<Gpt>(ranks);
    if (ranks.rank() == 0) std::printf("all %d ranks have passed\n", ranks.size());
  } catch (std::exception const& error) {
    std::fprintf(stderr, "%s\n", error.what());
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  MPI_Finalize();
}
