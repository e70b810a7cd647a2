// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/bootstrap/detail/socket.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>
#include <zero/support/posix.hpp>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace zero::detail {

/// An IPv4 or IPv6 address with a port.
struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;

  [[nodiscard]] sockaddr const* get() const noexcept { return reinterpret_cast<sockaddr const*>(&storage); }
  [[nodiscard]] sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] int family() const noexcept { return storage.ss_family; }

  [[nodiscard]] std::uint16_t port() const noexcept {
    if (family() == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6 const*>(&storage)->sin6_port);
    return ntohs(reinterpret_cast<sockaddr_in const*>(&storage)->sin_port);
  }
  void set_port(std::uint16_t port) noexcept {
    if (family() == AF_INET6) {
      reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port = htons(port);
    } else {
      reinterpret_cast<sockaddr_in*>(&storage)->sin_port = htons(port);
    }
  }
  /// In numbers, without the port.
  [[nodiscard]] std::string host() const {
    char text[NI_MAXHOST] = "";
    (void)::getnameinfo(get(), length, text, sizeof text, nullptr, 0, NI_NUMERICHOST);
    return text;
  }
};

[[nodiscard]] inline std::string shown(std::string_view host, std::uint16_t port) {
  return concat({host, " port ", port});
}

/// The addresses of \p host; none where it cannot be resolved, now.
[[nodiscard]] inline std::vector<Address> addresses_of(std::string const& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return {};
  std::unique_ptr<addrinfo, void (*)(addrinfo*)> const owned(found, ::freeaddrinfo);
  std::vector<Address> addresses;
  for (auto const* entry = found; entry != nullptr; entry = entry->ai_next) {
    Address address;
    address.length = static_cast<socklen_t>(entry->ai_addrlen);
    std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
    addresses.push_back(address);
  }
  return addresses;
}

/// The addresses of a network interface of this machine, such as "eth0"; none where there is no such interface.
[[nodiscard]] inline std::vector<Address> addresses_of_interface(std::string_view name, std::uint16_t port) {
  ifaddrs* found = nullptr;
  if (::getifaddrs(&found) != 0) return {};
  std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> const owned(found, ::freeifaddrs);
  std::vector<Address> addresses;
  for (auto const* entry = found; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || name != entry->ifa_name) continue;
    int const family = entry->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    Address address;
    address.length = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    std::memcpy(&address.storage, entry->ifa_addr, address.length);
    address.set_port(port);
    // IPv4 first: an interface's other address is often one that only its own link knows.
    addresses.insert(family == AF_INET ? addresses.begin() : addresses.end(), address);
  }
  return addresses;
}

[[nodiscard]] inline Address local_address(int fd) {
  Address address;
  address.length = sizeof address.storage;
  (void)::getsockname(fd, address.get(), &address.length);
  return address;
}

/// Listens on one address of this machine only: that of \p network_interface, an interface's name or an address, or,
/// where that is empty, of \p host. Port 0: any free one. \throws ConfigurationError
[[nodiscard]] inline Descriptor listen_on(std::string const& network_interface, std::string const& host,
                                          std::uint16_t port) {
  std::string const& named = network_interface.empty() ? host : network_interface;
  auto addresses = addresses_of_interface(named, port);
  if (addresses.empty()) addresses = addresses_of(named, port);
  if (addresses.empty()) {
    fail<ConfigurationError>({"zero::Rendezvous: ", quote(named), " is neither a host nor an interface of this ",
                              "machine: correct MASTER_ADDR, or name the interface of rank 0 in ZERO_INTERFACE"});
  }
  int code = 0;
  for (auto const& address : addresses) {
    Descriptor listener(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!listener) continue;
    set_option(listener.get(), SOL_SOCKET, SO_REUSEADDR, 1);
    if (::bind(listener.get(), address.get(), address.length) == 0 && ::listen(listener.get(), SOMAXCONN) == 0) {
      return listener;
    }
    if (code == 0) code = errno;
  }
  if (code == EADDRINUSE) {
    fail<ConfigurationError>({"zero::Rendezvous: ", shown(named, port), " is in use: end the program that listens ",
                              "there (an earlier run, or torchrun's own store), or choose another port in ZERO_PORT"});
  }
  if (code == EADDRNOTAVAIL) {
    fail<ConfigurationError>({"zero::Rendezvous: ", quote(named), " is no address of the machine on which rank 0 ",
                              "runs: start rank 0 there, or name the interface to listen on in ZERO_INTERFACE"});
  }
  fail<ConfigurationError>({"zero::Rendezvous: cannot listen on ", shown(named, port), ": ", system_message(code),
                            ": choose another address or port (MASTER_ADDR, ZERO_INTERFACE, ZERO_PORT)"});
}

/// One attempt. \p code: why it failed.
[[nodiscard]] inline Descriptor connect_to(Address const& address, Deadline const& deadline, int& code) {
  Descriptor socket(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) {
    code = errno;
    return {};
  }
  if (::connect(socket.get(), address.get(), address.length) != 0 && errno != EINPROGRESS && errno != EINTR) {
    code = errno;
    return {};
  }
  constexpr int attempt = 10000;  // milliseconds: a host that drops packets must not use the whole deadline up
  code = ETIMEDOUT;
  if (!wait_for(socket.get(), POLLOUT, deadline.milliseconds(attempt))) return {};
  socklen_t length = sizeof code;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &code, &length) != 0) code = errno;
  if (code != 0) return {};
  // Where nobody listens on this machine's own port, TCP may connect a socket to itself.
  auto const own = local_address(socket.get());
  if (own.port() == address.port() && own.host() == address.host()) {
    code = ECONNREFUSED;
    return {};
  }
  tune(socket.get());
  return socket;
}

}  // namespace zero::detail
