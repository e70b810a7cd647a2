// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What the loop of the README leaves to its reader.
#include <zero/engine.hpp>

#include <cstddef>
#include <ranges>
#include <span>
#include <string>
#include <vector>

struct Layer {
  std::string name;
  std::size_t in = 1, out = 1;
  int number = 0;
  zero::ParameterId weight{};
  void forward(std::span<zero::float16 const> weights);
  void backward(std::span<zero::float16 const> weights, std::span<zero::float16> gradients, float loss_scale);
};
struct Model {
  std::vector<Layer> layers;
};
constexpr auto reversed = std::views::reverse;
double schedule(int step);
void log(std::string const& line);

void train(zero::ThreadCommunicator& communicator, Model& model, zero::HostStream stream, int steps,
           std::string const& name, std::vector<float> const& initial_values) {
  // block
}
