// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/profile/observer.hpp>
#include <zero/profile/phase.hpp>
#include <zero/support/out_of_line.hpp>

#include <string_view>
#include <thread>

namespace zero::detail {

/// Who watches one engine that somebody watches. Not movable, because the observer knows where it is.
template <class Stream>
class Observation {
 public:
  using Observer = profile::Observer<Stream>;

  Observation() = default;
  Observation(Observation const&) = delete;
  Observation& operator=(Observation const&) = delete;
  ~Observation() {
    if (link_.observer != nullptr) detach();
  }

  /// \throws ConfigurationError for one that watches an engine of another thread.
  ZERO_OUT_OF_LINE void attach(Observer& observer) {
    auto thread = std::thread::id();
    auto const mine = std::this_thread::get_id();
    if (!observer.thread_.compare_exchange_strong(thread, mine) && thread != mine) {
      throw ConfigurationError(
          "zero::Engine: its profiler watches an engine of another thread already: give each rank a profiler of its "
          "own");
    }
    link_ = {&observer, observer.engines_, false};
    observer.engines_ = &link_;
  }

  /// Null where it has ended before the engine.
  [[nodiscard]] Observer* observer() const noexcept { return link_.observer; }

  /// \throws SequenceError once after the observer has ended, and for an observer that is told of two steps at once.
  void begin_micro_batch(void const* owner, Stream stream) {
    if (link_.observer != nullptr) return link_.observer->begin_micro_batch(owner, stream);
    if (link_.is_lost) throw_lost();
  }
  void begin_step(void const* owner, profile::Phase phase, Stream stream) const {
    if (link_.observer != nullptr) link_.observer->begin_step(owner, phase, stream);
  }
  void begin_backward(Stream stream) const noexcept {
    if (link_.observer != nullptr) link_.observer->begin_backward(stream);
  }
  void end_micro_batch(Stream stream) const noexcept {
    if (link_.observer != nullptr) link_.observer->end_micro_batch(stream);
  }
  void end_step(Stream stream) const noexcept {
    if (link_.observer != nullptr) link_.observer->end_step(stream);
  }
  void discard(void const* owner) const noexcept {
    if (link_.observer != nullptr) link_.observer->discard(owner);
  }
  void name_stream(Stream stream, std::string_view name) const noexcept {
    if (link_.observer != nullptr) link_.observer->name_stream(stream, name);
  }

 private:
  void detach() noexcept {
    auto** link = &link_.observer->engines_;
    while (*link != &link_) link = &(*link)->before;
    *link = link_.before;
    if (link_.observer->engines_ == nullptr) link_.observer->thread_ = std::thread::id();
  }
  [[noreturn, gnu::cold]] ZERO_OUT_OF_LINE void throw_lost() {
    link_.is_lost = false;
    throw SequenceError(
        "zero::Engine: its profiler has ended before it, so that nothing is recorded any more: let the profiler live "
        "as "
        "long as the engine. The micro-batch may be begun again, and goes unrecorded");
  }

  ObserverLink<Stream> link_;
};

/// Null where nobody watches.
template <class Stream>
[[nodiscard]] profile::Observer<Stream>* observer_of(Observation<Stream> const* observation) noexcept {
  return observation == nullptr ? nullptr : observation->observer();
}

/// As long as it lives, streams are recorded into a graph, and do not run.
template <class Stream>
class [[nodiscard]] ObservationPause {
 public:
  explicit ObservationPause(Observation<Stream> const* observation) noexcept : observer_(observer_of(observation)) {
    if (observer_ != nullptr) observer_->pause();
  }
  ObservationPause(ObservationPause const&) = delete;
  ObservationPause& operator=(ObservationPause const&) = delete;
  ~ObservationPause() {
    if (observer_ != nullptr) observer_->resume();
  }

 private:
  profile::Observer<Stream>* observer_;
};

/// As long as it lives, what is put on \p stream is of one phase, and waits for other streams at most.
template <class Stream>
class [[nodiscard]] PhaseScope {
 public:
  PhaseScope(Observation<Stream> const* observation, profile::Phase phase, Stream stream) noexcept
      : observer_(observer_of(observation)), stream_(stream) {
    if (observer_ != nullptr) [[unlikely]]
      observer_->enter(phase, stream);
  }
  PhaseScope(PhaseScope const&) = delete;
  PhaseScope& operator=(PhaseScope const&) = delete;
  ~PhaseScope() {
    if (observer_ != nullptr) [[unlikely]]
      observer_->leave(stream_);
  }

 private:
  profile::Observer<Stream>* observer_;
  Stream stream_;
};

/// As long as it lives, what is put on \p stream is one operation. \p name is a literal.
template <class Stream>
class [[nodiscard]] OperationScope {
 public:
  OperationScope(Observation<Stream> const* observation, profile::Phase phase, char const* name, Stream stream) noexcept
      : OperationScope(observation, stream) {
    if (observer_ != nullptr) [[unlikely]]
      observer_->begin({.phase = phase, .name = name}, stream);
  }
  OperationScope(Observation<Stream> const* observation, profile::Operation const& operation, Stream stream) noexcept
      : OperationScope(observation, stream) {
    if (observer_ != nullptr) [[unlikely]]
      observer_->begin(operation, stream);
  }
  OperationScope(OperationScope const&) = delete;
  OperationScope& operator=(OperationScope const&) = delete;
  ~OperationScope() {
    if (observer_ != nullptr) [[unlikely]]
      observer_->end(stream_);
  }

 private:
  OperationScope(Observation<Stream> const* observation, Stream stream) noexcept
      : observer_(observer_of(observation)), stream_(stream) {}

  profile::Observer<Stream>* observer_;
  Stream stream_;
};

}  // namespace zero::detail
