// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/monitor/event.hpp>

#include <cstdint>
#include <string>

namespace zero::monitor {

/// What keeps the curves of a run: TensorBoard, Csv, JsonLines, or a class of a user's own that Monitors writes to. It
/// belongs to one thread at a time. Where it cannot write, it warns once and loses what it cannot write: a monitor is
/// no reason to end a run, and no function but the constructor throws for what a file system does.
class Monitor {
 public:
  Monitor() = default;
  Monitor(Monitor const&) = delete;
  Monitor& operator=(Monitor const&) = delete;
  virtual ~Monitor() = default;

  /// Where it writes, for messages.
  [[nodiscard]] virtual std::string const& place() const noexcept = 0;
  /// Whether there are curves already where it is going to write.
  [[nodiscard]] virtual bool holds_curves() const = 0;
  /// Takes the place for this run alone, for as long as the monitor lives; again where it has it. False where another
  /// run has it, which is then not to be written to. A monitor whose place others may share needs none.
  [[nodiscard]] virtual bool claim() { return true; }
  /// Begins curves of a new run. Those that are there are removed.
  virtual void replace() = 0;
  /// Goes on with the curves that are there. What lies after \p step is cut off, as the run repeats it, and so is what
  /// an earlier run has not written to its end.
  virtual void resume_at(std::uint64_t step) = 0;
  /// Takes one value. It is in the file after the next `flush`.
  virtual void scalar(Scalar const& scalar) = 0;
  /// The same for a text.
  virtual void text(Text const& text) = 0;
  /// Hands all that was taken to the operating system.
  virtual void flush() = 0;
};

}  // namespace zero::monitor
