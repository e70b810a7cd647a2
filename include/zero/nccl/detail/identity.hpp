// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/bootstrap/rendezvous.hpp>
#include <zero/cuda/device.hpp>
#include <zero/cuda/error.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <cuda_runtime_api.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace zero::detail {

/// Which GPU of which machine a rank uses, in bytes that the ranks compare.
struct GpuIdentity {
  std::array<char, 64> machine{};  ///< of its running system: containers of one machine share it
  std::array<char, 32> gpu{};      ///< its address on the machine's PCI bus

  [[nodiscard]] static GpuIdentity of(int device) {
    GpuIdentity identity;
    std::string machine;
    std::ifstream("/proc/sys/kernel/random/boot_id") >> machine;
    std::copy_n(machine.data(), (std::min)(machine.size(), identity.machine.size() - 1), identity.machine.data());
    if (machine.empty()) (void)::gethostname(identity.machine.data(), identity.machine.size() - 1);
    check_cuda(cudaDeviceGetPCIBusId(identity.gpu.data(), static_cast<int>(identity.gpu.size()), device),
               "cudaDeviceGetPCIBusId");
    return identity;
  }
};

/// How many of \p all are on the machine of \p rank.
[[nodiscard]] inline int ranks_on_machine(std::span<GpuIdentity const> all, int rank) {
  auto const& mine = all[static_cast<std::size_t>(rank)].machine;
  return static_cast<int>(std::count_if(all.begin(), all.end(), [&](auto const& i) { return i.machine == mine; }));
}

/// NCCL cannot work with two ranks on one GPU. \throws ConfigurationError, the same on every rank, for the first two.
inline void expect_distinct(std::span<GpuIdentity const> all) {
  std::vector<std::size_t> order(all.size());
  for (std::size_t r = 0; r < order.size(); ++r) order[r] = r;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return all[a].machine != all[b].machine ? all[a].machine < all[b].machine : all[a].gpu < all[b].gpu;
  });
  for (std::size_t i = 1; i < order.size(); ++i) {
    auto const &a = all[order[i - 1]], &b = all[order[i]];
    if (a.machine != b.machine || a.gpu != b.gpu) continue;
    fail<ConfigurationError>({"zero::NcclCommunicator: ranks ", order[i - 1], " and ", order[i], " both use the GPU ",
                              std::string_view(a.gpu.data()),
                              " of one machine: start one rank for each GPU, give each ",
                              "its own device (LOCAL_RANK), or use zero::ThreadCommunicator to share one"});
  }
}

/// Number of ranks on this rank's machine, of those that have met, whose GPU \p device is. \throws ConfigurationError
/// where two of them use one GPU.
[[nodiscard]] inline int local_ranks(Rendezvous& rendezvous, int device) {
  auto const mine = GpuIdentity::of(device);
  std::vector<GpuIdentity> all(static_cast<std::size_t>(rendezvous.size()));
  rendezvous.exchange(std::as_bytes(std::span(&mine, 1)), std::as_writable_bytes(std::span(all)));
  expect_distinct(all);
  return ranks_on_machine(all, rendezvous.rank());
}

/// \p device, or, where that is negative, the GPU of this rank among those that the process sees.
[[nodiscard]] inline int device_of(int device, int local_rank) {
  if (device >= 0) return checked_device(device);
  int count = 0;
  check_cuda(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
  if (count == 1) return 0;  // the launcher has chosen (srun --gpus-per-task=1)
  if (local_rank >= count) {
    fail<ConfigurationError>({"zero::NcclCommunicator: local rank ", local_rank, " on a machine that shows ", count,
                              " GPUs: start at most one rank for each, and look at CUDA_VISIBLE_DEVICES"});
  }
  return checked_device(local_rank);
}

}  // namespace zero::detail
