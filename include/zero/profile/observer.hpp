// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/error.hpp>
#include <zero/profile/phase.hpp>

#include <atomic>
#include <cstddef>
#include <string_view>
#include <thread>

namespace zero {
namespace profile {
template <class Stream>
class Observer;
}  // namespace profile

namespace detail {

/// Ties an engine to its observer, for whichever ends first.
template <class Stream>
struct ObserverLink {
  profile::Observer<Stream>* observer = nullptr;  ///< null: nobody watches
  ObserverLink* before = nullptr;                 ///< another engine of the same observer
  bool is_lost = false;                           ///< the observer has ended first
};

template <class Stream>
class Observation;

}  // namespace detail

namespace profile {

/// One thing that an engine, or a trainer, puts on a stream. Texts are literals: they are kept, not copied.
struct Operation {
  Phase phase = Phase::other;                          ///< what it counts as
  std::string_view name;                               ///< such as "all_gather"
  std::string_view purpose{};                          ///< of a collective; as CollectivePurpose::what
  std::size_t bucket = CommunicationError::no_bucket;  ///< that it works on, or none
  std::size_t bytes = 0;                               ///< of a collective: what all ranks hold of it together
  int ranks = 0;                                       ///< that take part; 0: it is no collective
};

/// Watches the steps of an engine, which is given its address in EngineConfig::profiler: Profiler is one, and so are
/// NvtxRanges. An engine calls it in the order of its own calls, from the thread that uses the engine. Nothing may
/// block there, and only the functions that say so may throw.
///
/// It may watch several engines of one thread, which take steps in turn or as one JointStep. It should end after them:
/// an engine whose observer has ended throws SequenceError at its next micro-batch, once, and goes on unobserved.
template <class Stream>
class Observer {
 public:
  Observer() = default;
  Observer(Observer const&) = delete;
  Observer& operator=(Observer const&) = delete;
  virtual ~Observer() {
    for (auto* engine = engines_; engine != nullptr;) {
      auto* const next = engine->before;
      engine->observer = nullptr;
      engine->before = nullptr;
      engine->is_lost = true;
      engine = next;
    }
  }

  /// An engine is made, whose collectives run on \p communication. May block.
  virtual void prepare(Stream communication) = 0;
  /// \p stream is called \p name from now on.
  virtual void name_stream(Stream stream, std::string_view name) noexcept = 0;

  /// A micro-batch of \p owner, an engine or a joint step, begins; \p stream is the one that its time is taken on.
  /// \throws SequenceError where a step of another owner is open; the micro-batch does not begin then.
  virtual void begin_micro_batch(void const* owner, Stream stream) = 0;
  /// A lease of gradients is taken in a micro-batch: of all of its leases.
  virtual void begin_backward(Stream stream) noexcept = 0;
  /// The micro-batch has been finished.
  virtual void end_micro_batch(Stream stream) noexcept = 0;
  /// A step is taken: Phase::update, or Phase::captured where a captured one is replayed. \throws as
  /// `begin_micro_batch`.
  virtual void begin_step(void const* owner, Phase phase, Stream stream) = 0;
  /// All of the step has been put on streams.
  virtual void end_step(Stream stream) noexcept = 0;
  /// The open step of \p owner, if it has one, will not be taken.
  virtual void discard(void const* owner) noexcept = 0;
  /// From here to `resume` what is put on streams is recorded into a graph, and does not run.
  virtual void pause() noexcept = 0;
  /// Streams run again.
  virtual void resume() noexcept = 0;

  /// From here to `leave` what is put on \p stream is of \p phase; it may only wait there for other streams. Pairs
  /// nest.
  virtual void enter(Phase phase, Stream stream) noexcept = 0;
  /// Ends the last `enter`.
  virtual void leave(Stream stream) noexcept = 0;
  /// From here to `end` what is put on \p stream is \p operation. Pairs may nest.
  virtual void begin(Operation const& operation, Stream stream) noexcept = 0;
  /// Ends the last `begin`.
  virtual void end(Stream stream) noexcept = 0;

 private:
  friend class detail::Observation<Stream>;

  std::atomic<std::thread::id> thread_{};            // of the engines that it watches
  detail::ObserverLink<Stream>* engines_ = nullptr;  // the last one; each knows the one before
};

}  // namespace profile

}  // namespace zero
