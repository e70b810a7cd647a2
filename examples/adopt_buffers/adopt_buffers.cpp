// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A trainer that owns its buffers, as llm.c does: one allocation for all parameters, one for all gradients. The engine
// adopts both, so that forward and backward stay as they are, and the optimizer is sharded over the ranks (ZeRO-1).
#include <zero/engine.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <span>
#include <stdexcept>
#include <vector>

namespace {

using Engine = zero::Engine<zero::Partitioner<zero::Stage::optimizer_states>, zero::Optimizer<zero::AdamW>,
                            zero::Precision<zero::FP32>, zero::HostBackend, zero::ThreadCommunicator>;

/// y = w2 tanh(w1 x + b1) + b2, one hidden layer of 16, with parameters where the trainer has always kept them.
struct Network {
  static constexpr std::size_t hidden = 16;
  std::vector<float> parameters = std::vector<float>(3 * hidden + 1);
  std::vector<float> gradients = std::vector<float>(3 * hidden + 1);

  Network() {
    for (std::size_t i = 0; i < 3 * hidden; ++i) parameters[i] = std::sin(static_cast<float>(7 * i + 1));
  }

  /// Adds the gradient of (y(x) - target)^2 / 2 and returns that loss.
  float forward_backward(float x, float target) {
    std::span const w1(parameters.data(), hidden), b1(w1.data() + hidden, hidden), w2(b1.data() + hidden, hidden);
    std::array<float, hidden> h;
    float y = parameters[3 * hidden];
    for (std::size_t i = 0; i < hidden; ++i) h[i] = std::tanh(w1[i] * x + b1[i]), y += w2[i] * h[i];
    float const error = y - target;
    for (std::size_t i = 0; i < hidden; ++i) {
      float const dh = error * w2[i] * (1.0F - h[i] * h[i]);
      gradients[i] += dh * x;
      gradients[hidden + i] += dh;
      gradients[2 * hidden + i] += error * h[i];
    }
    gradients[3 * hidden] += error;
    return 0.5F * error * error;
  }
};

void train(zero::ThreadCommunicator& communicator) {
  Network network;
  zero::ParameterList list;
  constexpr std::array<std::size_t, 4> sizes{Network::hidden, Network::hidden, Network::hidden, 1};
  (void)zero::adopt_flat(list, network.parameters.data(), network.gradients.data(), sizes,
                         {.names = {"w1", "b1", "w2", "b2"}});
  Engine engine{communicator, list, {.optimizer = {.lr = 1e-2, .weight_decay = 0.0}}};

  double loss = 0.0;
  for (int step = 0; step < 2000; ++step) {
    std::fill(network.gradients.begin(), network.gradients.end(), 0.0F);
    float const x = std::sin(static_cast<float>(2 * step + communicator.rank())) * 2.0F;
    float const own_loss = network.forward_backward(x, x * x);
    if (engine.update().get().skipped) std::printf("step %d was skipped\n", step);
    loss = engine.mean_over_ranks(static_cast<double>(own_loss));
  }
  // The new parameters are where the network reads them.
  if (communicator.rank() == 0) std::printf("mean loss of the last samples: %.6f\n", loss);
  if (!(loss < 0.01)) throw std::runtime_error("the network should have learned x * x");
}

}  // namespace

int main() { zero::run_ranks(2, train); }
