// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/bootstrap/detail/deadline.hpp>
#include <zero/bootstrap/detail/frame.hpp>
#include <zero/support/posix.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

namespace zero::detail {

/// How reading or writing ended.
enum class Transfer : std::uint8_t { done, closed, malformed, late, stopped };

inline void set_option(int fd, int level, int name, int value) noexcept {
  (void)::setsockopt(fd, level, name, &value, sizeof value);  // each is a refinement: without it things still work
}

/// Small messages go at once, and a host that has lost its power is noticed after half a minute without traffic.
inline void tune(int fd) noexcept {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 15);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

/// Waits until \p fd is ready for \p events, for at most \p milliseconds.
inline bool wait_for(int fd, short events, int milliseconds) {
  pollfd entry{fd, events, 0};
  return restart_interrupted([&] { return ::poll(&entry, 1, milliseconds); }) > 0;
}

/// Writes everything, or says why not. \p fd does not block. \p stopped is asked while the peer does not read.
[[nodiscard]] inline Transfer write_all(int fd, std::span<std::byte const> bytes, Deadline const& deadline,
                                        std::function<bool()> const& stopped = {}) {
  constexpr int slice = 20;  // milliseconds between two looks at `stopped`
  while (!bytes.empty()) {
    auto const sent = restart_interrupted([&] { return ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL); });
    if (sent > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
    } else if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      if (stopped && stopped()) return Transfer::stopped;
      if (deadline.passed()) return Transfer::late;
      (void)wait_for(fd, POLLOUT, deadline.milliseconds(slice));
    } else {
      return Transfer::closed;
    }
  }
  return Transfer::done;
}

/// Takes what has arrived, without waiting. `done`: a frame is complete; `late`: not yet.
[[nodiscard]] inline Transfer read_some(int fd, FrameReader& reader) {
  while (!reader.complete()) {
    auto const space = reader.space();
    auto const got = restart_interrupted([&] { return ::recv(fd, space.data(), space.size(), 0); });
    if (got == 0) return Transfer::closed;
    if (got < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? Transfer::late : Transfer::closed;
    reader.filled(static_cast<std::size_t>(got));
    if (reader.malformed()) return Transfer::malformed;
  }
  return Transfer::done;
}

/// Waits for a whole frame.
[[nodiscard]] inline Transfer read_frame(int fd, FrameReader& reader, Deadline const& deadline) {
  constexpr int slice = 1000;
  for (;;) {
    auto const result = read_some(fd, reader);
    if (result != Transfer::late || deadline.passed()) return result;
    (void)wait_for(fd, POLLIN, deadline.milliseconds(slice));
  }
}

}  // namespace zero::detail
