// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/simulation/detail/operation.hpp>
#include <zero/simulation/options.hpp>

#include <cuda_runtime_api.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

/// A CUDA runtime for machines without a GPU, for tests only: it is linked instead of cudart. What is put on a stream
/// waits there and runs, on host memory, when the simulator's seeded scheduler says so; every operation declares what
/// bytes it touches, and the simulator's checker judges that streams, events and waits of the host order them.
namespace fake_cuda {

/// Makes the runtime, or NCCL, fail. Calls are counted from 1.
struct Fault {
  std::uint64_t call = 0;
  bool for_ever = false;  ///< the device is lost then: nothing on its streams runs any more
  cudaError_t code = cudaErrorUnknown;
  /// Counts the calls of this rank's thread alone, see `enter_rank`, and no questions: how often something is asked
  /// whether it is over depends on time. Absent: the calls of all threads together.
  std::optional<int> rank{};
  /// The function of a question: the rank's first one after the call fails instead, whichever of its threads asks.
  char const* question = nullptr;
};

/// An event's record or wait, by the code that asks for it: the first caller that does not itself belong to events,
/// streams and their owners.
struct Site {
  std::uintptr_t at = 0;
  bool records = false;
  friend bool operator==(Site const&, Site const&) = default;
};

inline constexpr std::array every_order = {zero::SimulationOrder::earliest, zero::SimulationOrder::latest,
                                           zero::SimulationOrder::random, zero::SimulationOrder::starved};

struct Options {
  std::uint64_t seed = 0;
  zero::SimulationOrder order = zero::SimulationOrder::random;
  cudaError_t driver = cudaSuccess;  ///< what a call says where there is no driver, or one that is too old
  int devices = 1;
  bool peers = true;  ///< devices reach each other's memory
  std::size_t device_bytes = std::size_t{1} << 26;
  std::size_t pinned_bytes = std::size_t{1} << 26;
  std::optional<Fault> fault{};
  bool frees_wait = true;  ///< after a failure, giving memory back waits for the device, as the real runtime's does
  std::optional<Site> without{};  ///< do as if nothing were recorded, or waited for, there
  int without_registration = -1;  ///< the rank of a communicator that registers no buffers
  bool keeps_sites = false;       ///< note where events are recorded and waited for
};

/// What has been called since `start`.
struct Counts {
  std::uint64_t calls = 0;             ///< that can be made to fail
  std::uint64_t synchronizations = 0;  ///< waits of the host: for a stream, an event or a device
  std::uint64_t blocking_copies = 0;   ///< from or to memory that is not pinned
  std::uint64_t allocations = 0;       ///< of device or pinned memory
  std::uint64_t for_collectives = 0;   ///< of the allocations, those of NCCL's
  std::uint64_t registrations = 0;     ///< of buffers, with communicators
  std::uint64_t launches = 0;          ///< kernels, and whole graphs as one
  std::uint64_t operations = 0;        ///< that ran
  std::uint64_t ends = 0;              ///< of communicators: begun, whether or not graphs hold them up
};

/// What has been handed out and not been given back.
struct LiveHandles {
  std::size_t blocks = 0;
  std::size_t streams = 0;
  std::size_t events = 0;
  std::size_t graphs = 0;
  std::size_t tasks = 0;  ///< host functions that were put on a stream of a sound device and have not run
  std::size_t communicators = 0;
  std::size_t registrations = 0;  ///< of buffers, with communicators
  friend bool operator==(LiveHandles const&, LiveHandles const&) = default;
};

/// Makes the calling thread that of a rank, a process of its own: of the device of that number.
void enter_rank(int rank);
/// What the calling thread has called; questions do not count among its calls.
[[nodiscard]] Counts own_counts();
/// Calls, counted as faults are: this thread's where it is a rank's, otherwise of all threads.
[[nodiscard]] std::uint64_t calls_so_far();

/// A new machine. Nothing of the last one may be used any more.
void start(Options const& options = {});
/// Runs what is left on streams. \throws RaceError and others for what was found since `start`.
void finish();
/// What was found, without running anything; empty: nothing.
[[nodiscard]] std::string violations();

[[nodiscard]] Counts counts();
[[nodiscard]] LiveHandles live_handles();
[[nodiscard]] bool fault_has_struck();
/// The runtime's function that failed.
[[nodiscard]] std::string failed_call();
/// Communicators of this rank say from now on that the system has failed.
void fail_asynchronously(int rank);
[[nodiscard]] std::vector<Site> sites();
[[nodiscard]] std::string describe(Site const& site);

/// Puts work of the caller on a stream, as a kernel of its own would be: \p run touches the bytes of \p accesses and no
/// others. \throws CudaError-like std::runtime_error where the runtime refuses.
cudaError_t launch(cudaStream_t stream, std::string name, std::vector<zero::simulation::Access> accesses,
                   std::function<void()> run);

/// What a kernel's launch does on this machine.
struct HostKernel {
  std::string name;
  std::vector<zero::simulation::Access> accesses;
  std::function<void()> run;
};
/// Gives the kernel behind the stub \p kernel of this translation unit, and so the kernel of that name in all of them,
/// a host kernel. \p make takes the launch's arguments, which it must copy.
void add_host_kernel(void const* kernel, HostKernel (*make)(void** arguments));

}  // namespace fake_cuda
