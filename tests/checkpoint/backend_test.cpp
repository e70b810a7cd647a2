// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// From one backend to another: what copies on streams that are waited for saves and loads as what copies at once.

#include "checkpoint/calls.hpp"
#include "checkpoint/memory_file_system.hpp"

#include <zero/backends/simulation.hpp>
#include <zero/communicators/simulation.hpp>
#include <zero/communicators/thread.hpp>
#include <zero/engine.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <vector>

namespace checkpoint_backend_test {

using checkpoint_test::MemoryFileSystem;

namespace {

template <zero::Stage S, class Backend, class Communicator>
using Engine = zero::Engine<zero::Partitioner<S>, zero::Optimizer<zero::AdamW>, zero::Precision<zero::BF16>, Backend,
                            Communicator>;
using Host = Engine<zero::Stage::gradients, zero::HostBackend, zero::ThreadCommunicator>;
using Simulated = Engine<zero::Stage::parameters, zero::SimulationBackend, zero::SimulationCommunicator>;

zero::ParameterList model() {
  zero::ParameterList list;
  (void)list.add({.name = "a", .shape = {40, 33}, .unit = 0});
  (void)list.add({.name = "b", .shape = {7}, .unit = 1});
  (void)list.add({.name = "c", .shape = {300}, .unit = 1, .frozen = true});
  return list;
}

/// Value i of what is called \p name, exact in bf16.
float value(std::string const& name, std::size_t kind, std::size_t i) {
  return static_cast<float>((i * 7 + kind * 31 + static_cast<std::size_t>(name[0])) % 256);
}

/// Calls `f(name, kind, count)` for every parameter, and for every state of those that have some.
template <class F>
void for_all(F&& f) {
  auto const list = model();
  for (auto const& spec : list.specs()) {
    for (std::size_t kind = 0; kind < (spec.frozen ? 1U : 3U); ++kind) {
      f(spec.name, kind, zero::ParameterList::element_count(spec.shape));
    }
  }
}

template <class E>
void fill(E& engine) {
  for_all([&](std::string const& name, std::size_t kind, std::size_t count) {
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = value(name, kind, i);
    kind == 0 ? engine.write_parameter(name, values) : engine.write_state(name, kind - 1, values);
  });
}

template <class E>
void check(E& engine) {
  for_all([&](std::string const& name, std::size_t kind, std::size_t count) {
    auto const values = kind == 0 ? engine.read_parameter(name) : engine.read_state(name, kind - 1);
    REQUIRE(values.size() == count);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < count; ++i) wrong += values[i] == value(name, kind, i) ? 0 : 1;
    CAPTURE(name);
    CAPTURE(kind);
    CHECK(wrong == 0);
  });
}

template <class F>
void on_host(F&& f) {
  zero::run_ranks(3, [&](zero::ThreadCommunicator& ranks) {
    Host engine{ranks, model(), {.bucket_elements = 512}};
    f(engine);
  });
}

template <class F>
void simulated(F&& f) {
  (void)zero::simulate({.ranks = 2, .seed = 5}, [&](zero::SimulationCommunicator& rank) {
    Simulated engine{rank, model(), {.bucket_elements = 256, .backend = {rank.process()}}};
    f(engine);
  });
}

}  // namespace

TEST_CASE("backend: what one backend has saved another loads, on another number of ranks and in another stage") {
  MemoryFileSystem memory;
  zero::CheckpointFolder const folder(memory, "/run");
  auto const save = [&](std::string const& tag) {
    return [&folder, tag](auto& engine) {
      fill(engine);
      (void)checkpoint_test::save_checkpoint(*engine.state(), folder, {.tag = tag, .chunk = 512});
    };
  };
  auto const load = [&](std::string const& tag) {
    return [&folder, tag](auto& engine) {
      CHECK(checkpoint_test::load_checkpoint(*engine.state(), folder, {.tag = tag}).parameters == 3);
      check(engine);
    };
  };
  on_host(save("host"));
  simulated(load("host"));
  simulated(save("simulated"));
  on_host(load("simulated"));
}

}  // namespace checkpoint_backend_test
