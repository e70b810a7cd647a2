// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <nccl.h>

#include <string>
#include <string_view>

#if NCCL_VERSION_CODE < NCCL_VERSION(2, 18, 0)
#error "zero needs NCCL 2.18 or newer: install a newer NCCL, or use zero::ThreadCommunicator on one machine"
#endif

namespace zero::detail {

/// The oldest library that has all functions which these headers call, as they were compiled.
#if NCCL_VERSION_CODE >= NCCL_VERSION(2, 19, 0)
inline constexpr int needed_nccl = NCCL_VERSION(2, 19, 0);  // ncclCommRegister
#else
inline constexpr int needed_nccl = NCCL_VERSION(2, 18, 0);  // ncclCommSplit
#endif

/// "2.28.9" of 22809.
[[nodiscard]] inline std::string nccl_version_text(int code) {
  int const major = code < 10000 ? code / 1000 : code / 10000;
  int const minor = code < 10000 ? code % 1000 / 100 : code % 10000 / 100;
  return concat({major, ".", minor, ".", code % 100});
}

/// \throws ConfigurationError where the library that was loaded, \p found, is older than \p needed.
inline void check_nccl_version(int found, int needed = needed_nccl) {
  if (found >= needed) return;
  fail<ConfigurationError>({"zero::NcclCommunicator: NCCL ", nccl_version_text(found),
                            " was loaded, but this program, compiled with ", nccl_version_text(NCCL_VERSION_CODE),
                            ", needs ", nccl_version_text(needed),
                            " at least: install a newer NCCL, or put it first in LD_LIBRARY_PATH"});
}

[[nodiscard]] constexpr std::string_view advice_on(ncclResult_t code) noexcept {
  switch (code) {
    case ncclUnhandledCudaError:
      return ": see that the driver fits the CUDA toolkit, and run with NCCL_DEBUG=WARN";
    case ncclSystemError:
      return ": see that the machines reach each other, and that NCCL_SOCKET_IFNAME names the right network; run with "
             "NCCL_DEBUG=WARN";
    case ncclInvalidUsage:
      return ": each rank needs a GPU of its own, and all ranks the same version of NCCL; run with NCCL_DEBUG=WARN";
    case ncclRemoteError:
      return ": another rank has died or left; see its output";
    default:
      return ": run with NCCL_DEBUG=WARN";
  }
}

/// What went wrong in \p call, and what to do. \p communicator may be null.
[[nodiscard]] inline std::string nccl_reason(ncclResult_t code, std::string_view call, ncclComm_t communicator) {
  std::string_view const more = ncclGetLastError(communicator);
  return concat({call, " failed: ", ncclGetErrorString(code), more.empty() ? "" : ", ", more, advice_on(code)});
}

}  // namespace zero::detail
