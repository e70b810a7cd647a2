// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <zero/checkpoint/detail/collective.hpp>
#include <zero/communicators/thread.hpp>
#include <zero/rank_agreement.hpp>

#include <doctest/doctest.h>

#include <array>
#include <exception>
#include <stdexcept>
#include <string>

namespace rank_agreement_test {

namespace {

using zero::detail::CheckpointFailures;
using zero::detail::run_on_all_ranks;

/// What each of three ranks throws: "type: text", or nothing.
template <class F>
std::array<std::string, 3> thrown_on_ranks(F f) {
  std::array<std::string, 3> thrown;
  zero::run_ranks(3, [&](zero::ThreadCommunicator& ranks) {
    auto& mine = thrown[static_cast<std::size_t>(ranks.rank())];
    try {
      f(ranks);
    } catch (zero::CheckpointError const& error) {
      mine = "checkpoint " + std::to_string(static_cast<int>(error.kind())) + ": " + error.what();
    } catch (zero::ConfigurationError const& error) {
      mine = std::string("configuration: ") + error.what();
    } catch (std::exception const& error) {
      mine = std::string("other: ") + error.what();
    }
  });
  return thrown;
}

}  // namespace

TEST_CASE("rank agreement: any_rank is the same on all ranks") {
  zero::run_ranks(3, [](zero::ThreadCommunicator& ranks) {
    CHECK_FALSE(zero::any_rank(ranks, false));
    for (int r = 0; r < 3; ++r) CHECK(zero::any_rank(ranks, ranks.rank() == r));
    CHECK(zero::any_rank(ranks, true));
  });
}

TEST_CASE("rank agreement: every rank gets every rank's text, of whatever length") {
  zero::run_ranks(3, [](zero::ThreadCommunicator& ranks) {
    auto const texts =
        run_on_all_ranks(ranks, [&] { return std::string(static_cast<std::size_t>(300 * ranks.rank()), 'x'); });
    REQUIRE(texts.size() == 3);
    for (std::size_t r = 0; r < 3; ++r) CHECK(texts[r] == std::string(300 * r, 'x'));
    CHECK(run_on_all_ranks(ranks, [] {}).first_failed() == 3);
  });
}

TEST_CASE("rank agreement: what one rank throws while an engine is set up, the others report") {
  auto const thrown = thrown_on_ranks([](auto& ranks) {
    run_on_all_ranks(ranks, [&] {
      if (ranks.rank() == 1) throw std::runtime_error("no memory");
    });
  });
  CHECK(thrown[1] == "other: no memory");
  for (auto const& other : {thrown[0], thrown[2]}) {
    CHECK(other == "configuration: zero::Engine: rank 1 could not be set up: no memory");
  }
}

TEST_CASE("rank agreement: what one rank throws for a checkpoint, every rank throws") {
  auto const thrown = thrown_on_ranks([](auto& ranks) {
    run_on_all_ranks<CheckpointFailures>(ranks, [&] {
      if (ranks.rank() == 2) throw zero::CheckpointError(zero::CheckpointFailure::no_space, "zero: full");
    });
  });
  auto const kind = std::to_string(static_cast<int>(zero::CheckpointFailure::no_space));
  for (auto const& each : thrown) CHECK(each == "checkpoint " + kind + ": rank 2: zero: full");
  auto const unknown = thrown_on_ranks([](auto& ranks) {
    (void)zero::detail::run_on_rank_0(ranks, [&]() -> std::string { throw std::runtime_error("odd"); });
  });
  auto const other = std::to_string(static_cast<int>(zero::CheckpointFailure::input_output));
  for (auto const& each : unknown) CHECK(each == "checkpoint " + other + ": rank 0: zero: odd");
}

}  // namespace rank_agreement_test
