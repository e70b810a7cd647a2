// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "../data/training_data.hpp"
#include "../options.hpp"
#include "support/exit_code.hpp"
#include "training/run_output.hpp"

#include <zero/bootstrap/launch_environment.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <string>

/// The trainer over processes on the host, as far as it was built: with_mpi.cpp, or without_mpi.cpp where there was no
/// MPI.
namespace gpt2 {

/// The library and its version; empty where the program was built without MPI.
[[nodiscard]] std::string mpi_version();

/// What ends a run on one rank.
struct RankFailure {
  command_line::ExitCode code = command_line::ExitCode::failed;
  std::string what;
  bool is_of_another = false;  ///< another rank has failed first, and this one says which
};
using JudgeFailure = std::function<RankFailure(std::exception const&)>;

class RankReports;

/// One process of those that MPI has started, from MPI_Init to the end of all. Nothing waits inside MPI, MPI_Init and
/// MPI_Finalize apart. A program makes one at most, and only where a launcher has started several processes.
class MpiProcess {
 public:
  /// Initializes MPI. From here on the process ends with its launcher. \p judge says what an exception means for a
  /// script; no rank waits longer than \p deadline for another one.
  MpiProcess(JudgeFailure judge, std::chrono::nanoseconds deadline);
  MpiProcess(MpiProcess const&) = delete;
  MpiProcess& operator=(MpiProcess const&) = delete;
  ~MpiProcess();

  /// \throws UsageError where MPI has another rank or number of ranks than \p launch says.
  void expect(zero::LaunchEnvironment const& launch) const;
  /// Calls \p f, which no other rank waits for, on every rank, and ends all of them where it throws on one. Rank 0 says
  /// why. Collective.
  void prepare(std::function<void()> const& f);
  /// As `run_on`.
  bool run(Options const& options, TrainingData const& data, RunOutput& output);
  /// Bytes that the ranks share on a host besides their engines' memory, where all of them are on one.
  [[nodiscard]] std::size_t bytes_of_host() const;
  /// Says why this rank cannot go on, once, and tells the other ranks' processes. What rank 0 says, too, it says alone.
  void tell(std::exception const& error);
  /// Does so, gives the others up to a second to do the same, and ends all of them.
  [[noreturn]] void fail(std::exception const& error);
  /// The good end: comes back on all ranks or on none. Waits up to \p deadline for the others.
  void leave(std::chrono::nanoseconds deadline);

 private:
  [[noreturn]] void end_after_others();
  [[noreturn]] void end(command_line::ExitCode code) const;

  JudgeFailure judge_;
  std::chrono::nanoseconds deadline_{};
  int rank_ = 0, size_ = 1;
  std::unique_ptr<RankReports> reports_;
  bool has_told_ = false;
};

}  // namespace gpt2
