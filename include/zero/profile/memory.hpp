// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/memory_report.hpp>

#include <array>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

namespace zero::profile {

/// What the system says of this process, in bytes; 0 where it says nothing.
struct ProcessMemory {
  std::size_t resident = 0;       ///< in physical memory now
  std::size_t peak_resident = 0;  ///< at most so far
};

/// What a device's driver says, in bytes, of all its processes.
struct DeviceMemory {
  std::size_t free = 0;   ///< left
  std::size_t total = 0;  ///< in all
};

/// Memory at one point of a run, on one rank.
struct MemoryUse {
  std::array<std::size_t, memory_kinds> engine{};  ///< by kind; of the engine's report
  ProcessMemory process{};                         ///< ranks that are threads share it
  std::optional<DeviceMemory> device{};            ///< where the engine is on one

  /// Bytes of the engine of one kind.
  [[nodiscard]] std::size_t of_engine(MemoryKind kind) const noexcept { return engine[static_cast<std::size_t>(kind)]; }
};

/// Reads the resident set from \p status, which has the form of Linux's /proc/self/status; nothing where it cannot be
/// read. Does not throw for that.
[[nodiscard]] inline ProcessMemory process_memory(std::string const& status = "/proc/self/status") {
  ProcessMemory found;
  std::ifstream file(status);
  for (std::string line; std::getline(file, line);) {
    auto const colon = line.find(':');
    auto const name = std::string_view(line).substr(0, colon);
    if (name != "VmRSS" && name != "VmHWM") continue;
    unsigned long long kilobytes = 0;
    if (std::sscanf(line.c_str() + colon + 1, "%llu", &kilobytes) != 1) continue;
    (name == "VmRSS" ? found.resident : found.peak_resident) = static_cast<std::size_t>(kilobytes) * 1024;
  }
  return found;
}

/// Memory now: \p report is Engine::memory, \p device what `device_memory` of zero/cuda/device_memory.hpp says.
[[nodiscard]] inline MemoryUse memory_use(MemoryReport const& report, std::optional<DeviceMemory> device = {}) {
  MemoryUse use{.process = process_memory(), .device = device};
  for (std::size_t k = 0; k < memory_kinds; ++k) use.engine[k] = report.bytes(static_cast<MemoryKind>(k));
  return use;
}

}  // namespace zero::profile

namespace zero::detail {

[[nodiscard]] inline std::string in_mebibytes(std::size_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MiB", static_cast<double>(bytes) / (1024.0 * 1024.0));
  return text;
}

}  // namespace zero::detail

namespace zero::profile {

/// One line: what \p use is at the point of a run that is called \p point.
[[nodiscard]] inline std::string to_line(std::string_view point, MemoryUse const& use) {
  using zero::detail::in_mebibytes;
  std::string text = "memory " + std::string(point) + ": engine";
  for (std::size_t k = 0; k < memory_kinds; ++k) {
    auto const kind = static_cast<MemoryKind>(k);
    if (use.of_engine(kind) > 0)
      text += " " + std::string(zero::name(kind)) + " " + in_mebibytes(use.of_engine(kind)) + ",";
  }
  if (text.back() == ',') text.pop_back();
  if (use.process.resident > 0) {
    text += "; process " + in_mebibytes(use.process.resident) + ", at most " + in_mebibytes(use.process.peak_resident);
  }
  if (use.device) {
    text += "; device " + in_mebibytes(use.device->total - use.device->free) + " of " + in_mebibytes(use.device->total);
  }
  return text;
}

}  // namespace zero::profile
