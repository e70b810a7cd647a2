// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Preloaded before a program, this makes each of its reads at a place (pread) take SLOW_READS_MS milliseconds longer,
// as a disk or a network's file system may.

#include <chrono>
#include <cstdlib>
#include <thread>

#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

namespace {

ssize_t slow_read(int file, void* to, std::size_t bytes, off_t at) {
  static long const milliseconds = [] {
    char const* const said = std::getenv("SLOW_READS_MS");
    return said == nullptr ? 0L : std::strtol(said, nullptr, 10);
  }();
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
  return ::syscall(SYS_pread64, file, to, bytes, at);
}

}  // namespace

extern "C" {
ssize_t pread(int file, void* to, std::size_t bytes, off_t at) { return slow_read(file, to, bytes, at); }
ssize_t pread64(int file, void* to, std::size_t bytes, off_t at) { return slow_read(file, to, bytes, at); }
}
