// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/engine/phase.hpp>
#include <zero/error.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <typeinfo>
#include <utility>

namespace engine_phase_test {

using Call = zero::detail::EngineCall;
using Phase = zero::detail::EnginePhase;

namespace {

/// Where an engine of two micro-batches per step can stand.
enum class Where { none_finished, one_finished, all_finished, inside, abandoned, broken };
constexpr std::array places{Where::none_finished, Where::one_finished, Where::all_finished,
                            Where::inside,        Where::abandoned,    Where::broken};

void finish_micro_batch(Phase& phase) {
  phase.begin_micro_batch();
  Phase::GradientGuard(phase).commit_micro_batch();
}

void bring(Phase& phase, Where where) {
  if (where == Where::inside) return phase.begin_micro_batch();
  if (where == Where::abandoned) return phase.abandon_micro_batch();
  if (where == Where::broken) {
    Phase::GradientGuard const failed(phase);
    return;
  }
  if (where != Where::none_finished) finish_micro_batch(phase);
  if (where == Where::all_finished) finish_micro_batch(phase);
}

/// What the engine says to a call, after its own name; empty where the call is allowed.
struct Row {
  Call call;
  std::array<std::string, places.size()> expected;
};

std::string const allowed;
std::string const inside = " inside a micro-batch: call its finish() first";
std::string const outside = " outside of a micro-batch: call begin_micro_batch() first";
std::string const abandoned =
    " after a micro-batch that ended without finish(), because the call was forgotten, what begin_micro_batch() "
    "returned was not kept, or an exception came before it: call discard_gradients() first";
std::string const broken = " after a micro-batch or step that failed: call discard_gradients() first";
std::string const after_none = " after 0 of 2 micro-batches: finish them first, or discard_gradients()";
std::string const after_one = " after 1 of 2 micro-batches: finish them first, or discard_gradients()";
std::string const before_step =
    " after 1 of 2 micro-batches: finish the others and call step() first, or discard_gradients()";
std::string const after_all = " after 2 of 2 micro-batches: call step() first, or discard_gradients()";
std::string const all_done = "all 2 micro-batches of this step are done: call step()";

Row anywhere_between(Call call, std::string const& name) {
  return {call, {allowed, allowed, allowed, name + inside, name + abandoned, name + broken}};
}
Row with_all(Call call, std::string const& name) {
  return {call, {name + after_none, name + after_one, allowed, name + inside, name + abandoned, name + broken}};
}
Row with_none(Call call, std::string const& name) {
  return {call, {allowed, name + before_step, name + after_all, name + inside, name + abandoned, name + broken}};
}
std::string checkpoint(int finished) {
  return "a checkpoint after " + std::to_string(finished) +
         " of 2 micro-batches would lose their gradients: call step() first, or discard_gradients()";
}

std::array<Row, 17> table() {
  return {{{Call::begin_micro_batch,
            {allowed, allowed, all_done, "begin_micro_batch" + inside, "begin_micro_batch" + abandoned,
             "begin_micro_batch" + broken}},
           {Call::gradients,
            {"gradients" + outside, "gradients" + outside, "gradients" + outside, allowed, "gradients" + abandoned,
             "gradients" + broken}},
           with_all(Call::step, "step"),
           with_none(Call::finish_update, "finish_update"),
           with_none(Call::capture, "capture"),
           anywhere_between(Call::end_of_capture, "the end of a capture"),
           with_none(Call::replay, "replay"),
           anywhere_between(Call::read_parameter, "read_parameter"),
           anywhere_between(Call::write_parameter, "write_parameter"),
           with_all(Call::read_gradient, "read_gradient"),
           with_all(Call::write_gradient, "write_gradient"),
           anywhere_between(Call::read_state, "read_state"),
           anywhere_between(Call::write_state, "write_state"),
           anywhere_between(Call::take_adopted_values, "take_adopted_values"),
           anywhere_between(Call::mean_over_ranks, "mean_over_ranks"),
           anywhere_between(Call::broadcast, "broadcast"),
           {Call::state,
            {allowed, checkpoint(1), checkpoint(2), "state" + inside, "state" + abandoned, "state" + broken}}}};
}

/// What \p f throws, which must be an Error of exactly that type; empty where it throws nothing.
template <class Error, class F>
std::string message_of(F const& f) {
  try {
    f();
  } catch (std::exception const& error) {
    CHECK(typeid(error) == typeid(Error));
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("engine phase: every call is allowed in its phases, and says in all others what to do first") {
  auto const rows = table();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CHECK(static_cast<std::size_t>(rows[i].call) == i);
    for (std::size_t w = 0; w < places.size(); ++w) {
      CAPTURE(i);
      CAPTURE(w);
      Phase phase(2);
      bring(phase, places[w]);
      auto const message = message_of<zero::SequenceError>([&] { phase.require_allowed(rows[i].call); });
      CHECK(message == (rows[i].expected[w].empty() ? std::string() : "zero::Engine: " + rows[i].expected[w]));
    }
  }
}

TEST_CASE("engine phase: a check changes nothing") {
  for (auto const where : places) {
    Phase asked(2), other(2);
    bring(asked, where);
    bring(other, where);
    for (auto const& row : table()) (void)message_of<zero::SequenceError>([&] { asked.require_allowed(row.call); });
    CHECK(asked.is_quiet() == other.is_quiet());
    CHECK(asked.inside_micro_batch() == other.inside_micro_batch());
    CHECK(asked.finished_rounds() == other.finished_rounds());
    CHECK(asked.steps() == other.steps());
  }
}

TEST_CASE("engine phase: a half-done update poisons every call in every phase") {
  for (auto const where : places) {
    for (auto const& row : table()) {
      Phase phase(2);
      bring(phase, where);
      { Phase::UpdateGuard const unfinished(phase, "an update did not end"); }
      std::string const expected =
          "zero::Engine: an update did not end, so states may be half new: make a new engine and load a checkpoint";
      CHECK(message_of<zero::PoisonedError>([&] { phase.require_allowed(row.call); }) == expected);
      CHECK(message_of<zero::PoisonedError>([&] { phase.require_sound(); }) == expected);
      CHECK(!phase.is_quiet());
    }
  }
}

TEST_CASE("engine phase: an update that ends leaves the phase as it was, and poisons until then") {
  Phase phase(1);
  {
    Phase::UpdateGuard update(phase, "an update did not end");
    CHECK(!phase.is_quiet());
    CHECK_THROWS_AS(phase.require_sound(), zero::PoisonedError);
    update.commit();
    phase.require_sound();
  }
  CHECK(phase.is_quiet());
  phase.require_allowed(Call::begin_micro_batch);
}

TEST_CASE("engine phase: work on gradients that fails asks for discard_gradients, and no more") {
  Phase phase(2);
  finish_micro_batch(phase);
  { Phase::GradientGuard const unfinished(phase); }
  CHECK(!phase.is_quiet());
  CHECK(phase.finished_rounds() == 1);
  CHECK_THROWS_AS(phase.require_allowed(Call::begin_micro_batch), zero::SequenceError);
  phase.require_sound();  // states are whole
  phase.discard_gradients();
  CHECK(phase.is_quiet());
  CHECK(phase.finished_rounds() == 0);
  phase.require_allowed(Call::begin_micro_batch);
}

TEST_CASE("engine phase: gradients are broken while work on them is under way, and whole once it has ended") {
  Phase phase(1);
  finish_micro_batch(phase);
  {
    Phase::GradientGuard norm(phase);
    CHECK_THROWS_AS(phase.require_allowed(Call::step), zero::SequenceError);
    norm.commit();
    phase.require_allowed(Call::step);
  }
  CHECK(phase.finished_rounds() == 1);  // it was not the end of a micro-batch
}

TEST_CASE("engine phase: micro-batches and steps are counted") {
  Phase phase(2);
  for (std::uint64_t step = 0; step < 3; ++step) {
    CHECK(phase.steps() == step);
    for (int k = 0; k < 2; ++k) {
      CHECK(phase.finished_rounds() == k);
      phase.require_allowed(Call::begin_micro_batch);
      phase.begin_micro_batch();
      CHECK(phase.inside_micro_batch());
      CHECK(!phase.is_quiet());
      Phase::GradientGuard(phase).commit_micro_batch();
      CHECK(!phase.inside_micro_batch());
    }
    phase.require_allowed(Call::step);
    phase.end_step();
  }
  phase.begin_micro_batch();
  phase.discard_gradients();
  CHECK(phase.steps() == 3);
  CHECK(phase.is_quiet());
}

TEST_CASE("engine phase: what fails where nothing may be thrown is thrown by every later call, the first error only") {
  static_assert(noexcept(std::declval<Phase&>().record_failure(nullptr)));
  static_assert(noexcept(std::declval<Phase&>().abandon_micro_batch()));
  for (auto const where : places) {
    Phase phase(2);
    bring(phase, where);
    phase.record_failure(std::make_exception_ptr(zero::LeaseError("the end of a lease failed")));
    phase.record_failure(std::make_exception_ptr(std::runtime_error("a consequence")));
    CHECK(!phase.is_quiet());
    for (auto const& row : table()) {
      CHECK(message_of<zero::LeaseError>([&] { phase.require_allowed(row.call); }) == "the end of a lease failed");
    }
    CHECK(message_of<zero::LeaseError>([&] { phase.require_sound(); }) == "the end of a lease failed");
    phase.discard_gradients();  // the gradients are gone, the failure is not
    CHECK(message_of<zero::LeaseError>([&] { phase.require_sound(); }) == "the end of a lease failed");
  }
}

TEST_CASE("engine phase: the cause of a half-done update is told before the poison, and a capture forgets both") {
  Phase phase(2);
  { Phase::UpdateGuard const unfinished(phase, "an update did not end"); }
  phase.record_failure(std::make_exception_ptr(zero::LeaseError("the end of a lease failed")));
  CHECK(message_of<zero::LeaseError>([&] { phase.require_allowed(Call::step); }) == "the end of a lease failed");
  phase.forget_failures();
  phase.require_sound();
  phase.require_allowed(Call::begin_micro_batch);
  phase.record_failure(std::make_exception_ptr(std::runtime_error("another")));  // the first since
  CHECK(message_of<std::runtime_error>([&] { phase.require_sound(); }) == "another");
}

}  // namespace engine_phase_test
