// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Two buckets of offloaded sums are under way at once. Judged by logical time, which is a property of the graph of
// operations and the same in every order: what is ordered after something begins no earlier than that ends.

#include <zero/communicators/simulation.hpp>
#include <zero/engine.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace simulation_offload_overlap_test {

using zero::SimulationCommunicator;
using zero::SimulationOrder;
using zero::Stage;
using zero::TraceEvent;

namespace {

constexpr std::size_t bucket_elements = 1024, buckets = 5;

template <Stage S>
using EngineOf = zero::Engine<zero::Partitioner<S>, zero::Optimizer<zero::AdamW, zero::CpuOffload>,
                              zero::Precision<zero::FP32>, zero::SimulationBackend, SimulationCommunicator>;

// What rank 0 runs in a micro-batch in which all buckets are complete at once: only the reductions order themselves.
template <Stage S>
std::vector<TraceEvent> micro_batch(SimulationOrder order) {
  auto const seen = zero::simulate({.ranks = 2, .seed = 5, .order = order, .trace = true}, [](auto& communicator) {
    auto const stream = communicator.make_stream("compute");
    zero::ParameterList list;
    auto const id = list.add({.name = "p", .shape = {buckets * bucket_elements}});
    EngineOf<S> engine(communicator, list,
                       {.gradient_accumulation_steps = 2,
                        .reduce = zero::Reduce::each_micro_batch,
                        .bucket_elements = bucket_elements,
                        .offload = {.chunk_elements = 128},
                        .backend = {communicator.process()}});
    auto micro_batch = engine.begin_micro_batch(stream);
    auto gradients = engine.gradients(id, stream);
    auto const target = gradients.write(id);
    stream.launch("backward", {zero::simulation::writes(target.values)},
                  [target] { std::fill(target.values.begin(), target.values.end(), 0.5F); });
    gradients.ready(stream);
    micro_batch.finish(stream);
  });
  std::vector<TraceEvent> own;
  std::copy_if(seen.trace.begin(), seen.trace.end(), std::back_inserter(own),
               [](TraceEvent const& event) { return event.rank == 0; });
  std::stable_sort(own.begin(), own.end(), [](auto const& a, auto const& b) { return a.begin < b.begin; });
  return own;
}

std::vector<TraceEvent> named(std::vector<TraceEvent> const& trace, std::string_view name, std::string_view stream) {
  std::vector<TraceEvent> found;
  std::copy_if(trace.begin(), trace.end(), std::back_inserter(found),
               [&](TraceEvent const& event) { return event.name == name && event.stream == stream; });
  return found;
}

template <Stage S>
void check_overlap() {
  for (auto order : {SimulationOrder::earliest, SimulationOrder::latest, SimulationOrder::random}) {
    auto const trace = micro_batch<S>(order);
    auto const reductions = named(trace, "reduce_scatter_add of gradients", "communication");
    auto const copies = named(trace, "copy", "sums to host");  // of chunks, in the order of the buckets
    REQUIRE(reductions.size() == buckets);
    REQUIRE(copies.size() == buckets * (bucket_elements / 2 / 128));
    std::size_t const chunks = copies.size() / buckets;
    for (std::size_t b = 0; b + 1 < buckets; ++b) {
      CAPTURE(b);
      std::uint64_t const stored = copies[(b + 1) * chunks - 1].end;
      CHECK(reductions[b].end <= copies[b * chunks].begin);
      CHECK(reductions[b + 1].begin < stored);                        // in the other slot
      if (b + 2 < buckets) CHECK(reductions[b + 2].begin >= stored);  // in the same one
    }
  }
}

}  // namespace

TEST_CASE("offload overlap: a bucket is reduced while the one before it is stored, and the next but one is not") {
  check_overlap<Stage::optimizer_states>();
  check_overlap<Stage::gradients>();
}

}  // namespace simulation_offload_overlap_test
