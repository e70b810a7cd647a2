// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/mpi/detail/calls.hpp>
#include <zero/mpi/detail/mpi.hpp>
#include <zero/processors.hpp>
#include <zero/support/posix.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace zero::detail {

/// Text that travels in a struct.
template <std::size_t Room>
struct FixedText {
  char text[Room] = {};

  void set(std::string_view value) noexcept {
    auto* const end = std::copy_n(value.data(), (std::min)(value.size(), Room - 1), text);
    *end = '\0';
  }
  [[nodiscard]] std::string_view view() const noexcept { return text; }
};

/// What a rank says of itself before anything connects the ranks but MPI.
struct MpiCard {
  FixedText<160> host, machine;
  FixedText<64> listener;
  FixedText<64> address;  ///< of rank 0, where there are several hosts
  FixedText<64> token;
  FixedText<512> problem;  ///< why it cannot go on; empty where it can
  ProcessorSet processors;
  std::uint64_t bounce_bytes = 0;
  std::int64_t deadline = 0, meeting_deadline = 0;  ///< in nanoseconds
  std::uint16_t port = 0;
};
static_assert(std::is_trivially_copyable_v<MpiCard>);

// Containers of one machine may have one name each, or all the same on many machines.
[[nodiscard]] inline std::string name_of_machine() {
  char name[128] = "";
  (void)::gethostname(name, sizeof name - 1);
  char boot[37] = {};
  Descriptor const file(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  if (file) (void)!::read(file.get(), boot, sizeof boot - 1);
  return std::string(name) + " " + boot;
}

/// MPI reports errors of \p communicator to the caller, as long as this lives.
class ErrorsReturned {
 public:
  explicit ErrorsReturned(MPI_Comm communicator) : communicator_(communicator) {
    check_mpi(MPI_Comm_get_errhandler(communicator, &before_), "MPI_Comm_get_errhandler");
    (void)MPI_Comm_set_errhandler(communicator, MPI_ERRORS_RETURN);
  }
  ErrorsReturned(ErrorsReturned const&) = delete;
  ErrorsReturned& operator=(ErrorsReturned const&) = delete;
  ~ErrorsReturned() {
    (void)MPI_Comm_set_errhandler(communicator_, before_);
    (void)MPI_Errhandler_free(&before_);
  }

 private:
  MPI_Comm communicator_;
  MPI_Errhandler before_ = MPI_ERRHANDLER_NULL;
};

}  // namespace zero::detail
