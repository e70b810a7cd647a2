// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What the checker finds of the collectives of NCCL.

#include "fake_cuda/device_values.hpp"
#include "fake_cuda/machine.hpp"
#include "fake_cuda/nccl_ranks.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace fake_cuda_nccl_races_test {

using fake_cuda::DeviceValues;
using zero::NcclCommunicator;
using zero::simulation::Access;
using zero::simulation::reads;
using zero::simulation::writes;

namespace {

constexpr std::size_t n = 32;
constexpr zero::CollectivePurpose purpose{"parameters"};

bool contains(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

/// Two streams, an event and buffers of a rank of two, in an order in which nothing runs before the host waits.
struct Fixture {
  Fixture() {
    for (auto& stream : streams) {
      zero::check_cuda(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
    }
    zero::check_cuda(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "cudaEventCreateWithFlags");
  }
  ~Fixture() {
    for (auto* stream : streams) (void)cudaStreamSynchronize(stream), (void)cudaStreamDestroy(stream);
    (void)cudaEventDestroy(event);
  }
  Fixture(Fixture const&) = delete;
  Fixture& operator=(Fixture const&) = delete;

  void gather(NcclCommunicator& c, float* from) const { c.all_gather(from, full.data(), n, purpose, stream(0)); }
  [[nodiscard]] zero::CudaStream stream(std::size_t k) const { return zero::CudaStream(streams[k]); }
  void order() const {
    zero::check_cuda(cudaEventRecord(event, streams[0]), "cudaEventRecord");
    zero::check_cuda(cudaStreamWaitEvent(streams[1], event, 0), "cudaStreamWaitEvent");
  }
  void touch(std::size_t k, Access access) const {
    zero::check_cuda(fake_cuda::launch(streams[k], "touch", {access}, [] {}), "touch");
  }

  DeviceValues<float> own{std::vector<float>(n)}, full{std::vector<float>(2 * n)};
  cudaStream_t streams[2]{};
  cudaEvent_t event = nullptr;
};

/// NCCL's own communicator of one rank, whose calls go on when they have returned.
class OneRank {
 public:
  OneRank() {
    ncclUniqueId id{};
    ncclConfig_t settings = NCCL_CONFIG_INITIALIZER;
    settings.blocking = 0;
    CHECK(ncclCommInitRankConfig(&communicator_, 1, id, 0, &settings) == ncclInProgress);
    await();
  }
  ~OneRank() { (void)ncclCommAbort(communicator_); }
  OneRank(OneRank const&) = delete;
  OneRank& operator=(OneRank const&) = delete;

  ncclResult_t gather(float const* from, Fixture const& fixture) const {
    return ncclAllGather(from, fixture.full.data(), n, ncclFloat32, communicator_, fixture.streams[0]);
  }
  void await() const {
    auto state = ncclInProgress;
    while (state == ncclInProgress) REQUIRE(ncclCommGetAsyncError(communicator_, &state) == ncclSuccess);
  }

 private:
  ncclComm_t communicator_ = nullptr;
};

/// What is found where two ranks do `f(communicator, fixture)`; none of them may fail by anything else.
template <class F>
std::string found_on_two(F const& f) {
  fake_cuda::start({.order = zero::SimulationOrder::latest, .devices = 2});
  auto const ends = fake_cuda::on_nccl_ranks(2, {}, [&](NcclCommunicator& c) {
    Fixture const fixture;
    f(c, fixture);
  });
  auto found = fake_cuda::violations();
  for (auto const& end : ends) CHECK((!end.thrown || !found.empty()));
  return found;
}

}  // namespace

TEST_CASE("nccl races: a buffer that is overwritten, or a result that is read, before the collective is done") {
  for (bool overwrites : {true, false}) {
    for (bool ordered : {true, false}) {
      auto const found = found_on_two([&](NcclCommunicator& c, Fixture const& fixture) {
        fixture.gather(c, fixture.own.data());
        if (ordered) fixture.order();
        fixture.touch(1, overwrites ? writes(fixture.own.span()) : reads(fixture.full.span()));
      });
      CHECK(found.empty() == ordered);
      if (!ordered) CHECK((contains(found, "'touch'") && contains(found, "'all-gather'")));
    }
  }
}

TEST_CASE("nccl races: one rank's part of a collective ends after the beginning of another one's, not before") {
  for (bool ordered : {true, false}) {
    void* shared = nullptr;  // pinned memory, which both reach
    auto const found = found_on_two([&](NcclCommunicator& c, Fixture const& fixture) {
      if (c.rank() == 0) {
        zero::check_cuda(cudaHostAlloc(&shared, n, cudaHostAllocPortable), "cudaHostAlloc");
        fixture.touch(0, writes(shared, n));
      }
      c.exchange({}, {});
      if (c.rank() == 1 && !ordered) fixture.touch(0, reads(shared, n));
      fixture.gather(c, fixture.own.data());
      if (c.rank() == 1 && ordered) fixture.touch(0, reads(shared, n));
    });
    CHECK(found.empty() == ordered);
  }
}

TEST_CASE("nccl races: a message is in use until its stream has passed it, and orders nothing on its sender") {
  auto const found_of = [](int rank, bool ordered) {
    return found_on_two([=](NcclCommunicator& c, Fixture const& fixture) {
      c.rank() == 0 ? c.send(fixture.own.data(), n, 1, purpose, fixture.stream(0))
                    : c.receive(fixture.own.data(), n, 0, purpose, fixture.stream(0));
      if (ordered) fixture.order();
      if (c.rank() == rank) fixture.touch(1, writes(fixture.own.data(), n * sizeof(float)));
    });
  };
  for (int rank : {0, 1}) {
    CHECK(contains(found_of(rank, false), "'touch'"));
    CHECK(found_of(rank, true).empty());
  }
  // Rank 0 writes, and sends on another stream when rank 1 has come to receive: which says nothing to rank 0.
  auto const found = found_on_two([](NcclCommunicator& c, Fixture const& fixture) {
    if (c.rank() == 0) {
      fixture.touch(0, writes(fixture.own.data(), n * sizeof(float)));
      c.receive(fixture.full.data(), n, 1, purpose, fixture.stream(0));
      c.send(fixture.full.data() + n, n, 1, purpose, fixture.stream(1));
      fixture.touch(1, writes(fixture.own.data(), n * sizeof(float)));
    } else {
      c.send(fixture.full.data(), n, 0, purpose, fixture.stream(0));
      c.receive(fixture.own.data(), n, 0, purpose, fixture.stream(0));
    }
  });
  CHECK(contains(found, "'touch'"));
}

TEST_CASE("nccl races: a collective that receives into what it sends, but not one in place") {
  auto const in_place = [](NcclCommunicator& c, Fixture const& fixture) {
    fixture.gather(c, fixture.full.data() + static_cast<std::size_t>(c.rank()) * n);
  };
  CHECK(found_on_two(in_place).empty());
  fake_cuda::start();  // the library's communicator refuses the other one
  Fixture const fixture;
  OneRank const rank;
  CHECK(rank.gather(fixture.full.data() + n / 2, fixture) == ncclInternalError);
  CHECK(contains(fake_cuda::violations(), "receives into what it sends"));
}

TEST_CASE("nccl races: ranks that call different collectives are told so") {
  auto const found = found_on_two([](NcclCommunicator& c, Fixture const& fixture) {
    auto const count = n - static_cast<std::size_t>(c.rank());
    c.all_gather(fixture.own.data(), fixture.full.data(), count, purpose, fixture.stream(0));
  });
  CHECK(contains(found, "ranks called different collectives"));
}

TEST_CASE("nccl races: an event that is recorded before NCCL has put the collective on its way stands for nothing") {
  for (bool asks : {true, false}) {
    fake_cuda::start();
    Fixture const fixture;
    OneRank const rank;
    CHECK(rank.gather(fixture.own.data(), fixture) == ncclInProgress);
    if (asks) rank.await();
    (void)cudaEventRecord(fixture.event, fixture.streams[0]);
    CHECK(fake_cuda::violations().empty() == asks);
  }
}

}  // namespace fake_cuda_nccl_races_test
