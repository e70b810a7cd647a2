// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Two rules in one step. Biases and norms are few, and train with AdamW, whose states are sharded (ZeRO-1). Matrices
// are nearly all of a model, and train with SGD and momentum, sharded whole (ZeRO-3). Each kind has an engine; a joint
// step clips both by one norm, and skips both where one overflows.
#include <zero/engine.hpp>
#include <zero/joint_step.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <span>
#include <stdexcept>
#include <vector>

namespace {

using Communicator = zero::ThreadCommunicator;
using Vectors = zero::Engine<zero::Partitioner<zero::Stage::optimizer_states>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::FP32>, zero::HostBackend, Communicator>;
using Matrices = zero::Engine<zero::Partitioner<zero::Stage::parameters>, zero::Optimizer<zero::Sgd>,
                              zero::Precision<zero::FP32>, zero::HostBackend, Communicator>;

constexpr std::size_t hidden = 16;

// y = w2 (gain * tanh(w1 x + b1)) + b2. Units are layers, numbered alike in both lists, so that what backward has
// passed is reduced while it goes on.
struct Model {
  zero::ParameterList vectors, matrices;
  std::vector<float> const first = spread(1), second = spread(2), ones = std::vector<float>(hidden, 1.0F);
  zero::ParameterId b1 = vectors.add({.name = "b1", .shape = {hidden}, .initial = first});
  zero::ParameterId gain = vectors.add({.name = "gain", .shape = {hidden}, .initial = ones});
  zero::ParameterId b2 = vectors.add({.name = "b2", .shape = {1}, .unit = 1});
  zero::ParameterId w1 = matrices.add({.name = "w1", .shape = {hidden, 1}, .initial = second});
  zero::ParameterId w2 = matrices.add({.name = "w2", .shape = {1, hidden}, .unit = 1, .initial = first});

  static std::vector<float> spread(std::size_t seed) {
    std::vector<float> values(hidden);
    for (std::size_t i = 0; i < hidden; ++i) values[i] = std::sin(static_cast<float>(7 * (i + hidden * seed) + 1));
    return values;
  }
};

class Trainer {
 public:
  explicit Trainer(Communicator& world)
      : vectors_{world, model_.vectors, {.optimizer = {.weight_decay = 0.0}}},
        matrices_{world, model_.matrices, {.optimizer = {.momentum = 0.9}}},
        joint_{world, {vectors_.member("vectors"), matrices_.member("matrices")}, {.gradient_clipping = 1.0}} {}

  /// One step of one sample per rank; its loss.
  float step(float x, float target) {
    auto micro_batch = joint_.begin_micro_batch(stream_);
    float const loss = forward_backward(x, target);
    micro_batch.finish(stream_);
    auto const report = joint_.step({.lr = {{"vectors", 1e-2}, {"matrices", 1e-2}}}, stream_).get();
    if (report.skipped) std::printf("skipped for %s of %s\n", report.bad_parameter.c_str(), report.bad_engine.c_str());
    return loss;
  }

 private:
  using Row = std::array<float, hidden>;

  float forward_backward(float x, float target) {
    Row h;
    float y = 0.0F;
    {
      auto const small = vectors_.gather(std::array{model_.b1, model_.gain}, stream_);
      auto const large = matrices_.gather(model_.w1, stream_);
      for (std::size_t i = 0; i < hidden; ++i) h[i] = std::tanh(large[model_.w1][i] * x + small[model_.b1][i]);
    }
    auto const gains = vectors_.gather(model_.gain, stream_);
    auto const gain = gains[model_.gain];
    Row dh;
    float error = 0.0F;
    {
      auto const small = vectors_.gather(model_.b2, stream_);
      auto const large = matrices_.gather(model_.w2, stream_);
      auto const w2 = large[model_.w2];
      y = small[model_.b2][0];
      for (std::size_t i = 0; i < hidden; ++i) y += w2[i] * gain[i] * h[i];
      error = y - target;
      auto d_large = matrices_.gradients(model_.w2, stream_);
      auto d_small = vectors_.gradients(model_.b2, stream_);
      auto const dw2 = d_large[model_.w2];
      for (std::size_t i = 0; i < hidden; ++i) dw2[i] += error * gain[i] * h[i], dh[i] = error * w2[i];
      d_small[model_.b2][0] += error;
      d_large.ready(stream_), d_small.ready(stream_);
    }
    auto const large = matrices_.gather(model_.w1, stream_);  // the gathers of backward say which layers it has passed
    auto d_large = matrices_.gradients(model_.w1, stream_);
    auto d_small = vectors_.gradients(std::array{model_.b1, model_.gain}, stream_);
    auto const dw1 = d_large[model_.w1];
    auto const db1 = d_small[model_.b1], dgain = d_small[model_.gain];
    for (std::size_t i = 0; i < hidden; ++i) {
      float const inner = dh[i] * gain[i] * (1.0F - h[i] * h[i]);
      dgain[i] += dh[i] * h[i], db1[i] += inner, dw1[i] += inner * x;
    }
    d_large.ready(stream_), d_small.ready(stream_);
    return 0.5F * error * error;
  }

  Model model_;
  zero::HostStream stream_;
  Vectors vectors_;
  Matrices matrices_;
  zero::JointStep<zero::HostBackend, Communicator> joint_;  // ends before its members
};

void train(Communicator& world) {
  Trainer trainer(world);
  float mean = 0.0F;
  for (int step = 0; step < 2000; ++step) {
    float const x = std::sin(static_cast<float>(2 * step + world.rank())) * 2.0F;
    mean += 0.01F * (trainer.step(x, x * x) - mean);
  }
  if (world.rank() == 0) std::printf("loss of the last samples: %.6f\n", static_cast<double>(mean));
  if (!(mean < 0.02F)) throw std::runtime_error("the network should have learned x * x");
}

}  // namespace

int main() { zero::run_ranks(2, train); }
