// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/mpi/detail/calls.hpp>
#include <zero/mpi/detail/mpi.hpp>

#include <cstddef>
#include <vector>

namespace zero::detail {

/// Messages of MPI that are under way. What they read and write must stay until they are done, in whatever way the wait
/// for them ends.
class MessageRequests {
 public:
  /// \throws ConfigurationError where the calling thread may not use MPI, or nobody may any more.
  explicit MessageRequests(MPI_Comm messages) : messages_(messages) { expect_mpi_usable(); }

  /// \p bytes at \p data go to rank \p to of the world.
  void send(void const* data, std::size_t bytes, int to, int tag) {
    check_mpi(MPI_Isend(data, static_cast<int>(bytes), MPI_BYTE, to, tag, messages_, &add(to)), "MPI_Isend");
  }
  /// The same; done when the other rank has begun to receive it.
  void send_to_receiver(void const* data, std::size_t bytes, int to, int tag) {
    check_mpi(MPI_Issend(data, static_cast<int>(bytes), MPI_BYTE, to, tag, messages_, &add(to)), "MPI_Issend");
  }
  /// \p bytes of rank \p from come to \p data.
  void receive(void* data, std::size_t bytes, int from, int tag) {
    check_mpi(MPI_Irecv(data, static_cast<int>(bytes), MPI_BYTE, from, tag, messages_, &add(from)), "MPI_Irecv");
  }

  /// Whether all are done. Does not wait.
  [[nodiscard]] bool done() {
    int all = 0;
    check_mpi(MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &all, MPI_STATUSES_IGNORE),
              "MPI_Testall");
    return all != 0;
  }
  /// The rank of the world that the first of them waits for, unless all are done.
  [[nodiscard]] int first_waiting() {
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      int one = 0;
      check_mpi(MPI_Test(&requests_[i], &one, MPI_STATUS_IGNORE), "MPI_Test");
      if (one == 0) return peers_[i];
    }
    return peers_.empty() ? 0 : peers_.front();
  }

 private:
  [[nodiscard]] MPI_Request& add(int peer) {
    peers_.push_back(peer);
    return requests_.emplace_back(MPI_REQUEST_NULL);
  }

  MPI_Comm messages_;
  std::vector<MPI_Request> requests_;
  std::vector<int> peers_;
};

}  // namespace zero::detail
