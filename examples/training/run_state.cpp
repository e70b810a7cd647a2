// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "run_state.hpp"

#include "progress.hpp"
#include "support/counted.hpp"

#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>

namespace training {
namespace {

// What a checkpoint calls them.
constexpr char const *epoch_key = "epoch", *best_key = "best validation", *best_step_key = "best step",
                     *to_beat_key = "validation to beat", *in_vain_key = "validations in vain",
                     *schedule_key = "schedule start", *client_key = "client", *data_start_key = "data start";

std::optional<std::string> find(zero::UserState const& state, char const* key) {
  auto const found = state.find(key);
  return found == state.end() ? std::nullopt : std::optional(found->second);
}
void read_to(std::uint64_t& to, zero::UserState const& state, char const* key) {
  if (auto const text = find(state, key)) to = std::strtoull(text->c_str(), nullptr, 10);
}
void read_to(std::optional<double>& to, zero::UserState const& state, char const* key) {
  if (auto const text = find(state, key)) to = std::strtod(text->c_str(), nullptr);
}

}  // namespace

bool RunState::take_validation(std::uint64_t step, double loss, double min_delta) {
  bool const improves = std::isfinite(loss) && (!to_beat || loss < *to_beat - min_delta);
  if (improves) to_beat = loss;
  in_vain = improves ? 0 : in_vain + 1;
  bool const is_best = std::isfinite(loss) && (!best_loss || loss < *best_loss);
  if (is_best) best_loss = loss, best_step = step;
  return is_best;
}

std::string RunState::no_improvement() const {
  auto const many = command_line::counted(in_vain, "validation");
  return to_beat ? "no improvement in " + many + " since the one of " + json_number(to_beat)
                 : "none of " + many + " is finite";
}

std::optional<std::string> RunState::nothing_to_train(RunLength const& length, std::uint64_t patience) const {
  auto const done = std::to_string(length.done);
  if (length.done >= length.all) {
    return done + " of " + std::to_string(length.all) + " " + length.unit + " are done; " + length.option +
           " says how many in all";
  }
  if (!should_stop(patience)) return std::nullopt;
  return "it was stopped early, after " + done + " " + length.unit + "; a larger --patience goes on";
}

void RunState::write(zero::UserState& to) const {
  to[items_key] = std::to_string(items);
  to[epoch_key] = json_number(epoch);
  if (best_loss) {
    to[best_key] = json_number(best_loss);
    to[best_step_key] = std::to_string(best_step);
  }
  if (to_beat && to_beat != best_loss) to[to_beat_key] = json_number(to_beat);
  if (in_vain > 0) to[in_vain_key] = std::to_string(in_vain);
  if (!client.empty()) to[client_key] = client;
  if (schedule_start > 0) to[schedule_key] = std::to_string(schedule_start);
  if (data_start > 0) to[data_start_key] = std::to_string(data_start);
}

void RunState::read(zero::UserState const& from) {
  read_to(items, from, items_key.c_str());
  if (auto const text = find(from, epoch_key)) epoch = std::strtod(text->c_str(), nullptr);
  read_to(best_loss, from, best_key);
  read_to(best_step, from, best_step_key);
  to_beat = best_loss;  // unless it is another one
  read_to(to_beat, from, to_beat_key);
  read_to(in_vain, from, in_vain_key);
  read_to(schedule_start, from, schedule_key);
  read_to(data_start, from, data_start_key);
  if (auto const text = find(from, client_key)) client = *text;
}

}  // namespace training
