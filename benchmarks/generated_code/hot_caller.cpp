// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A trainer in one function, as many are. Compiled only: see ../generated_code.sh.

#include <zero/engine.hpp>

#include <cstddef>
#include <vector>

using Engine = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW, zero::CpuOffload>,
                            zero::Precision<zero::BF16>, zero::HostBackend, zero::ThreadCommunicator>;

void work_of_the_caller(Engine::Gradients const& gradients);

float train(zero::ThreadCommunicator& ranks, zero::ParameterList const& list, zero::ParameterId id, std::size_t count) {
  Engine engine(ranks, list);
  engine.write_parameter("p", std::vector<float>(count));
  for (int step = 0; step < 10; ++step) {
    auto batch = engine.begin_micro_batch({});
    auto gradients = engine.gradients(id, {});
    work_of_the_caller(gradients);
    gradients.ready({});
    batch.finish({});
    (void)engine.step({}).get();
  }
  engine.finish_update();
  engine.discard_gradients();
  auto const state = engine.state();
  return engine.read_parameter("p")[0] + engine.read_state("p", 0)[0] + engine.loss_scale().value();
}
