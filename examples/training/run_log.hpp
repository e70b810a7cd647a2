// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "progress.hpp"

#include <zero/utility/descriptor.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace training {

/// A log in JSON Lines: one object per step, then the hash of all parameters. A log never ends a run: where a line
/// cannot be written, there is one warning. Move-only.
class RunLog {
 public:
  /// Looks whether \p path can be written and leaves it as it is. \p items: what the program counts, such as "tokens".
  /// \throws UsageError.
  RunLog(std::optional<std::string> path, std::string items);

  /// Takes a file for this run alone, which may be made. \throws UsageError where another run is writing it.
  void claim();
  /// Opens it for a run that has \p steps behind it: what an earlier part of the run has written up to there stays, and
  /// what came after is cut off. A new run begins with an empty log.
  void begin(std::uint64_t steps);
  void step(StepRecord const& record);
  void parameter_hash(std::uint64_t hash);

 private:
  void open();
  void write(std::string const& line);
  void warn(std::string const& what);

  std::optional<std::string> path_;
  std::string items_;
  zero::Descriptor file_;
  bool warned_ = false;
};

}  // namespace training
