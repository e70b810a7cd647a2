// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <unistd.h>

#include <cerrno>
#include <limits>
#include <string>
#include <system_error>
#include <utility>

namespace zero::detail {

/// Calls \p f again as long as `interrupted(result)` says that a signal interrupted it, \p attempts times at most.
template <class Function, class Interrupted>
auto retry(Function&& f, Interrupted&& interrupted, int attempts = (std::numeric_limits<int>::max)()) {
  auto result = f();
  for (int i = 1; i < attempts && interrupted(result); ++i) result = f();
  return result;
}

/// The same for a system call, which returns -1 and sets errno.
template <class Call>
[[nodiscard]] auto again(Call&& call) {
  return retry(call, [](auto result) { return result < 0 && errno == EINTR; });
}

[[nodiscard]] inline std::string system_message(int code) { return std::generic_category().message(code); }

/// Owns a file descriptor. Move-only.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { close(); }
  void close() noexcept {
    if (fd_ >= 0) (void)::close(release());
  }
  /// Hands it to the caller, who closes it.
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  [[nodiscard]] int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

}  // namespace zero::detail
