// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mpi/worlds.hpp"

#include <zero/topology.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace mpi_groups_test {

using zero::Transfer;

namespace {

std::uint64_t sum_of_ones(zero::MpiCommunicator& c) {
  std::uint64_t word = 1;
  c.all_reduce(&word, 1, {.what = "norm"}, {});
  return word;
}

}  // namespace

TEST_CASE("mpi: groups have the ranks of their color, in the order of their keys, on one host and on several") {
  for (auto const grouping : {mpi_test::one_host, mpi_test::Grouping("aabbaabb")}) {
    auto all = mpi_test::world(grouping);
    auto group = all.split(all.rank() % 3, -all.rank());
    REQUIRE(group.has_value());
    int const members = (8 - all.rank() % 3 + 2) / 3;
    CHECK(group->size() == members);
    CHECK(group->rank() == members - 1 - all.rank() / 3);
    CHECK(sum_of_ones(*group) == static_cast<std::uint64_t>(members));
    CHECK(all.split(all.rank() == 5 ? -1 : 0, 0).has_value() == (all.rank() != 5));
  }
}

TEST_CASE("mpi: a group of a group outlives both, and a topology has groups along its axes") {
  std::optional<zero::MpiCommunicator> inner;
  {
    auto all = mpi_test::world("aaabbbcc");
    auto outer = all.split(all.rank() / 4, 0);
    inner = outer->split(outer->rank() % 2, 0);
    zero::Topology topology(all, {{"pipeline", 2}, {"data", 4}});
    CHECK(sum_of_ones(topology.group("data")) == 4);
    CHECK(sum_of_ones(topology.group({"pipeline", "data"})) == 8);
  }
  CHECK(sum_of_ones(*inner) == 2);
}

TEST_CASE("mpi: neighbours that both send first do not wait for each other, whatever the size of their messages") {
  for (auto const grouping : {mpi_test::one_host, mpi_test::Grouping("abababab")}) {
    auto all = mpi_test::world(grouping);
    int const ranks = all.size(), next = (all.rank() + 1) % ranks, before = (all.rank() + ranks - 1) % ranks;
    for (std::size_t const count : {std::size_t{0}, std::size_t{1}, std::size_t{1000}, std::size_t{1} << 20}) {
      std::vector<std::uint32_t> sent(count + 1), first(count + 1), second(1);
      for (std::size_t i = 0; i < count; ++i)
        sent[i] = static_cast<std::uint32_t>(i * 8) + static_cast<std::uint32_t>(all.rank());
      sent[count] = static_cast<std::uint32_t>(all.rank());
      Transfer const list[] = {Transfer::send(sent.data(), count, next), Transfer::send(&sent[count], 1, next),
                               Transfer::receive(first.data(), count, before),
                               Transfer::receive(second.data(), 1, before)};
      all.transfer(list, {.what = "activations"}, {});
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < count; ++i) {
        wrong += first[i] != static_cast<std::uint32_t>(i * 8 + static_cast<std::size_t>(before));
      }
      CHECK(wrong == 0);
      CHECK(second[0] == static_cast<std::uint32_t>(before));
    }
    // One after the other, and to oneself.
    int token = 0, copy = -1;
    if (all.rank() > 0) all.receive(&token, 1, before, {.what = "token"}, {});
    ++token;
    if (next != 0) all.send(&token, 1, next, {.what = "token"}, {});
    CHECK(token == all.rank() + 1);
    Transfer const own[] = {Transfer::send(&token, 1, all.rank()), Transfer::receive(&copy, 1, all.rank())};
    all.transfer(own, {.what = "token"}, {});
    CHECK(copy == token);
  }
}

TEST_CASE("mpi: messages of a group and of the world between the same ranks are not mixed up") {
  auto all = mpi_test::world();
  auto group = all.split(all.rank() / 2, 0);
  int const partner = all.rank() ^ 1;
  int const mine[] = {all.rank(), 100 + all.rank()};
  int in_world = 0, in_group = 0;
  Transfer const world_list[] = {Transfer::send(&mine[0], 1, partner), Transfer::receive(&in_world, 1, partner)};
  Transfer const group_list[] = {Transfer::send(&mine[1], 1, 1 - group->rank()),
                                 Transfer::receive(&in_group, 1, 1 - group->rank())};
  group->transfer(group_list, {.what = "one"}, {});
  all.transfer(world_list, {.what = "two"}, {});
  CHECK(in_world == partner);
  CHECK(in_group == 100 + partner);
}

}  // namespace mpi_groups_test
