// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace zero::detail {

/// How much memory the processes of this machine can still get, and who says so.
struct AvailableMemory {
  std::uint64_t bytes = (std::numeric_limits<std::uint64_t>::max)();
  std::string limit = "nothing";

  [[nodiscard]] static AvailableMemory now() {
    AvailableMemory found;
    if (auto const free = of_machine()) found = {*free, "MemAvailable of /proc/meminfo"};
    for (std::string group = own_group(); !group.empty(); group = parent(group)) {
      auto const limit = number_in(group + "/memory.max");
      if (!limit) continue;
      std::uint64_t const used = number_in(group + "/memory.current").value_or(0);
      std::uint64_t const left = *limit > used ? *limit - used : 0;
      if (left < found.bytes) found = {left, "memory.max of " + group};
    }
    return found;
  }

 private:
  [[nodiscard]] static std::optional<std::uint64_t> parsed(std::string_view text) {
    text.remove_prefix((std::min)(text.find_first_not_of(' '), text.size()));
    std::uint64_t value = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc()) return std::nullopt;
    return value;
  }
  [[nodiscard]] static std::optional<std::uint64_t> of_machine() {
    std::ifstream file("/proc/meminfo");
    constexpr std::string_view name = "MemAvailable:";
    for (std::string line; std::getline(file, line);) {
      if (!line.starts_with(name)) continue;
      auto const kilobytes = parsed(std::string_view(line).substr(name.size()));
      return kilobytes ? std::optional(*kilobytes * 1024) : std::nullopt;
    }
    return std::nullopt;
  }
  // None where there is no limit ("max"), or no such file.
  [[nodiscard]] static std::optional<std::uint64_t> number_in(std::string const& path) {
    std::ifstream file(path);
    std::string line;
    if (!std::getline(file, line)) return std::nullopt;
    return parsed(line);
  }
  /// The folder of this process's control group (version 2); empty where there is none.
  [[nodiscard]] static std::string own_group() {
    std::ifstream file("/proc/self/cgroup");
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with("0::")) return "/sys/fs/cgroup" + line.substr(3);
    }
    return {};
  }
  [[nodiscard]] static std::string parent(std::string const& group) {
    constexpr std::string_view root = "/sys/fs/cgroup";
    if (group.size() <= root.size()) return {};
    return group.substr(0, group.rfind('/'));
  }
};

/// \throws ConfigurationError unless \p bytes of memory that processes share can be had. \p what: what for.
inline void expect_memory(std::uint64_t bytes, std::string_view what) {
  auto const available = AvailableMemory::now();
  if (bytes <= available.bytes) return;
  fail<ConfigurationError>({"zero::MpiCommunicator: ", what, " need ", bytes >> 20U,
                            " MB of shared memory more on this host, but ", available.bytes >> 20U, " MB are left (",
                            available.limit, "): put fewer ranks on a host, or use a smaller model or a higher stage"});
}

}  // namespace zero::detail
