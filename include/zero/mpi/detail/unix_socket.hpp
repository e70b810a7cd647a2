// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/bootstrap/detail/deadline.hpp>
#include <zero/bootstrap/detail/socket.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>
#include <zero/support/posix.hpp>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <thread>

namespace zero::detail {

// Sockets of this host with abstract names: nothing of them stays in the file system, and the kernel says whose process
// is at the other end.

[[nodiscard]] inline sockaddr_un abstract_address(std::string_view name, socklen_t& length) noexcept {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::size_t const count = (std::min)(name.size(), sizeof address.sun_path - 1);
  std::memcpy(address.sun_path + 1, name.data(), count);
  length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + count);
  return address;
}

[[noreturn, gnu::cold]] inline void fail_descriptors(int code) {
  fail<ConfigurationError>({"zero::MpiCommunicator: no file descriptor: ", system_message(code),
                            ": raise the limit of open files (ulimit -n): a rank opens one or two for each rank of its "
                            "host, and one for each engine"});
}

[[nodiscard]] inline Descriptor unix_socket() {
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) fail_descriptors(errno);
  return socket;
}

[[nodiscard]] inline Descriptor listen_abstract(std::string_view name) {
  auto socket = unix_socket();
  socklen_t length = 0;
  auto const address = abstract_address(name, length);
  if (::bind(socket.get(), reinterpret_cast<sockaddr const*>(&address), length) != 0 ||
      ::listen(socket.get(), SOMAXCONN) != 0) {
    fail<ConfigurationError>(
        {"zero::MpiCommunicator: cannot listen on a socket of this host: ", system_message(errno)});
  }
  return socket;
}

/// Whether the process at the other end belongs to this user.
[[nodiscard]] inline bool is_own_user(int socket) noexcept {
  ucred peer{};
  socklen_t length = sizeof peer;
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.uid == ::geteuid();
}

/// Connects to who listens on \p name, or \p code says why not. \throws ConfigurationError where that is another
/// user's.
[[nodiscard]] inline Descriptor connect_abstract(std::string_view name, Deadline const& deadline, int& code) {
  socklen_t length = 0;
  auto const address = abstract_address(name, length);
  for (;;) {
    auto socket = unix_socket();
    if (restart_interrupted(
            [&] { return ::connect(socket.get(), reinterpret_cast<sockaddr const*>(&address), length); }) == 0) {
      if (is_own_user(socket.get())) return socket;
      fail<ConfigurationError>({"zero::MpiCommunicator: a rank of this host is another user's: start all as one user"});
    }
    code = errno;
    if (code != EAGAIN || deadline.passed()) return {};  // EAGAIN: too many at once
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

/// What goes with a descriptor, or instead of one.
struct DescriptorHeader {
  std::uint64_t bytes = 0;  ///< of the memory; 0: there is none, and no descriptor
  std::uint64_t what = 0;   ///< which memory it is
};

/// Hands \p descriptor to the process at the other end of \p socket. \return false where that has gone.
[[nodiscard]] inline bool send_descriptor(int socket, DescriptorHeader header, int descriptor) noexcept {
  iovec part{&header, sizeof header};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (header.bytes > 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    auto* const entry = CMSG_FIRSTHDR(&message);
    entry->cmsg_level = SOL_SOCKET;
    entry->cmsg_type = SCM_RIGHTS;
    entry->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(entry), &descriptor, sizeof descriptor);
  }
  return restart_interrupted([&] { return ::sendmsg(socket, &message, MSG_NOSIGNAL); }) ==
         static_cast<ssize_t>(sizeof header);
}

/// A descriptor that has come, or nothing.
struct ReceivedDescriptor {
  DescriptorHeader header;
  Descriptor descriptor;
  bool is_lost = false;  ///< this process may not open one more
};

/// Does not wait. \return whether something has come; or the socket has ended, and \p closed is true.
[[nodiscard]] inline bool receive_descriptor(int socket, ReceivedDescriptor& into, bool& closed) noexcept {
  iovec part{&into.header, sizeof into.header};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  auto const got = restart_interrupted([&] { return ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC); });
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
  closed = got != static_cast<ssize_t>(sizeof into.header);
  into.is_lost = (message.msg_flags & MSG_CTRUNC) != 0;
  for (auto* entry = CMSG_FIRSTHDR(&message); entry != nullptr; entry = CMSG_NXTHDR(&message, entry)) {
    if (entry->cmsg_level != SOL_SOCKET || entry->cmsg_type != SCM_RIGHTS) continue;
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(entry), sizeof descriptor);
    into.descriptor = Descriptor(descriptor);
  }
  return !closed;
}

}  // namespace zero::detail
