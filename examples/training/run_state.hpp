// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/checkpoint/manifest.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace training {

/// How far a run is, in what its program counts to people.
struct RunLength {
  std::uint64_t done = 0, all = 0;
  char const* unit = "steps";
  char const* option = "--iterations";  ///< which says `all`
};

/// What a run knows of itself beside model and optimizer. It goes into checkpoints, so that a run that is resumed goes
/// on as one that was not stopped would have. The same on every rank.
struct RunState {
  std::string items_key = "tokens";  ///< what a program counts, as its checkpoints call it
  std::uint64_t items = 0;           ///< drawn by all ranks
  double epoch = 0.0;                ///< those of the data that are trained on now, divided by the items of these
  std::uint64_t data_start = 0;      ///< items drawn of other data before

  /// Counts \p drawn more items, of data that have \p whole.
  void draw(std::uint64_t drawn, std::uint64_t whole) noexcept {
    items += drawn;
    epoch = static_cast<double>(items - data_start) / static_cast<double>(whole);
  }

  /// Goes on with other data: what was counted and judged by those before begins anew.
  void begin_data() noexcept {
    data_start = items;
    epoch = 0.0;
    begin_validations();
  }

  // ------------------------------------------------------------------------------------------------- validations

  /// Goes on with other data to validate on: their losses are not those before.
  void begin_validations() noexcept {
    best_loss.reset();
    best_step = 0;
    to_beat.reset();
    in_vain = 0;
  }

  std::optional<double> best_loss{};  ///< the lowest of all validations
  std::uint64_t best_step = 0;        ///< whose that was
  std::optional<double> to_beat{};    ///< the last one that was an improvement for --patience
  std::uint64_t in_vain = 0;          ///< validations since then

  /// Takes the validation after \p step into account. Whether it is the best so far. What is not lower than the last
  /// improvement by more than \p min_delta, or not finite, is none.
  bool take_validation(std::uint64_t step, double loss, double min_delta);
  /// Why it stops.
  [[nodiscard]] std::string no_improvement() const;
  /// Whether \p patience has an end; that of 0 has none.
  [[nodiscard]] bool should_stop(std::uint64_t patience) const noexcept { return patience > 0 && in_vain >= patience; }

  /// Why a run of \p length has nothing left to do; nothing where it has.
  [[nodiscard]] std::optional<std::string> nothing_to_train(RunLength const& length, std::uint64_t patience) const;

  // ------------------------------------------------------------------------------------------------- schedule

  std::uint64_t schedule_start = 0;  ///< the step at which the learning rate's schedule begins

  /// Begins the schedule anew behind \p step, and waiting for improvements with it.
  void begin_schedule(std::uint64_t step) noexcept {
    schedule_start = step;
    in_vain = 0;
  }

  // ------------------------------------------------------------------------------------------------- checkpoints

  std::string client{};  ///< a user's own JSON, if there is any

  void write(zero::UserState& to) const;
  /// What is missing, as in checkpoints of earlier versions, stays as it is.
  void read(zero::UserState const& from);
};

}  // namespace training
