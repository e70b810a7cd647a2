// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/utility/descriptor.hpp>

#include <sys/file.h>

#include <cerrno>

namespace zero {

/// Takes the advisory lock of the open file or folder \p descriptor for whoever has opened it, until that and its
/// copies are closed, which the end of the process does, too. Does not wait: false where another opening of it, of this
/// process or another, has the lock. True where there is none to be had: on a file system without locks nobody is kept
/// out.
[[nodiscard]] inline bool try_lock_file(int descriptor) noexcept {
  return restart_interrupted([&] { return ::flock(descriptor, LOCK_EX | LOCK_NB); }) == 0 || errno != EWOULDBLOCK;
}

}  // namespace zero
