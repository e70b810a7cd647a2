// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bugs that other systems had, or were reported to have, as small schedules of our own. Each has its cure beside it,
// which must be silent. What is modelled is the order of operations that the source describes, not its code.

#include "simulation/scripts.hpp"

#include <zero/communicators/simulation.hpp>

#include <doctest/doctest.h>

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace simulation_known_bugs_test {

using simulation_test::clean;
using simulation_test::failure_of;
using simulation_test::race_of;
using zero::simulation::reads;
using zero::simulation::writes;
using Rank = zero::SimulationCommunicator;

namespace {

/// A backend and two streams, as most of these systems use them.
struct Device {
  explicit Device(Rank& rank)
      : backend({rank.process()}, 1), compute(rank.make_stream("compute")), communication(rank.make_stream("nccl")) {}
  // The buffers of a script end with it.
  void finish() {
    compute.synchronize();
    communication.synchronize();
  }

  // `later` goes on when `earlier` has come so far.
  void order(zero::SimulationStream earlier, zero::SimulationStream later) {
    backend.record(event, earlier);
    backend.wait(later, event);
  }

  zero::SimulationBackend backend;
  zero::SimulationStream compute, communication;
  zero::SimulationEvent event;
};

bool contains(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("known bug: shards are gathered on one stream while another still updates them") {
  // llm.c, zero.cuh and train_gpt2.cu since commit ecca976 (June 2024): AdamW runs on the main stream, ncclAllGather of
  // the same memory on the NCCL stream, and no event lies between.
  auto const script = [](bool cured) {
    return [=](Rank& rank) {
      std::vector<float> shard(4), parameters(8);
      Device device(rank);
      device.compute.launch("adamw", {writes(std::span(shard))}, [] {});
      if (cured) device.order(device.compute, device.communication);
      rank.all_gather(shard.data(), parameters.data(), 4, {"parameters"}, device.communication);
      device.finish();
    };
  };
  CHECK(contains(race_of(script(false), 2), "'adamw'"));
  CHECK(clean(script(true), 2));
}

TEST_CASE("known bug: a copy to the device reads stack memory that the host is using again") {
  // LLMQ, commits 67b60f4 and d98ebf5: asynchronous copies from a local variable that had gone out of scope.
  auto const script = [](bool cured) {
    return [=](Rank& rank) {
      std::vector<float> scale(1);
      Device device(rank);
      float local = 3.0F;
      device.backend.copy(scale.data(), &local, sizeof local, device.compute);
      if (cured) device.backend.synchronize(device.compute);
      device.backend.host_writes(&local, sizeof local);
      device.finish();
    };
  };
  CHECK(contains(race_of(script(false)), "the host"));
  CHECK(clean(script(true)));
}

TEST_CASE("known bug: a gradient is reduced before the stream that produced it has written it") {
  // DeepSpeed #5545, #7188 and #8061: the reduction stream did not wait for the stream of backward; NaN.
  auto const script = [](bool cured) {
    return [=](Rank& rank) {
      std::vector<float> bucket(8), sum(4);
      Device device(rank);
      device.compute.launch("backward", {writes(std::span(bucket))}, [] {});
      if (cured) device.order(device.compute, device.communication);
      rank.reduce_scatter_add(bucket.data(), sum.data(), 4, {}, {"gradients", 0}, device.communication);
      device.finish();
    };
  };
  CHECK(contains(race_of(script(false), 2), "reduce_scatter_add of gradients, bucket 0"));
  CHECK(clean(script(true), 2));
}

TEST_CASE("known bug: a double buffer is filled again while its last bucket is still under way") {
  // PyTorch #140044 and #180889 (HSDP): one layer's gradients alias another's in a buffer that is used again.
  auto const script = [](bool cured) {
    return [=](Rank& rank) {
      std::array<std::vector<float>, 2> buffers{std::vector<float>(8), std::vector<float>(8)};
      std::vector<float> sums(12);
      Device device(rank);
      std::array<zero::SimulationEvent, 2> reduced;
      for (std::size_t layer = 0; layer < 3; ++layer) {
        auto& buffer = buffers[layer % 2];
        if (cured) device.backend.wait(device.compute, reduced[layer % 2]);
        device.compute.launch("backward", {writes(std::span(buffer))}, [] {});
        device.order(device.compute, device.communication);
        rank.reduce_scatter_add(buffer.data(), sums.data() + 4 * layer, 4, {}, {"gradients", layer},
                                device.communication);
        device.backend.record(reduced[layer % 2], device.communication);
      }
      device.finish();
    };
  };
  CHECK(contains(race_of(script(false), 2), "bucket 0"));
  CHECK(clean(script(true), 2));
}

TEST_CASE("known bug: an offloaded gradient is read by the host before its copy has arrived") {
  // PyTorch #180665 (HSDP with CPU offload): 30 to 60 % of backward passes were corrupt.
  auto const script = [](bool cured) {
    return [=](Rank& rank) {
      std::vector<float> gradient(4), pinned(4);
      Device device(rank);
      device.compute.launch("reduce", {writes(std::span(gradient))}, [] {});
      device.backend.copy(pinned.data(), gradient.data(), 16, device.compute);
      device.backend.record(device.event, device.compute);
      if (cured) device.event.synchronize();
      device.backend.host_reads(pinned.data(), 16);
      device.finish();
    };
  };
  CHECK(contains(race_of(script(false)), "the host reads what 'copy'"));
  CHECK(clean(script(true)));
}

TEST_CASE("known bug: memory that was allocated for one stream is given back while another uses it") {
  // Megatron-LM #6187 (main_grad allocated on the wrong stream); fairscale #636 and #780.
  auto const script = [](bool cured) {
    return [=](Rank& rank) {
      Device device(rank);
      zero::MemoryReport books;
      std::optional<zero::detail::Buffer<float, zero::SimulationBackend>> gradient;
      gradient.emplace(device.backend, books, zero::MemoryKind::device, zero::MemoryPurpose::gradients, 16U);
      device.compute.launch("backward", {writes(gradient->span())}, [] {});
      device.order(device.compute, device.communication);
      device.communication.launch("accumulate", {reads(gradient->span())}, [] {});
      (cured ? device.communication : device.compute).synchronize();
      gradient.reset();
      device.finish();
    };
  };
  CHECK(contains(race_of(script(false)), "'accumulate'"));
  CHECK(clean(script(true)));
}

TEST_CASE("known bug: gradients travel before they are scaled") {
  // Megatron-LM #3670: the reduce-scatter was launched before the scaling that it should have followed.
  auto const script = [](bool cured) {
    return [=](Rank& rank) {
      std::vector<float> bucket(8), sum(4);
      Device device(rank);
      device.compute.launch("backward", {writes(std::span(bucket))}, [] {});
      if (!cured) device.order(device.compute, device.communication);
      device.compute.launch("scale", {writes(std::span(bucket))}, [] {});
      if (cured) device.order(device.compute, device.communication);
      rank.reduce_scatter_add(bucket.data(), sum.data(), 4, {}, {"gradients", 0}, device.communication);
      device.finish();
    };
  };
  CHECK(contains(race_of(script(false), 2), "'scale'"));
  CHECK(clean(script(true), 2));
}

TEST_CASE("known bug: forward reads weights that the gather after the last update has not brought yet") {
  // Megatron-LM #950: overlapped parameter gathers; forward started on stale weights.
  auto const script = [](bool cured) {
    return [=](Rank& rank) {
      std::vector<float> shard(4), weights(8);
      Device device(rank);
      rank.all_gather(shard.data(), weights.data(), 4, {"parameters", 1}, device.communication);
      if (cured) device.order(device.communication, device.compute);
      device.compute.launch("forward", {reads(std::span(weights))}, [] {});
      device.finish();
    };
  };
  CHECK(contains(race_of(script(false), 2), "'forward'"));
  CHECK(clean(script(true), 2));
}

TEST_CASE("known bug: an event is recorded again before everybody has waited for it") {
  // The pattern behind llm.c's revert of its streams, commit 8eb3a43: one event serves several orders, and a wait that
  // is put too late means another record than the one that was meant.
  auto const script = [](bool cured) {
    return [=](Rank& rank) {
      std::vector<float> first(4), second(4);
      Device device(rank);
      auto const loader = rank.make_stream("loader");
      zero::SimulationEvent other;
      loader.launch("load first", {writes(std::span(first))}, [] {});
      device.backend.record(device.event, loader);
      device.communication.launch("load second", {writes(std::span(second))}, [] {});
      device.backend.record(cured ? other : device.event, device.communication);
      device.backend.wait(device.compute, device.event);
      device.compute.launch("use first", {reads(std::span(first))}, [] {});
      loader.synchronize();
      device.finish();
    };
  };
  CHECK(contains(race_of(script(false)), "'load first'"));
  CHECK(clean(script(true)));
}

TEST_CASE("known bug: ranks reduce their buckets in different orders") {
  // Megatron-LM #2252 (iteration over a set: a hang); DeepSpeed #2343 (wrong gradients).
  auto const script = [](bool cured) {
    return [=](Rank& rank) {
      std::vector<float> buckets(16), sums(8);
      Device device(rank);
      for (std::size_t k = 0; k < 2; ++k) {
        std::size_t const b = !cured && rank.rank() == 1 ? 1 - k : k;
        rank.reduce_scatter_add(buckets.data() + 8 * b, sums.data() + 4 * b, 4, {}, {"gradients", b},
                                device.communication);
      }
      device.finish();
    };
  };
  auto const message = failure_of<zero::CommunicationError>(script(false), 2);
  CHECK(contains(message, "bucket 0"));
  CHECK(contains(message, "bucket 1"));
  CHECK(clean(script(true), 2));
}

TEST_CASE("known bug: one rank's all-reduce meets another rank's gather") {
  // PyTorch #72843: collectives of different kinds were paired, and gave wrong results without an error.
  auto const script = [](bool cured) {
    return [=](Rank& rank) {
      std::vector<std::uint64_t> words(2), all(4);
      Device device(rank);
      if (cured || rank.rank() == 0) {
        rank.all_reduce(words.data(), 2, {"norm"}, device.communication);
      } else {
        rank.all_gather(words.data(), all.data(), 2, {"norm"}, device.communication);
      }
      device.finish();
    };
  };
  CHECK(contains(failure_of<zero::CommunicationError>(script(false), 2), "ranks called different collectives"));
  CHECK(clean(script(true), 2));
}

TEST_CASE("known bug: a collective counts bytes where elements were meant, beyond the end of a buffer") {
  // llm.c, zero.cuh and train_gpt2.cu: sizeof(float) as the count of a buffer of one float. The access that results
  // meets its neighbour's.
  auto const script = [](bool cured) {
    return [=](Rank& rank) {
      std::array<float, 8> memory{};
      Device device(rank);
      device.compute.launch("loss of the next batch", {writes(std::span(memory).subspan(1, 1))}, [] {});
      std::size_t const count = cured ? 1 : sizeof(float);
      std::vector<float> all(2 * count);
      rank.all_gather(memory.data(), all.data(), count, {"loss"}, device.communication);
      device.finish();
    };
  };
  CHECK(contains(race_of(script(false), 2), "'loss of the next batch'"));
  CHECK(clean(script(true), 2));
}

TEST_CASE("known bug: a rank that takes another branch leaves the others waiting for ever") {
  // DeepSpeed #7998, #8262 and #7461: control flow that differs between ranks ends in a hang.
  auto const script = [](bool cured) {
    return [=](Rank& rank) {
      std::uint64_t word = 0;
      Device device(rank);
      if (cured || rank.rank() != 2) rank.all_reduce(&word, 1, {"overflow"}, device.communication);
      device.finish();
    };
  };
  CHECK(contains(failure_of<zero::DeadlockError>(script(false), 3), "rank 2 never comes"));
  CHECK(clean(script(true), 3));
}

TEST_CASE("known bug: two communicators are used in different orders on two ranks") {
  // NCCL #564, #829 and #1013 are of this family: two communicators, each waiting for the other.
  auto const script = [](bool cured) {
    return [=](Rank& rank) {
      auto other = rank.duplicate();
      std::uint64_t word = 0;
      Device device(rank);
      bool const turned = !cured && rank.rank() == 1;
      (turned ? other : rank).all_reduce(&word, 1, {"one"}, device.communication);
      (turned ? rank : other).all_reduce(&word, 1, {"one"}, device.communication);
      device.finish();
    };
  };
  CHECK(contains(failure_of<zero::DeadlockError>(script(false), 2), "again"));
  CHECK(clean(script(true), 2));
}

}  // namespace simulation_known_bugs_test
