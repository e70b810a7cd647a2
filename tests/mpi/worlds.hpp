// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/communicators/mpi.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mpi_test {

/// How ranks lie on hosts: a letter for each.
using Grouping = std::string_view;
inline constexpr Grouping one_host = "aaaaaaaa";

/// All ranks, on hosts of those names. Collective.
[[nodiscard]] inline zero::MpiCommunicator world(Grouping grouping = one_host, zero::MpiConfig config = {}) {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  config.host = std::string(1, grouping[static_cast<std::size_t>(rank)]);
  // Ranks that have no part in a run wait for all of it: a hang is named before ctest ends it, and nothing that is
  // slow.
  config.deadline = config.meeting_deadline = std::chrono::minutes(5);
  return zero::MpiCommunicator(config);
}

/// Calls `f(communicator)` on the first \p ranks of \p all, which are a world of their own. Collective.
template <class Function>
void on_first(zero::MpiCommunicator& all, int ranks, Function&& f) {
  auto group = all.split(all.rank() < ranks ? 0 : -1, all.rank());
  if (group) f(*group);
  all.exchange({}, {});
}

/// What `f` throws, as the error type that is expected of it; a failed check if it throws nothing or something else.
template <class Error, class Function>
[[nodiscard]] Error error_of(Function&& f) {
  std::optional<Error> thrown;
  try {
    f();
  } catch (Error const& error) {
    thrown = error;
  } catch (std::exception const& error) {
    FAIL("another error: " << error.what());
  }
  REQUIRE(thrown.has_value());
  return *thrown;
}
[[nodiscard]] inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace mpi_test
