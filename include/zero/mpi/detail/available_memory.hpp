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
#include <utility>

namespace zero::detail {

/// How much memory the processes of this machine can have, in all and now, and who says so.
struct AvailableMemory {
  std::uint64_t in_all = (std::numeric_limits<std::uint64_t>::max)();
  std::uint64_t now = (std::numeric_limits<std::uint64_t>::max)();
  std::string in_all_limit = "nothing";
  std::string now_limit = "nothing";

  [[nodiscard]] static AvailableMemory read() {
    AvailableMemory found;
    if (auto const total = field("/proc/meminfo", "MemTotal:")) {
      found.limit_all(*total * 1024, "MemTotal of /proc/meminfo");
    }
    if (auto const free = field("/proc/meminfo", "MemAvailable:")) {
      found.limit_now(*free * 1024, "MemAvailable of /proc/meminfo");
    }
    std::ifstream groups("/proc/self/cgroup");
    for (std::string line; std::getline(groups, line);) found.limit_by_group(line);
    return found;
  }

 private:
  // The names that the two versions of control groups have for the same things.
  struct GroupFiles {
    char const *root, *limit, *used, *inactive, *active;
  };
  static constexpr GroupFiles version_1{"/sys/fs/cgroup/memory", "/memory.limit_in_bytes", "/memory.usage_in_bytes",
                                        "total_inactive_file ", "total_active_file "};
  static constexpr GroupFiles version_2{"/sys/fs/cgroup", "/memory.max", "/memory.current", "inactive_file ",
                                        "active_file "};

  void limit_all(std::uint64_t bytes, std::string limit) {
    if (bytes < in_all) in_all = bytes, in_all_limit = std::move(limit);
  }
  void limit_now(std::uint64_t bytes, std::string limit) {
    if (bytes < now) now = bytes, now_limit = std::move(limit);
  }
  /// \p line: of /proc/self/cgroup, as in "0::/group" (version 2) or "4:memory:/group".
  void limit_by_group(std::string const& line) {
    auto const first = line.find(':');
    auto const second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) return;
    auto const controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    bool const is_version_2 = line.starts_with("0::");
    if (!is_version_2 && controllers.find(",memory,") == std::string::npos) return;
    auto const& files = is_version_2 ? version_2 : version_1;
    std::string group = line.substr(second + 1);
    for (;;) {
      limit_by(files, files.root + group);
      if (group.size() <= 1) return;
      group.resize(group.rfind('/'));
    }
  }
  void limit_by(GroupFiles const& files, std::string const& folder) {
    auto const limit = field(folder + files.limit, "");
    if (!limit) return;  // "max", or no such file
    limit_all(*limit, files.limit + 1 + (" of " + folder));
    // What files keep in memory is given back where somebody needs it.
    std::uint64_t const used = field(folder + files.used, "").value_or(0);
    std::uint64_t const cache = field(folder + "/memory.stat", files.inactive).value_or(0) +
                                field(folder + "/memory.stat", files.active).value_or(0);
    std::uint64_t const kept = used > cache ? used - cache : 0;
    limit_now(*limit > kept ? *limit - kept : 0, files.limit + 1 + (" of " + folder));
  }
  /// The number in the first line of \p path that begins with \p name.
  [[nodiscard]] static std::optional<std::uint64_t> field(std::string const& path, std::string_view name) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
      if (!line.starts_with(name)) continue;
      auto text = std::string_view(line).substr(name.size());
      text.remove_prefix((std::min)(text.find_first_not_of(' '), text.size()));
      std::uint64_t value = 0;
      if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc()) return std::nullopt;
      return value;
    }
    return std::nullopt;
  }
};

[[noreturn, gnu::cold]] inline void fail_memory(std::string_view what, std::uint64_t needed, std::uint64_t bytes,
                                                std::string_view are, std::string_view limit) {
  fail<ConfigurationError>({"zero::MpiCommunicator: ", what, " need ", needed >> 20U,
                            " MB of shared memory on this host, but ", bytes >> 20U, " MB ", are, " (", limit,
                            "): put fewer ranks on a host, or use a smaller model or a higher stage"});
}

/// \throws ConfigurationError unless this machine has \p bytes of memory. \p what: what for.
inline void expect_memory_at_all(std::uint64_t bytes, std::string_view what) {
  auto const available = AvailableMemory::read();
  if (bytes > available.in_all) fail_memory(what, bytes, available.in_all, "are there", available.in_all_limit);
}
/// \throws ConfigurationError unless \p bytes can be had now. \p needed: of which they are a part, for the message.
inline void expect_memory(std::uint64_t bytes, std::string_view what, std::uint64_t needed = 0) {
  auto const available = AvailableMemory::read();
  if (bytes > available.now) {
    fail_memory(what, (std::max)(bytes, needed), available.now, "are left", available.now_limit);
  }
}

}  // namespace zero::detail
