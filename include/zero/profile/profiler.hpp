// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/backend.hpp>
#include <zero/error.hpp>
#include <zero/profile/communication_log.hpp>
#include <zero/profile/detail/bounded_stack.hpp>
#include <zero/profile/detail/phase_stack.hpp>
#include <zero/profile/detail/span_queue.hpp>
#include <zero/profile/detail/step_history.hpp>
#include <zero/profile/detail/stream_names.hpp>
#include <zero/profile/observer.hpp>
#include <zero/profile/phase.hpp>
#include <zero/profile/span.hpp>
#include <zero/profile/step_breakdown.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace zero::profile {

/// Times the steps of one rank by its streams' own events: an engine is given its address in EngineConfig::profiler.
/// What a stream spends on an operation or a phase is a Span; the breakdown of steps, the communication log and the
/// spans that a trace shows are all made of these. It never waits for a stream, but in `prepare`, when an engine is
/// made, and in `drain`: times are read once their events have passed, a step or more later.
///
/// The caller's stream, the one of `begin_micro_batch` and `step`, is cut into phases without a gap: data, forward,
/// backward and update follow from the engine's calls, waits for parameters and gradients are gather and reduce. A step
/// lasts from its first micro-batch, or from a `phase` before it, to the end of `step`. What other streams run is busy
/// time beside it, and exposed where the caller's stream waits. On a backend whose operations run at once everything is
/// exposed. A captured step is one span, Phase::captured.
///
/// It does not change a step's results, and what it puts on streams is events alone. Memory is allocated at
/// construction; spans that there is no room for are dropped and counted. Used by the thread of its engine; one device.
template <class Backend>
class Profiler final : public Observer<typename Backend::Stream> {
  static_assert(timing_backend<Backend>,
                "zero::profile::Profiler: this backend does not time its streams: use zero::HostBackend or "
                "zero::CudaBackend, or give yours a TimedEvent and the fact times_streams");

 public:
  /// What operations are put on; a trivially copyable reference.
  using Stream = typename Backend::Stream;

  /// How much it keeps.
  struct Config {
    std::size_t spans = 8192;               ///< under way at once, over all streams
    std::size_t steps = 64;                 ///< breakdowns that nobody has taken; older ones go
    std::function<std::int64_t()> clock{};  ///< nanoseconds, of the host; default: the steady clock
    Observer<Stream>* also = nullptr;       ///< is told of everything, too, such as NvtxRanges; borrowed
  };

  /// Ends what it was returned for. Move-only; ends before its profiler.
  class [[nodiscard]] Scope {
   public:
    /// What `phase` and `operation` return.
    Scope(Profiler& profiler, Stream stream, std::uint64_t serial, bool is_operation) noexcept
        : profiler_(&profiler), stream_(stream), serial_(serial), is_operation_(is_operation) {}
    /// Leaves \p other empty.
    Scope(Scope&& other) noexcept
        : profiler_(std::exchange(other.profiler_, nullptr)),
          stream_(other.stream_),
          serial_(other.serial_),
          is_operation_(other.is_operation_) {}
    Scope& operator=(Scope&&) = delete;
    ~Scope() {
      if (profiler_ != nullptr) profiler_->end_scope(stream_, serial_, is_operation_);
    }

   private:
    Profiler* profiler_;
    Stream stream_;
    std::uint64_t serial_;
    bool is_operation_;
  };

  Profiler() : Profiler(Config()) {}
  /// \throws ConfigurationError where there is room for less than 64 spans or for no step.
  explicit Profiler(Config config)
      : also_(config.also), queue_(check_spans(config).spans, std::move(config.clock)), steps_(config.steps) {}

  // ------------------------------------------------------------------------------------------------- marks

  /// What is put on \p stream until the scope ends is of \p phase. Outside of a step it begins the next one. Scopes
  /// nest; the innermost one counts, and within it what the engine waits for.
  [[nodiscard]] Scope phase(Phase phase, Stream stream) {
    if (!open_ && pauses_ == 0) open_step(nullptr, Phase::data, stream);
    if (also_ != nullptr) also_->enter(phase, stream);
    push_phase(phase, true, stream);
    return {*this, stream, serial_, false};
  }
  /// What is put on \p stream until the scope ends is \p operation: such as a collective of the trainer's own, which
  /// the communication log then has.
  [[nodiscard]] Scope operation(Operation const& operation, Stream stream) {
    begin(operation, stream);
    return {*this, stream, serial_, true};
  }

  // ------------------------------------------------------------------------------------------------- results

  /// Takes in what has run since. Does not block. Called at the end of every step. \throws whatever an event has failed
  /// with; nothing is recorded after that.
  void collect() {
    if (!failure_) try_collect();
    if (failure_) std::rethrow_exception(failure_);
  }
  /// The same, once all that was recorded has run: blocks the host.
  void drain() {
    if (!failure_) queue_.wait();
    collect();
  }
  /// The oldest step that has ended on all streams and was not taken yet; nothing where there is none.
  [[nodiscard]] std::optional<StepBreakdown> take_step() { return steps_.take(); }
  /// The sum of all steps that `take_step` would return.
  [[nodiscard]] StepBreakdown take_steps() {
    StepBreakdown sum;
    while (auto const step = take_step()) sum += *step;
    return sum;
  }
  /// All collectives that have run so far.
  [[nodiscard]] CommunicationLog& communication() noexcept { return communication_; }
  /// Keeps spans that begin from here on, up to \p capacity of them, until `stop_keeping`.
  void keep_spans(std::size_t capacity) {
    kept_.reserve(capacity);
    queue_.set_keeping(true);
  }
  /// Spans that begin from here on are not kept.
  void stop_keeping() noexcept { queue_.set_keeping(false); }
  /// Those that were kept and have ended. Call `drain` before, to have them all.
  [[nodiscard]] std::vector<Span> take_spans() { return std::exchange(kept_, {}); }
  /// Name of the stream of a span.
  [[nodiscard]] std::string_view stream_name(std::uint32_t stream) const { return streams_.name(stream); }
  /// The number of the last step that was begun, from 1; 0: none.
  [[nodiscard]] std::uint64_t step() const noexcept { return step_; }
  /// Spans that there was no room for.
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }

  // ------------------------------------------------------------------------------------------------- as an observer

  /// As Observer has it; waits for \p communication once.
  void prepare(Stream communication) override {
    if (also_ != nullptr) also_->prepare(communication);
    queue_.set_base(communication);
  }
  /// As Observer has it.
  void name_stream(Stream stream, std::string_view name) noexcept override {
    if (also_ != nullptr) also_->name_stream(stream, name);
    attempt([&] { streams_.set_name(stream, name); });
  }
  /// As Observer has it.
  void begin_micro_batch(void const* owner, Stream stream) override {
    expect_owner(owner);
    if (also_ != nullptr) also_->begin_micro_batch(owner, stream);
    go_on(owner, Phase::forward, stream);
  }
  /// As Observer has it.
  void begin_backward(Stream stream) noexcept override {
    if (also_ != nullptr) also_->begin_backward(stream);
    if (open_ && phases_.base() == Phase::forward) set_base(Phase::backward, main_);
  }
  /// As Observer has it.
  void end_micro_batch(Stream stream) noexcept override {
    if (also_ != nullptr) also_->end_micro_batch(stream);
    if (pauses_ > 0) return;
    if (open_) set_base(Phase::data, stream);
    attempt([&] { try_collect(); });
  }
  /// As Observer has it.
  void begin_step(void const* owner, Phase phase, Stream stream) override {
    expect_owner(owner);
    if (also_ != nullptr) also_->begin_step(owner, phase, stream);
    go_on(owner, phase, stream);
  }
  /// As Observer has it.
  void end_step(Stream stream) noexcept override {
    if (also_ != nullptr) also_->end_step(stream);
    if (!open_ || pauses_ > 0) return;
    attempt([&] { queue_.end_step(stream, std::exchange(dropped_in_step_, 0)); });
    close();
    attempt([&] { try_collect(); });
  }
  /// As Observer has it.
  void discard(void const* owner) noexcept override {
    if (also_ != nullptr) also_->discard(owner);
    if (!open_ || pauses_ > 0 || (owner_ != owner && owner_ != nullptr)) return;
    attempt([&] { queue_.discard_step(main_); });
    dropped_in_step_ = 0;
    --step_;
    close();
  }
  /// As Observer has it.
  void pause() noexcept override {
    if (also_ != nullptr) also_->pause();
    ++pauses_;
  }
  /// As Observer has it.
  void resume() noexcept override {
    if (also_ != nullptr) also_->resume();
    --pauses_;
  }
  /// As Observer has it.
  void enter(Phase phase, Stream stream) noexcept override {
    if (also_ != nullptr) also_->enter(phase, stream);
    push_phase(phase, false, stream);
  }
  /// As Observer has it.
  void leave(Stream stream) noexcept override {
    if (also_ != nullptr) also_->leave(stream);
    pop_phase();
  }
  /// As Observer has it.
  void begin(Operation const& operation, Stream stream) noexcept override {
    if (also_ != nullptr) also_->begin(operation, stream);
    bool const carves = counts(stream);
    Running running{carves, Queue::none};
    attempt([&] {
      if (is_silent()) return;
      Span const span{.operation = operation,
                      .stream = streams_.number_of(stream),
                      .step = open_ ? step_ : 0,
                      .runs = true,
                      .exposed = carves};
      if (carves) note(queue_.cut(span, stream));
      if (!carves) note((running.span = queue_.open(span, stream)) != Queue::none);
    });
    if (carves) phases_.push({operation.phase, true, true});
    running_.push(running);
  }
  /// As Observer has it.
  void end(Stream stream) noexcept override {
    if (also_ != nullptr) also_->end(stream);
    auto const running = running_.pop();
    if (running.carves) phases_.pop();
    attempt([&] {
      if (is_silent()) return;
      if (running.carves) note(queue_.cut(segment(), stream));
      if (running.span != Queue::none) note(queue_.close(running.span, stream));
    });
  }

 private:
  using Queue = zero::detail::SpanQueue<Backend>;

  struct Running {
    bool carves = false;  // it is a part of the caller's stream
    std::uint64_t span = Queue::none;
  };

  static Config const& check_spans(Config const& config) {
    if (config.spans < 64 || config.steps < 1) {
      throw ConfigurationError(
          "zero::profile::Profiler: needs room for 64 spans and 1 step at least: raise spans and steps");
    }
    return config;
  }

  void expect_owner(void const* owner) const {
    if (!open_ || owner_ == nullptr || owner_ == owner) return;
    throw SequenceError(
        "zero::profile::Profiler: a step begins while one of another engine is open: give each engine a profiler of "
        "its "
        "own, or let them take one zero::JointStep");
  }

  [[nodiscard]] bool is_silent() const noexcept { return pauses_ > 0 || failure_ != nullptr; }
  template <class Function>
  void attempt(Function const& f) noexcept {
    try {
      f();
    } catch (...) {
      if (!failure_) failure_ = std::current_exception();
    }
  }
  void note(bool has_room) noexcept {
    if (has_room) return;
    ++dropped_;
    ++dropped_in_step_;
  }

  // Whether what is put on `stream` now takes time of the caller's stream.
  [[nodiscard]] bool counts(Stream stream) const noexcept {
    return open_ && (Backend::facts.runs_at_once || stream == main_);
  }
  // What the caller's stream does now.
  [[nodiscard]] Span segment() {
    auto const now = phases_.top();
    return {.operation = {.phase = now.phase, .name = name(now.phase)},
            .stream = streams_.number_of(main_),
            .step = step_,
            .runs = now.runs,
            .exposed = true};
  }
  void cut() noexcept {
    attempt([&] {
      if (!is_silent()) note(queue_.cut(segment(), main_));
    });
  }

  void go_on(void const* owner, Phase phase, Stream stream) {
    if (pauses_ > 0) return;
    if (!open_) return open_step(owner, phase, stream);
    owner_ = owner;
    set_base(phase, stream);
  }
  void open_step(void const* owner, Phase phase, Stream stream) {
    open_ = true;
    owner_ = owner;
    phases_.set_base(phase);
    main_ = stream;
    ++step_;
    attempt([&] { streams_.set_name(stream, "compute"); });
    cut();
  }
  void close() noexcept {
    open_ = false;
    owner_ = nullptr;
    phases_.clear();
    running_ = {};
    ++serial_;
  }
  void set_base(Phase phase, Stream stream) noexcept {
    auto const before = phases_.top().phase;
    bool const moves = !(stream == main_);
    phases_.set_base(phase);
    main_ = stream;
    if (moves || phases_.top().phase != before) cut();
  }
  void push_phase(Phase phase, bool runs, Stream stream) noexcept {
    auto const before = phases_.top().phase;
    phases_.push({phase, runs, open_ && stream == main_});
    if (open_ && phases_.top().phase != before) cut();
  }
  void pop_phase() noexcept {
    auto const before = phases_.top().phase;
    phases_.pop();
    if (open_ && phases_.top().phase != before) cut();
  }
  void end_scope(Stream stream, std::uint64_t serial, bool is_operation) noexcept {
    if (serial == serial_) {
      if (is_operation) return end(stream);
      return leave(stream);
    }
    if (also_ == nullptr) return;  // its step has ended before it
    if (is_operation) return also_->end(stream);
    also_->leave(stream);
  }

  void try_collect() {
    queue_.collect([this](Span const& span, bool keeps) { take(span, keeps); },
                   [this](std::uint64_t dropped) { steps_.finish(dropped); }, [this] { steps_.discard(); });
  }
  void take(Span const& span, bool keeps) {
    if (span.step != 0) steps_.add(span);
    communication_.add(span);
    if (!keeps) return;
    if (kept_.size() == kept_.capacity()) {
      ++dropped_;
      return;
    }
    kept_.push_back(span);
  }

  Observer<Stream>* also_;
  Queue queue_;
  zero::detail::StreamNames<Stream> streams_;
  zero::detail::PhaseStack phases_;  // of the step, as far as its caller's stream goes
  zero::detail::BoundedStack<Running> running_;
  bool open_ = false;            // a step is
  void const* owner_ = nullptr;  // of the step; null: only the caller has begun it
  Stream main_{};                // the caller's, of the step
  std::uint64_t step_ = 0;
  std::uint64_t serial_ = 0;  // of steps, discarded ones too
  int pauses_ = 0;
  std::uint64_t dropped_ = 0;
  std::uint64_t dropped_in_step_ = 0;
  std::exception_ptr failure_;
  zero::detail::StepHistory steps_;
  CommunicationLog communication_;
  std::vector<Span> kept_;
};

}  // namespace zero::profile
