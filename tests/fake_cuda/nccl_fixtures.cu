// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fake_cuda/nccl_fixtures.hpp"

#include "fake_cuda/device_values.hpp"
#include "fake_cuda/host_kernels.cuh"
#include "fake_cuda/small_training.cuh"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace fake_cuda {
namespace {

using zero::NcclCommunicator;

/// Of the current device.
class RankStream {
 public:
  RankStream() { zero::check_cuda(cudaStreamCreateWithFlags(&handle_, cudaStreamNonBlocking), "a stream"); }
  RankStream(RankStream const&) = delete;
  RankStream& operator=(RankStream const&) = delete;
  ~RankStream() {
    (void)cudaStreamSynchronize(handle_);
    (void)cudaStreamDestroy(handle_);
  }
  [[nodiscard]] zero::CudaStream get() const { return zero::CudaStream(handle_); }

 private:
  cudaStream_t handle_ = nullptr;
};

// One more collective, for the watchdog to ask about, until something has failed.
void await_failure(NcclCommunicator& communicator) {
  DeviceValues<std::uint64_t> const words({1});
  RankStream const stream;
  communicator.all_reduce(words.data(), 1, {"norm"}, stream.get());
  zero::detail::Deadline const patience(std::chrono::seconds(30));
  while (!patience.passed()) {
    communicator.check();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

// Where all have come so far, all know it; where one has failed, none does.
void take_leave(NcclCommunicator& communicator, NcclSettings const& settings, NcclRank& rank) {
  if (settings.awaits_failure) await_failure(communicator);
  communicator.exchange({}, {});
  rank.calls = calls_so_far();
}

std::vector<NcclRank> with_ends(std::vector<NcclRank> ranks, std::vector<RankEnd> const& ends) {
  for (std::size_t r = 0; r < ranks.size(); ++r) ranks[r].end = ends[r];
  return ranks;
}

template <zero::Stage S, class Offload>
void train_rank(NcclCommunicator& communicator, Small const& small, NcclSettings const& settings, NcclRank& rank) {
  std::size_t const before = live_handles().streams;
  SmallTraining<EngineOf<S, Offload, NcclCommunicator>, NcclCommunicator> training(communicator, small);
  rank.streams = live_handles().streams - before;
  training.train(rank.seen);
  take_leave(communicator, settings, rank);
}

template <zero::Stage S>
void train_rank_at(NcclCommunicator& communicator, Small const& small, NcclSettings const& settings, NcclRank& rank) {
  return small.offload ? train_rank<S, zero::CpuOffload>(communicator, small, settings, rank)
                       : train_rank<S, zero::NoOffload>(communicator, small, settings, rank);
}

void use(NcclCommunicator& communicator, NcclSettings const& settings, NcclRank& rank) {
  constexpr std::size_t n = 64;
  DeviceValues<float> const send(std::vector<float>(n * static_cast<std::size_t>(communicator.size()), 1.0F));
  DeviceValues<float> const into{std::vector<float>(n)};
  DeviceValues<std::uint64_t> const words({1});
  RankStream const stream;
  auto const registered = communicator.register_buffer(send.data(), send.span().size_bytes());
  communicator.reduce_scatter_add(send.data(), into.data(), n, {}, {"gradients"}, stream.get());
  auto group = communicator.split(0, -communicator.rank());
  group->all_reduce(words.data(), 1, {"norm"}, stream.get());
  communicator.all_gather(into.data(), send.data(), n, {"parameters"}, stream.get());
  zero::check_cuda(cudaStreamSynchronize(stream.get().handle()), "cudaStreamSynchronize");
  communicator.check();
  group->check();
  take_leave(communicator, settings, rank);
}

}  // namespace

std::vector<NcclRank> train_small_over_nccl(Small const& small, NcclSettings const& settings) {
  [[maybe_unused]] static bool const added = [] {
    add_host_kernels<zero::AdamW, zero::DynamicScale, zero::float16, float>();
    return true;
  }();
  std::vector<NcclRank> ranks(static_cast<std::size_t>(small.world));
  std::atomic<int> mismatched{0};
  NcclCommunicator::Config const config{
      .register_buffers = small.registers, .deadline = settings.deadline, .meeting_deadline = settings.deadline};
  auto const ends = on_nccl_ranks(small.world, config, [&](NcclCommunicator& communicator) {
    auto& rank = ranks[static_cast<std::size_t>(communicator.rank())];
    try {
      if (small.stage == zero::Stage::parameters) {
        train_rank_at<zero::Stage::parameters>(communicator, small, settings, rank);
      } else {
        train_rank_at<zero::Stage::gradients>(communicator, small, settings, rank);
      }
    } catch (zero::MismatchError const&) {
      // Every rank's error: a slow one is to be told before it sees that another rank has gone.
      ++mismatched;
      for (int ms = 0; mismatched < small.world && ms < 60'000; ++ms)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      throw;
    }
  });
  return with_ends(std::move(ranks), ends);
}

std::vector<NcclRank> use_communicators(int world, NcclSettings const& settings) {
  std::vector<NcclRank> ranks(static_cast<std::size_t>(world));
  auto const ends = on_nccl_ranks(world, {.deadline = settings.deadline, .meeting_deadline = settings.deadline},
                                  [&](NcclCommunicator& communicator) {
                                    use(communicator, settings, ranks[static_cast<std::size_t>(communicator.rank())]);
                                  });
  return with_ends(std::move(ranks), ends);
}

std::vector<NcclRank> use_communicators_without_rendezvous(int world, NcclSettings const& settings) {
  ncclUniqueId id{};
  (void)ncclGetUniqueId(&id);
  std::vector<NcclRank> ranks(static_cast<std::size_t>(world));
  auto const ends = on_rank_threads(world, [&](int rank) {
    NcclCommunicator communicator(id, rank, world, world, {.device = rank, .deadline = settings.deadline});
    for (std::byte mine : {std::byte{5}, std::byte{6}}) {
      std::vector<std::byte> all(static_cast<std::size_t>(world));
      communicator.exchange(std::span(&mine, 1), all);
      if (all != std::vector<std::byte>(all.size(), mine)) throw std::logic_error("bytes that nobody has sent");
    }
    ranks[static_cast<std::size_t>(rank)].calls = calls_so_far();
  });
  return with_ends(std::move(ranks), ends);
}

Seen first_of(std::vector<NcclRank> ranks) {
  for (auto const& rank : ranks) {
    if (rank.end.thrown) std::rethrow_exception(rank.end.thrown);
  }
  return std::move(ranks[0].seen);
}

}  // namespace fake_cuda
