// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/phase.hpp>

#include <deque>
#include <optional>

namespace zero::detail {

/// EnginePhase::GradientGuard of several engines: from `open` on their gradients are to be discarded, unless `commit`
/// is reached.
class GradientGuards {
 public:
  /// \p phase is borrowed.
  void add(EnginePhase& phase) { guards_.emplace_back(phase); }
  void open() noexcept {
    for (auto& [phase, guard] : guards_) guard.emplace(*phase);
  }
  void commit() noexcept {
    for (auto& [phase, guard] : guards_) guard->commit();
  }
  /// The work was the end of a micro-batch.
  void commit_micro_batch() noexcept {
    for (auto& [phase, guard] : guards_) guard->commit_micro_batch();
  }

 private:
  struct Entry {
    explicit Entry(EnginePhase& of) : phase(&of) {}
    EnginePhase* phase;
    std::optional<EnginePhase::GradientGuard> guard{};
  };
  std::deque<Entry> guards_;
};

/// The same of EnginePhase::UpdateGuard: from `open` on they are poisoned.
class UpdateGuards {
 public:
  /// \p phase is borrowed.
  void add(EnginePhase& phase) { guards_.emplace_back(phase); }
  /// \p reason completes a sentence, and is a literal.
  void open(char const* reason) noexcept {
    for (auto& [phase, guard] : guards_) guard.emplace(*phase, reason);
  }
  void commit() noexcept {
    for (auto& [phase, guard] : guards_) guard->commit();
  }

 private:
  struct Entry {
    explicit Entry(EnginePhase& of) : phase(&of) {}
    EnginePhase* phase;
    std::optional<EnginePhase::UpdateGuard> guard{};
  };
  std::deque<Entry> guards_;
};

}  // namespace zero::detail
