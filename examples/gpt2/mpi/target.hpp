// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "../host_target.hpp"
#include "run.hpp"

#include <zero/communicators/mpi.hpp>
#include <zero/error.hpp>

#include <exception>

namespace gpt2 {

/// Ranks that compute on the host, one in each process that MPI has started.
struct MpiTarget {
  using Backend = zero::HostBackend;
  using Communicator = zero::MpiCommunicator;

  template <class F>
  static void run_ranks(Options const& options, F&& f) {
    Communicator communicator(zero::MpiConfig{.deadline = deadline(options), .meeting_deadline = deadline(options)});
    try {
      f(communicator);
    } catch (zero::CommunicationError const&) {
      throw;
    } catch (std::exception const& error) {
      // What all ranks find each of them is to find: only then the communicator's end tells them of a failure.
      process->tell(error);
      throw;
    }
  }

  inline static MpiProcess* process = nullptr;  ///< this one

  template <class T>
  class Compute : public HostCompute<T> {
   public:
    Compute(Options const& options, ModelShape const& shape, Communicator const& communicator)
        : HostCompute<T>(options, shape, communicator.local_size()) {}
  };
};

}  // namespace gpt2
