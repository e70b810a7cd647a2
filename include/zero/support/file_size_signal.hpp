// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <signal.h>

#include <cerrno>
#include <ctime>

namespace zero::detail {

/// Calls \p f, a system call that makes a file longer, so that a limit on the size of files (`ulimit -f`) is its error
/// EFBIG: the signal SIGXFSZ, which comes with it, would end the program. Leaves the program's own handlers alone.
template <class Function>
auto without_file_size_signal(Function&& f) {
  sigset_t signal, before, pending;
  ::sigemptyset(&signal);
  ::sigaddset(&signal, SIGXFSZ);
  ::pthread_sigmask(SIG_BLOCK, &signal, &before);
  auto const result = f();
  int const error = errno;
  if (result < 0 && error == EFBIG && ::sigpending(&pending) == 0 && ::sigismember(&pending, SIGXFSZ) == 1) {
    int taken = 0;
    (void)::sigwait(&signal, &taken);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return result;
}

}  // namespace zero::detail
