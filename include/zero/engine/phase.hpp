// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string_view>
#include <utility>

namespace zero::detail {

/// What a trainer may call, in the order of EnginePhase's table.
enum class EngineCall : std::uint8_t {
  begin_micro_batch,
  gradients,
  step,
  finish_update,
  capture,
  end_of_capture,
  replay,
  read_parameter,
  write_parameter,
  read_gradient,
  write_gradient,
  read_state,
  write_state,
  take_adopted_values,
  mean_over_ranks,
  broadcast,
  state,
};

/// Where an engine stands between its calls, and which of them it may take. A call checks first, with `require`, which
/// changes nothing; what then may fail half-way runs under a guard.
class EnginePhase {
 public:
  /// Of steps of so many \p rounds. \p owner, a literal, is what errors are said to be of.
  explicit EnginePhase(int rounds, std::string_view owner = "zero::Engine") : owner_(owner), rounds_(rounds) {}
  EnginePhase(EnginePhase const&) = delete;
  EnginePhase& operator=(EnginePhase const&) = delete;

  // ------------------------------------------------------------------------------------------------- checks

  /// \throws SequenceError where \p call is not allowed now, PoisonedError, and what failed in a noexcept path.
  void require_allowed(EngineCall call) const {
    auto const& rule = rule_of(call);
    if (poison_ != nullptr || failure_ || position_ != rule.position) throw_illegal(rule);
    if (rule.rounds != Progress::any) require_progress(rule);
  }
  /// For calls that are allowed in every phase. \throws PoisonedError, and what failed in a noexcept path.
  void require_sound() const {
    if (poison_ != nullptr || failure_) throw_unsound();
  }
  /// Whether the engine is between two calls that succeeded: it knows all work that is under way.
  [[nodiscard]] bool is_quiet() const noexcept {
    return position_ == Position::between && poison_ == nullptr && !failure_;
  }
  [[nodiscard]] bool inside_micro_batch() const noexcept { return position_ == Position::inside; }
  /// Rounds of the coming step that are finished. A rank begins and finishes a micro-batch in each, which errors count.
  [[nodiscard]] int finished_rounds() const noexcept { return finished_rounds_; }
  /// Steps that were taken, recorded ones too.
  [[nodiscard]] std::uint64_t steps() const noexcept { return steps_; }

  /// Its name, as errors have it.
  [[nodiscard]] static constexpr std::string_view name_of(EngineCall call) noexcept { return rule_of(call).call; }
  /// Whether \p call can be part of a captured step.
  [[nodiscard]] static constexpr bool is_recordable(EngineCall call) noexcept { return rule_of(call).recordable; }

  // ------------------------------------------------------------------------------------------------- changes

  void begin_micro_batch() noexcept { position_ = Position::inside; }
  /// The micro-batch ended without being finished: its gradients are to be discarded.
  void abandon_micro_batch() noexcept { position_ = Position::abandoned; }
  void discard_gradients() noexcept {
    finished_rounds_ = 0;
    position_ = Position::between;
  }
  void end_step() noexcept {
    finished_rounds_ = 0;
    ++steps_;
  }
  /// Keeps the first error of a call that cannot throw, such as the end of a lease; the next call throws it.
  void record_failure(std::exception_ptr failure) noexcept {
    if (!failure_) failure_ = std::move(failure);
  }
  /// Nothing of what was called since has run: what failed in it is forgotten.
  void forget_failures() noexcept {
    poison_ = nullptr;
    failure_ = nullptr;
  }

  /// Work whose failure loses the gradients of this step, not the states: unless `commit` is reached, they are to be
  /// discarded.
  class [[nodiscard]] GradientGuard {
   public:
    explicit GradientGuard(EnginePhase& phase) noexcept : phase_(phase) { phase.position_ = Position::broken; }
    GradientGuard(GradientGuard const&) = delete;
    GradientGuard& operator=(GradientGuard const&) = delete;
    void commit() noexcept { phase_.position_ = Position::between; }
    /// The work was the end of a micro-batch.
    void commit_micro_batch() noexcept {
      ++phase_.finished_rounds_;
      commit();
    }

   private:
    EnginePhase& phase_;
  };

  /// Work whose failure leaves states half new: the engine is poisoned until `commit` is reached.
  class [[nodiscard]] UpdateGuard {
   public:
    /// \p reason completes a sentence, and is a literal.
    UpdateGuard(EnginePhase& phase, char const* reason) noexcept : phase_(phase) { phase.poison_ = reason; }
    UpdateGuard(UpdateGuard const&) = delete;
    UpdateGuard& operator=(UpdateGuard const&) = delete;
    void commit() noexcept { phase_.poison_ = nullptr; }

   private:
    EnginePhase& phase_;
  };

 private:
  enum class Position : std::uint8_t { between, inside, abandoned, broken };
  enum class Progress : std::uint8_t { any, none, all, not_all };

  struct Rule {
    std::string_view call;
    Position position;  ///< between two micro-batches, or inside of one
    Progress rounds;    ///< how many of the step's must be finished
    bool recordable;    ///< as a part of a captured step
  };
  static constexpr std::array<Rule, 17> rules{{
      {"begin_micro_batch", Position::between, Progress::not_all, true},
      {"gradients", Position::inside, Progress::any, true},
      {"step", Position::between, Progress::all, true},
      {"finish_update", Position::between, Progress::none, true},
      {"capture", Position::between, Progress::none, false},
      {"the end of a capture", Position::between, Progress::any, true},
      {"replay", Position::between, Progress::none, false},
      {"read_parameter", Position::between, Progress::any, false},
      {"write_parameter", Position::between, Progress::any, false},
      {"read_gradient", Position::between, Progress::all, false},
      {"write_gradient", Position::between, Progress::all, false},
      {"read_state", Position::between, Progress::any, false},
      {"write_state", Position::between, Progress::any, false},
      {"take_adopted_values", Position::between, Progress::any, false},
      {"mean_over_ranks", Position::between, Progress::any, false},
      {"broadcast", Position::between, Progress::any, false},
      {"state", Position::between, Progress::none, false},
  }};
  static_assert(rules.size() == static_cast<std::size_t>(EngineCall::state) + 1);
  [[nodiscard]] static constexpr Rule const& rule_of(EngineCall call) noexcept {
    return rules[static_cast<std::size_t>(call)];
  }

  void require_progress(Rule const& rule) const {
    bool const all = finished_rounds_ == rounds_;
    bool const fits = rule.rounds == Progress::none ? finished_rounds_ == 0 : rule.rounds == Progress::all ? all : !all;
    if (!fits) throw_incomplete(rule);
  }
  [[noreturn, gnu::cold]] ZERO_OUT_OF_LINE void throw_unsound() const {
    if (failure_) std::rethrow_exception(failure_);
    fail<PoisonedError>(
        {owner_, ": ", poison_, ", so states may be half new: make a new engine and load a checkpoint"});
  }
  [[noreturn, gnu::cold]] ZERO_OUT_OF_LINE void throw_illegal(Rule const& rule) const {
    require_sound();
    fail<SequenceError>(
        {owner_, ": ", rule.call,
         position_ == Position::abandoned ? " after a micro-batch that ended without finish(), because the call was "
                                            "forgotten, what begin_micro_batch() returned was not kept, or an "
                                            "exception came before it: call discard_gradients() first"
         : position_ == Position::broken  ? " after a micro-batch or step that failed: call discard_gradients() first"
         : position_ == Position::inside  ? " inside a micro-batch: call its finish() first"
                                          : " outside of a micro-batch: call begin_micro_batch() first"});
  }
  [[noreturn, gnu::cold]] ZERO_OUT_OF_LINE void throw_incomplete(Rule const& rule) const {
    if (rule.rounds == Progress::not_all) {
      if (rounds_ == 1) fail<SequenceError>({owner_, ": the micro-batch of this step is done: call step()"});
      fail<SequenceError>({owner_, ": all ", rounds_, " micro-batches of this step are done: call step()"});
    }
    bool const one = rounds_ == 1;
    auto const of_all =
        concat({" after ", finished_rounds_, " of ", counted(static_cast<std::uint64_t>(rounds_), "micro-batch")});
    if (&rule == &rules.back()) {
      fail<SequenceError>({owner_, ": a checkpoint", of_all, " would lose ", one ? "its" : "their",
                           " gradients: call step() first, or discard_gradients()"});
    }
    char const* const cure = rule.rounds == Progress::all  ? (one ? "finish it" : "finish them")
                             : finished_rounds_ == rounds_ ? "call step()"
                                                           : "finish the others and call step()";
    fail<SequenceError>({owner_, ": ", rule.call, of_all, ": ", cure, " first, or discard_gradients()"});
  }

  std::string_view owner_;
  int rounds_;
  int finished_rounds_ = 0;
  std::uint64_t steps_ = 0;
  Position position_ = Position::between;
  char const* poison_ = nullptr;  // why the states cannot be trusted any more
  std::exception_ptr failure_;
};

}  // namespace zero::detail
