// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What the checker finds of the collectives of NCCL.

#include "stand_in/device_values.hpp"
#include "stand_in/machine.hpp"
#include "stand_in/nccl_ranks.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

using stand_in::DeviceValues;
using zero::NcclCommunicator;
using zero::simulation::Access;
using zero::simulation::reads;
using zero::simulation::writes;

namespace {

constexpr std::size_t n = 32;
constexpr zero::CollectivePurpose purpose{"parameters"};

bool contains(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

/// Two streams, an event and buffers of a rank of two, in an order in which nothing runs before the host waits.
struct Rig {
  Rig() {
    for (auto& stream : streams) {
      zero::detail::check_cuda(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
    }
    zero::detail::check_cuda(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "cudaEventCreateWithFlags");
  }
  ~Rig() {
    for (auto* stream : streams) (void)cudaStreamSynchronize(stream), (void)cudaStreamDestroy(stream);
    (void)cudaEventDestroy(event);
  }
  Rig(Rig const&) = delete;
  Rig& operator=(Rig const&) = delete;

  void gather(NcclCommunicator& c, float* from) const { c.all_gather(from, full.data(), n, purpose, stream(0)); }
  [[nodiscard]] zero::CudaStream stream(std::size_t k) const { return zero::CudaStream(streams[k]); }
  void order() const {
    zero::detail::check_cuda(cudaEventRecord(event, streams[0]), "cudaEventRecord");
    zero::detail::check_cuda(cudaStreamWaitEvent(streams[1], event, 0), "cudaStreamWaitEvent");
  }
  void touch(std::size_t k, Access access) const {
    zero::detail::check_cuda(stand_in::launch(streams[k], "touch", {access}, [] {}), "touch");
  }

  DeviceValues<float> own{std::vector<float>(n)}, full{std::vector<float>(2 * n)};
  cudaStream_t streams[2]{};
  cudaEvent_t event = nullptr;
};

/// What is found where two ranks do `f(communicator, rig)`; none of them may fail by anything else.
template <class F>
std::string found_on_two(F const& f) {
  stand_in::start({.order = zero::SimulationOrder::latest, .devices = 2});
  auto const ends = stand_in::on_nccl_ranks(2, {}, [&](NcclCommunicator& c) {
    Rig const rig;
    f(c, rig);
  });
  auto const found = stand_in::found();
  for (auto const& end : ends) CHECK((!end.thrown || !found.empty()));
  return found;
}

}  // namespace

TEST_CASE("nccl races: a buffer that is overwritten, or a result that is read, before the collective is done") {
  for (bool overwrites : {true, false}) {
    for (bool ordered : {true, false}) {
      auto const found = found_on_two([&](NcclCommunicator& c, Rig const& rig) {
        rig.gather(c, rig.own.data());
        if (ordered) rig.order();
        rig.touch(1, overwrites ? writes(rig.own.span()) : reads(rig.full.span()));
      });
      CHECK(found.empty() == ordered);
      if (!ordered) CHECK((contains(found, "'touch'") && contains(found, "'all-gather'")));
    }
  }
}

TEST_CASE("nccl races: one rank's part of a collective ends after the beginning of another one's, not before") {
  for (bool ordered : {true, false}) {
    void* shared = nullptr;  // pinned memory, which both reach
    auto const found = found_on_two([&](NcclCommunicator& c, Rig const& rig) {
      if (c.rank() == 0) {
        zero::detail::check_cuda(cudaHostAlloc(&shared, n, cudaHostAllocPortable), "cudaHostAlloc");
        rig.touch(0, writes(shared, n));
      }
      c.exchange({}, {});
      if (c.rank() == 1 && !ordered) rig.touch(0, reads(shared, n));
      rig.gather(c, rig.own.data());
      if (c.rank() == 1 && ordered) rig.touch(0, reads(shared, n));
    });
    CHECK(found.empty() == ordered);
  }
}

TEST_CASE("nccl races: a collective that receives into what it sends, but not one in place") {
  auto const in_place = [](NcclCommunicator& c, Rig const& rig) {
    rig.gather(c, rig.full.data() + static_cast<std::size_t>(c.rank()) * n);
  };
  auto const beside = [](NcclCommunicator& c, Rig const& rig) {
    rig.gather(c, rig.full.data() + static_cast<std::size_t>(1 - c.rank()) * n);
  };
  CHECK(found_on_two(in_place).empty());
  CHECK(contains(found_on_two(beside), "receives into what it sends"));
}

TEST_CASE("nccl races: ranks that call different collectives are told so") {
  auto const found = found_on_two([](NcclCommunicator& c, Rig const& rig) {
    auto const count = n - static_cast<std::size_t>(c.rank());
    c.all_gather(rig.own.data(), rig.full.data(), count, purpose, rig.stream(0));
  });
  CHECK(contains(found, "ranks called different collectives"));
}

TEST_CASE("nccl races: an event that is recorded before NCCL has put the collective on its way stands for nothing") {
  for (bool asks : {true, false}) {
    stand_in::start();
    Rig const rig;
    ncclUniqueId id{};
    ncclConfig_t settings = NCCL_CONFIG_INITIALIZER;
    settings.blocking = 0;
    ncclComm_t communicator = nullptr;
    auto const await = [&] {
      auto state = ncclInProgress;
      while (state == ncclInProgress) REQUIRE(ncclCommGetAsyncError(communicator, &state) == ncclSuccess);
    };
    CHECK(ncclCommInitRankConfig(&communicator, 1, id, 0, &settings) == ncclInProgress);
    await();
    CHECK(ncclAllGather(rig.own.data(), rig.full.data(), n, ncclFloat32, communicator, rig.streams[0]) ==
          ncclInProgress);
    if (asks) await();
    (void)cudaEventRecord(rig.event, rig.streams[0]);
    CHECK(stand_in::found().empty() == asks);
    (void)ncclCommAbort(communicator);
  }
}
