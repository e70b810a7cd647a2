// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace zero {

/// Makes the system call \p call, which returns a negative value and sets `errno` where it fails, anew as long as a
/// signal interrupts it (`EINTR`). Returns what the last one has returned, with its `errno`.
template <class Call>
[[nodiscard]] auto restart_interrupted(Call&& call) {
  for (;;) {
    auto const result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

/// Owns a file descriptor, or none, and closes it with itself. What closing fails with is lost: a file whose bytes
/// matter is synchronized before. Move-only; not for several threads at once.
class Descriptor {
 public:
  /// None.
  Descriptor() = default;
  /// Takes \p fd over; a negative one, as a call that has failed returns it, is none. Leaves `errno` as it is.
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  /// Leaves none behind.
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  /// Closes the one that it has had. Leaves none behind; an assignment to itself changes nothing.
  Descriptor& operator=(Descriptor&& other) noexcept {
    Descriptor taken(std::move(other));
    std::swap(fd_, taken.fd_);
    return *this;
  }
  ~Descriptor() { close(); }

  /// Closes it. Does nothing where there is none.
  void close() noexcept {
    if (fd_ >= 0) (void)::close(release());
  }
  /// Hands it to the caller, who closes it.
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  /// It stays this object's; negative where there is none.
  [[nodiscard]] int get() const noexcept { return fd_; }
  /// Whether there is one.
  explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

}  // namespace zero
