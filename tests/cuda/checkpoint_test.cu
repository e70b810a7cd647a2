// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "cuda/on_device.cuh"

#include <zero/checkpoint/load.hpp>
#include <zero/checkpoint/saver.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace cuda_checkpoint_test {

// What a GPU saves, another GPU and the host load.

namespace {

using Prec = zero::Precision<zero::FP16, zero::DynamicScale>;
template <zero::Stage S, class Backend, class Offload = zero::NoOffload>
using EngineOf =
    zero::Engine<zero::Partitioner<S>, zero::Optimizer<zero::AdamW, Offload>, Prec, Backend, zero::SelfCommunicator>;

std::vector<std::size_t> const sizes{700, 3000, 129};
std::string name_of(std::size_t p) { return "p" + std::to_string(p); }

zero::ParameterList parameters() {
  zero::ParameterList list;
  for (std::size_t p = 0; p < sizes.size(); ++p) (void)list.add({.name = name_of(p), .shape = {sizes[p]}});
  return list;
}

/// All values and states of an engine, in order.
template <class Engine>
std::vector<std::vector<float>> contents(Engine& engine) {
  std::vector<std::vector<float>> all;
  for (std::size_t p = 0; p < sizes.size(); ++p) {
    all.push_back(engine.read_parameter(name_of(p)));
    for (std::size_t k = 0; k < 2; ++k) all.push_back(engine.read_state(name_of(p), k));
  }
  return all;
}

template <class Engine>
void fill(Engine& engine) {
  for (std::size_t p = 0; p < sizes.size(); ++p) {
    std::vector<float> values(sizes[p]);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = reference::initial_value(p, i);
    engine.write_parameter(name_of(p), values);
    engine.write_state(name_of(p), 1, values);
  }
}

template <class Engine>
void check_loads(std::string const& folder, std::vector<std::vector<float>> const& expected) {
  zero::SelfCommunicator alone;
  Engine engine(alone, parameters());
  (void)zero::load_checkpoint(engine, folder);
  CHECK(contents(engine) == expected);
}

template <class Saved>
void check_saves(std::string const& folder) {
  std::filesystem::remove_all(folder);
  zero::SelfCommunicator alone;
  std::vector<std::vector<float>> expected;
  {
    zero::CheckpointSaver saver(folder);
    {
      Saved engine(alone, parameters());
      fill(engine);
      expected = contents(engine);
      saver.reserve(engine);
      (void)saver.start(engine, {.tag = "a"});
      CHECK(saver.finish()->tag == "a");
    }  // the snapshot's memory outlives the engine
  }
  check_loads<EngineOf<zero::Stage::none, zero::HostBackend>>(folder, expected);
  check_loads<EngineOf<zero::Stage::parameters, zero::CudaBackend>>(folder, expected);
  check_loads<EngineOf<zero::Stage::gradients, zero::CudaBackend, zero::CpuOffload>>(folder, expected);
  std::filesystem::remove_all(folder);
}

}  // namespace

TEST_CASE("cuda checkpoint: a background save of a GPU's engine is loaded by the host and by other stages") {
  auto const folder = (std::filesystem::temp_directory_path() / "zero-cuda-checkpoint").string();
  check_saves<EngineOf<zero::Stage::gradients, zero::CudaBackend>>(folder);
  check_saves<EngineOf<zero::Stage::optimizer_states, zero::CudaBackend, zero::CpuOffload>>(folder);
  check_saves<EngineOf<zero::Stage::none, zero::HostBackend>>(folder);
}

}  // namespace cuda_checkpoint_test
