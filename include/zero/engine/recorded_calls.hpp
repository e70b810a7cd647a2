// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/collectives.hpp>
#include <zero/support/call_history.hpp>

#include <cstdint>
#include <utility>

namespace zero::detail {

/// The collectives that an engine called while a step was recorded. They have not run: a replay makes them, as if they
/// were called again.
struct RecordedCalls {
  CallHistory before_decision;
  CallHistory after_decision;
  std::uint64_t all = 0;      ///< on the engine's communicator, by whomever; 0 where it does not count
  std::uint64_t to_last = 0;  ///< the same, up to the engine's last one
};

/// Keeps the calls of an engine apart while a step is recorded. Where several engines are recorded together, `calls` of
/// all of them comes before `undo` of any, since they may share a communicator. Move-only.
template <class Backend>
class CallRecording {
 public:
  /// Begins. \p collectives is borrowed.
  explicit CallRecording(Collectives<Backend>& collectives)
      : collectives_(&collectives), before_(std::exchange(collectives.history_now(), {})), begin_(collectives.seen) {}
  CallRecording(CallRecording&& other) noexcept
      : collectives_(std::exchange(other.collectives_, nullptr)), before_(other.before_), begin_(other.begin_) {}
  CallRecording& operator=(CallRecording&&) = delete;
  ~CallRecording() { undo(); }

  /// What was called so far. \p before_decision: what the decision took out of the history.
  [[nodiscard]] RecordedCalls calls(CallHistory const& before_decision) const {
    auto const* const all = collectives_->calls();
    return {before_decision, collectives_->history, all != nullptr ? *all - begin_ : 0, collectives_->seen - begin_};
  }
  /// Ends: the engine's calls are as before.
  void undo() noexcept {
    auto* const collectives = std::exchange(collectives_, nullptr);
    if (collectives == nullptr) return;
    collectives->history = before_;
    collectives->seen = begin_;
    if (auto* const all = collectives->calls()) *all = begin_;
  }

 private:
  Collectives<Backend>* collectives_;  // null once it has ended
  CallHistory before_;
  std::uint64_t begin_;
};

/// A replay of \p step is about to make its calls, which are in the history of \p collectives. Before that the calls of
/// others have been noted, for all engines of the step.
template <class Backend>
void count_replay(Collectives<Backend>& collectives, RecordedCalls const& step) noexcept {
  if (auto* const all = collectives.calls()) *all = collectives.seen + step.all;
  collectives.seen += step.to_last;
}

}  // namespace zero::detail
