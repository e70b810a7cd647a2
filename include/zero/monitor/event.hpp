// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>

namespace zero::monitor {

/// One value of a curve.
struct Scalar {
  std::string tag;         ///< the curve's name, e.g. Train/Samples/lr; slashes group curves
  double value = 0.0;      ///< NaN and infinities too
  std::uint64_t step = 0;  ///< its place on the x axis, the same one for all curves of a run
  double wall_time = 0.0;  ///< seconds since 1970; 0: when it is written
};

/// A text that belongs to a run, such as its settings.
struct Text {
  std::string tag;         ///< its name
  std::string text;        ///< TensorBoard shows it as Markdown
  std::uint64_t step = 0;  ///< as of Scalar
  double wall_time = 0.0;  ///< seconds since 1970; 0: when it is written
};

/// What is told that something cannot be written. It may be called from the thread of Monitors, and must not throw.
using Warning = std::function<void(std::string const& what)>;

/// The default: a line on standard error.
inline void warn_on_standard_error(std::string const& what) { (void)std::fprintf(stderr, "%s\n", what.c_str()); }

/// Seconds since 1970.
[[nodiscard]] inline double wall_time_now() noexcept {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace zero::monitor
