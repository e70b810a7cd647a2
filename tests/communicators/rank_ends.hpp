// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/communicators/thread.hpp>
#include <zero/error.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <vector>

namespace communicators_test {

/// How one rank has ended: with a message, and where communication failed, why and whose fault it was.
struct Ended {
  std::string message;
  std::optional<zero::CommunicationFailure> kind;
  int rank = -1;
};
/// How `f(world)` ends on each of \p ranks.
template <class F>
std::vector<Ended> ends_of(int ranks, F const& f, std::chrono::nanoseconds deadline = std::chrono::seconds(60)) {
  std::vector<Ended> all(static_cast<std::size_t>(ranks));
  auto const run = [&](zero::ThreadCommunicator& world) {
    auto& mine = all[static_cast<std::size_t>(world.rank())];
    try {
      f(world);
    } catch (zero::CommunicationError const& error) {
      mine = {error.what(), error.kind(), error.where().rank};
      throw;
    } catch (std::exception const& error) {
      mine.message = error.what();
      throw;
    }
  };
  try {
    zero::run_ranks(ranks, run, {.deadline = deadline});
  } catch (std::exception const&) {  // what it was is in `all`
  }
  return all;
}

}  // namespace communicators_test
