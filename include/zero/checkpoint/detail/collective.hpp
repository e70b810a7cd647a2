// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/rank_agreement.hpp>
#include <zero/engine_state.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace zero::detail {

/// What went wrong on one rank, in a form that travels.
struct LocalFailure {
  CheckpointFailure kind = CheckpointFailure::input_output;
  std::string text;
};

/// Runs \p f; what it throws becomes the failure.
template <class F>
std::optional<LocalFailure> attempt(F&& f) {
  try {
    f();
  } catch (CheckpointError const& error) {
    return LocalFailure{error.kind(), error.what()};
  } catch (std::exception const& error) {
    return LocalFailure{CheckpointFailure::input_output, std::string("zero: ") + error.what()};
  }
  return std::nullopt;
}

/// Every rank's \p text, in rank order, or where any rank has failed the same failure on all: that of the first one.
/// Collective, blocks.
struct Agreement {
  std::vector<std::string> texts;
  std::optional<LocalFailure> failure;
};

template <class Ranks>
Agreement agree(Ranks& ranks, std::optional<LocalFailure> const& mine, std::string const& text = {}) {
  auto const kind = mine ? static_cast<char>('1' + static_cast<int>(mine->kind)) : '0';
  RankTexts const received(ranks, std::string(1, kind) + (mine ? mine->text : text));
  Agreement agreement;
  for (std::size_t r = 0; r < received.size(); ++r) agreement.texts.emplace_back(received[r]);
  auto const failed = std::find_if(agreement.texts.begin(), agreement.texts.end(),
                                   [](std::string const& t) { return t.front() != '0'; });
  if (failed != agreement.texts.end()) {
    auto const prefix = ranks.size() == 1 ? "" : concat({"rank ", failed - agreement.texts.begin(), ": "});
    agreement.failure = LocalFailure{static_cast<CheckpointFailure>(failed->front() - '1'), prefix + failed->substr(1)};
  }
  for (auto& t : agreement.texts) t.erase(0, 1);
  return agreement;
}

/// Runs \p f, which returns a text, on every rank; every rank's text. \throws CheckpointError, the same on every rank,
/// where it throws on one of them. Collective, blocks.
template <class Ranks, class F>
std::vector<std::string> all_or_none(Ranks& ranks, F&& f) {
  std::string text;
  auto const mine = attempt([&] { text = f(); });
  auto agreement = agree(ranks, mine, text);
  if (agreement.failure) throw CheckpointError(agreement.failure->kind, agreement.failure->text);
  return std::move(agreement.texts);
}

/// The text of rank 0, which alone runs \p f. \throws as above. Collective, blocks.
template <class Ranks, class F>
std::string run_on_rank_0(Ranks& ranks, F&& f) {
  return all_or_none(ranks, [&] { return ranks.rank() == 0 ? f() : std::string(); }).front();
}

/// The same for a list of texts, none of which holds a 0.
template <class Ranks, class F>
std::vector<std::string> list_on_rank_0(Ranks& ranks, F&& f) {
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
