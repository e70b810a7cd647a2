// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "engine/trainer.hpp"

#include <zero/communicators/simulation.hpp>

#include <string>
#include <utility>
#include <vector>

namespace simulation_test {

/// The trainer's own work as operations of simulated streams.
class OnStreams {
 public:
  template <class T>
  using Array = std::vector<T>;

  OnStreams(zero::SimulationCommunicator& communicator, int streams) : process_(communicator.process()) {
    for (int k = 0; k < streams; ++k) streams_.push_back(communicator.make_stream("compute " + std::to_string(k)));
  }

  template <class Config>
  void configure(Config& config, engine_test::Run const& /*run*/) {
    config.backend = {process_};
  }
  [[nodiscard]] zero::SimulationStream stream(std::size_t k) const { return streams_[k % streams_.size()]; }
  template <class F>
  void launch(zero::SimulationStream stream, char const* name, std::vector<engine_test::Touched> const& touched,
              std::size_t n, F f) {
    std::vector<zero::simulation::Access> accesses;
    accesses.reserve(touched.size());
    for (auto const& t : touched) {
      accesses.push_back(t.writes ? zero::simulation::writes(t.data, t.bytes)
                                  : zero::simulation::reads(t.data, t.bytes));
    }
    stream.launch(name, std::move(accesses), [n, f] {
      for (std::size_t i = 0; i < n; ++i) f(i);
    });
  }
  template <class T>
  void look_at(zero::SimulationStream stream, std::span<T const> values) {
    launch(stream, "forward", {engine_test::reads(values)}, 0, [](std::size_t) {});
  }
  template <class T>
  [[nodiscard]] std::vector<T> fetch(zero::SimulationStream stream, std::span<T const> values) {
    std::vector<T> fetched(values.size());
    launch(stream, "fetch", {engine_test::reads(values)}, values.size(),
           [=, to = fetched.data()](std::size_t i) { to[i] = values[i]; });
    stream.synchronize();
    return fetched;
  }

 private:
  zero::simulation::Process process_;
  std::vector<zero::SimulationStream> streams_;
};

}  // namespace simulation_test
