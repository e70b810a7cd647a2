// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/rank_agreement.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <vector>

namespace zero::detail {

/// How a call for a checkpoint fails: every rank throws the CheckpointError of the first rank that failed.
struct CheckpointFailures {
  static LocalOutcome outcome_of(std::exception_ptr const& error) {
    try {
      std::rethrow_exception(error);
    } catch (CheckpointError const& known) {
      return {code_of(known.kind()), known.what()};
    } catch (...) {
      return {code_of(CheckpointFailure::input_output), "zero: " + text_of(error)};
    }
  }
  [[noreturn]] static void raise(std::exception_ptr const& /*mine*/, RankTexts const& outcomes, std::size_t failed) {
    auto const rank = outcomes.size() == 1 ? std::string() : concat({"rank ", failed, ": "});
    throw CheckpointError(static_cast<CheckpointFailure>(outcomes.code(failed) - 1),
                          rank + std::string(outcomes[failed]));
  }

 private:
  static std::uint8_t code_of(CheckpointFailure kind) { return static_cast<std::uint8_t>(static_cast<int>(kind) + 1); }
};

/// The text of rank 0, which alone runs \p f. \throws CheckpointError, the same on every rank. Collective, blocks.
template <class Ranks, class Function>
std::string run_on_rank_0(Ranks& ranks, Function&& f) {
  return std::string(
      run_on_all_ranks<CheckpointFailures>(ranks, [&] { return ranks.rank() == 0 ? f() : std::string(); })[0]);
}

/// The same for a list of texts, none of which holds a 0.
template <class Ranks, class Function>
std::vector<std::string> list_on_rank_0(Ranks& ranks, Function&& f) {
  auto const joined = run_on_rank_0(ranks, [&] {
    std::string texts;
    for (auto const& text : f()) texts.append(text).push_back('\0');
    return texts;
  });
  std::vector<std::string> list;
  for (std::size_t at = 0; at < joined.size(); at += list.back().size() + 1) {
    list.push_back(joined.substr(at, joined.find('\0', at) - at));
  }
  return list;
}

}  // namespace zero::detail
