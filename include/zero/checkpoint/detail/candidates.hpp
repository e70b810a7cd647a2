// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/checkpoint/detail/collective.hpp>
#include <zero/checkpoint/detail/match.hpp>
#include <zero/checkpoint/folder.hpp>
#include <zero/checkpoint/load_options.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace zero::detail {

/// Checkpoints in the order in which rank 0 tries them, and why others are not among them.
struct Candidates {
  std::vector<std::string> tags;
  std::vector<std::string> skipped;
};

inline Candidates find_candidates(CheckpointFolder const& folder, LoadOptions const& options) {
  if (!options.tag.empty()) {
    check_tag(options.tag);
    return {{options.tag}, {}};
  }
  Candidates candidates;
  auto saved = folder.checkpoints(&candidates.skipped);
  std::optional<std::string> hint;
  auto const failure = attempt([&] { hint = folder.pointer("latest"); });
  if (failure) candidates.skipped.push_back(CheckpointFailures::outcome_of(failure).text);
  auto const hinted = std::find_if(saved.begin(), saved.end(), [&](auto const& one) { return one.tag == hint; });
  // `latest` may deliberately name an older checkpoint. If it names one that is missing, it is ignored.
  if (hinted != saved.end()) std::rotate(saved.begin(), hinted, hinted + 1);
  if (saved.empty()) {
    bool const none = candidates.skipped.empty();
    throw CheckpointError(none ? CheckpointFailure::not_found : CheckpointFailure::damaged,
                          concat({"zero: there is no valid checkpoint in ", detail::quote(folder.root()),
                                  none ? ": name the folder that one was saved into" : "; passed over: ",
                                  enumerate(candidates.skipped, 3)}));
  }
  bool const is_one_run =
      std::all_of(saved.begin(), saved.end(), [&](auto const& one) { return one.run == saved.front().run; });
  if (hint && hinted == saved.end() && !is_one_run) {
    // Which run it was of, it cannot say any more, and another run's state is not an older one of the same.
    throw CheckpointError(CheckpointFailure::damaged,
                          concat({"zero: ", detail::quote(folder.root()), " holds checkpoints of several runs, and ",
                                  detail::quote(*hint), ", the latest, cannot be read: name the one to load"}));
  }
  auto const run = saved.front().run;
  for (auto& one : saved) {
    if (one.run == run) candidates.tags.push_back(std::move(one.tag));
  }
  return candidates;
}

/// Whether an older checkpoint may do instead: this one cannot be read, whatever the engine.
[[nodiscard]] inline bool may_fall_back(CheckpointFailure kind) noexcept {
  return kind == CheckpointFailure::damaged || kind == CheckpointFailure::input_output ||
         kind == CheckpointFailure::not_found;
}

}  // namespace zero::detail
