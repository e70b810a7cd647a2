// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/mpi/detail/mpi.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace zero::detail {

[[nodiscard]] inline std::string mpi_reason(int code, std::string_view call) {
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  (void)MPI_Error_string(code, text, &length);
  return concat({call, " failed: ", std::string_view(text, static_cast<std::size_t>((std::max)(length, 0)))});
}

/// \throws CommunicationError where MPI refuses \p call.
inline void check_mpi(int code, std::string_view call) {
  if (code == MPI_SUCCESS) return;
  throw CommunicationError(CommunicationFailure::transport, {0, 0, std::string(call)},
                           "zero::MpiCommunicator: " + mpi_reason(code, call));
}

/// \p more added to \p time, which may be as long as it gets.
[[nodiscard]] inline std::chrono::nanoseconds longer(std::chrono::nanoseconds time, std::chrono::nanoseconds more) {
  return time > (std::chrono::nanoseconds::max)() - more ? (std::chrono::nanoseconds::max)() : time + more;
}

/// MPI's limits on the calling thread, and whether MPI is there at all. \throws ConfigurationError
inline void expect_mpi_usable() {
  int initialized = 0, finalized = 0;
  (void)MPI_Initialized(&initialized);
  (void)MPI_Finalized(&finalized);
  enforce(initialized != 0, "zero::MpiCommunicator: MPI is not initialized: call MPI_Init_thread first");
  enforce(finalized == 0, "zero::MpiCommunicator: MPI is finalized: call MPI_Finalize after the last use of its ranks");
  int level = MPI_THREAD_SINGLE, is_main = 0;
  check_mpi(MPI_Query_thread(&level), "MPI_Query_thread");
  check_mpi(MPI_Is_thread_main(&is_main), "MPI_Is_thread_main");
  enforce(level >= MPI_THREAD_FUNNELED,
          "zero::MpiCommunicator: MPI was initialized for programs of one thread, and the engine has several: "
          "initialize it by MPI_Init_thread with MPI_THREAD_FUNNELED or more, and see what it provides");
  enforce(
      is_main != 0 || level >= MPI_THREAD_SERIALIZED,
      "zero::MpiCommunicator: MPI provides MPI_THREAD_FUNNELED, so that only the thread that has initialized it may "
      "use it: make the engine's calls from that one, or initialize MPI with MPI_THREAD_SERIALIZED");
}

}  // namespace zero::detail
