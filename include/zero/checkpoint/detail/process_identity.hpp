// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/posix.hpp>
#include <zero/utility/utf8.hpp>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <sstream>
#include <string>
#include <system_error>

namespace zero::detail {

/// What tells a process from all others, on this machine and elsewhere. A member is empty, or 0, where the system does
/// not say.
struct ProcessIdentity {
  std::string host;              ///< for people: two machines may share a name
  std::string boot;              ///< of the kernel: a new one after each start of the machine
  std::string pid_namespace;     ///< in which `pid` counts
  std::uint64_t pid = 0;         ///< another process may have it later
  std::uint64_t start_time = 0;  ///< since the machine's start, so that the other process is told apart

  friend bool operator==(ProcessIdentity const&, ProcessIdentity const&) = default;
};

/// What /proc/<pid>/stat says.
struct ProcessStatus {
  char state = 0;
  std::uint64_t threads = 0, start_time = 0;
};

/// The text of one of the system's small files without the line's end; empty where it cannot be read. Not by a stream,
/// which reads on for ever where it is always interrupted.
[[nodiscard]] inline std::string system_text(std::string const& path) {
  constexpr int attempts = 100;
  Descriptor const file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 4096> buffer{};
  auto const count = file ? retry([&] { return ::read(file.get(), buffer.data(), buffer.size()); },
                                  [](auto result) { return result < 0 && errno == EINTR; }, attempts)
                          : -1;
  std::string text(buffer.data(), count < 0 ? 0 : static_cast<std::size_t>(count));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return is_utf8(text) ? text : std::string();
}

/// All 0 where there is no such file, or none that may be read.
[[nodiscard]] inline ProcessStatus process_status(std::string const& pid) {
  auto const text = system_text("/proc/" + pid + "/stat");
  auto const name_end = text.rfind(')');  // the name before it may hold anything
  if (name_end == std::string::npos) return {};
  std::istringstream fields(text.substr(name_end + 1));
  ProcessStatus status;
  std::string skipped;
  fields >> status.state;
  for (int i = 4; i < 20; ++i) fields >> skipped;
  fields >> status.threads >> skipped >> status.start_time;
  return fields ? status : ProcessStatus{};
}

[[nodiscard]] inline std::string current_pid_namespace() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/ns/pid", error).string();
}

/// Of the process that asks; not kept, because a fork makes another one.
[[nodiscard]] inline ProcessIdentity this_process() {
  ProcessIdentity identity;
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) == 0 && is_utf8(host.data())) identity.host = host.data();
  identity.boot = system_text("/proc/sys/kernel/random/boot_id");
  identity.pid_namespace = current_pid_namespace();
  identity.pid = static_cast<std::uint64_t>(::getpid());
  identity.start_time = process_status("self").start_time;
  return identity;
}

/// What this machine can say of a process.
enum class ProcessFate : std::uint8_t {
  running,
  gone,
  unknown,  ///< it is of another machine, or this process cannot see it
};

/// Looks for \p process, as \p self would. A process that is only waiting to be collected by its parent is gone: it
/// runs nothing.
[[nodiscard]] inline ProcessFate fate_of(ProcessIdentity const& process, ProcessIdentity const& self) {
  bool const is_visible = !process.boot.empty() && process.boot == self.boot && !process.pid_namespace.empty() &&
                          process.pid_namespace == self.pid_namespace && process.pid != 0;
  if (!is_visible) return ProcessFate::unknown;
  if (::kill(static_cast<pid_t>(process.pid), 0) != 0 && errno == ESRCH) return ProcessFate::gone;
  auto const status = process_status(std::to_string(process.pid));
  if (status.start_time == 0) return ProcessFate::running;  // of another user, whose processes are hidden
  if (status.start_time != process.start_time) return ProcessFate::gone;
  bool const is_zombie = (status.state == 'Z' || status.state == 'X') && status.threads <= 1;
  return is_zombie ? ProcessFate::gone : ProcessFate::running;
}

}  // namespace zero::detail
