// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mpi/worlds.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <cinttypes>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

namespace mpi_memory_test {

// What a communicator takes of a host, as the kernel counts it.

using mpi_test::Grouping;

namespace {

constexpr char const* of_ours = "/memfd:zero";

/// Pages of the memory that this process has made, and keeps open to hand it on.
std::uint64_t made_by_this_rank() {
  std::uint64_t bytes = 0;
  for (auto const& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code error;  // what lists the folder is gone by now
    if (!std::filesystem::read_symlink(entry.path(), error).native().starts_with(of_ours)) continue;
    struct stat found {};
    REQUIRE(::stat(entry.path().c_str(), &found) == 0);
    bytes += static_cast<std::uint64_t>(found.st_blocks) * 512;
  }
  return bytes;
}
/// What this process sees of such memory, its own and that of others.
std::uint64_t mapped_here() {
  std::uint64_t bytes = 0;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::uint64_t begin = 0, end = 0;
    if (line.find(of_ours) == std::string::npos) continue;
    REQUIRE(std::sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64, &begin, &end) == 2);
    bytes += end - begin;
  }
  return bytes;
}

struct Taken {
  std::uint64_t made, mapped;
};

/// Of the host of this rank, more than at \p before: made by all its ranks, and mapped by this one. Collective.
Taken taken_of_host(Grouping grouping, Taken before = {}) {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  std::uint64_t const mine = made_by_this_rank();
  std::vector<std::uint64_t> all(grouping.size());
  MPI_Allgather(&mine, 1, MPI_UINT64_T, all.data(), 1, MPI_UINT64_T, MPI_COMM_WORLD);
  std::uint64_t made = 0;
  for (std::size_t r = 0; r < all.size(); ++r) {
    if (grouping[r] == grouping[static_cast<std::size_t>(rank)]) made += all[r];
  }
  return {made - before.made, mapped_here() - before.mapped};
}

int ranks_of_host(Grouping grouping, int rank, int ranks) {
  int count = 0;
  for (char const host : grouping.substr(0, static_cast<std::size_t>(ranks))) {
    count += host == grouping[static_cast<std::size_t>(rank)] ? 1 : 0;
  }
  return count;
}

}  // namespace

TEST_CASE("mpi: a communicator takes as much of a host as it says, and gives it back") {
  for (auto const grouping : {mpi_test::one_host, Grouping("aabbbbbb"), Grouping("abcdefgh")}) {
    for (std::size_t const bounce : {std::size_t{64} << 10U, (std::size_t{1} << 20U) + 1, std::size_t{4} << 20U}) {
      CAPTURE(grouping);
      CAPTURE(bounce);
      zero::MpiConfig const config{.bounce_bytes = bounce};
      auto const before = taken_of_host(grouping);
      {
        auto all = mpi_test::world(grouping, config);
        int const local = ranks_of_host(grouping, all.rank(), 8);
        auto const world = taken_of_host(grouping, before);
        CHECK(world.made == zero::MpiCommunicator::bytes_of_host(local, 8, config));
        CHECK(world.mapped == world.made);
        // A group does not take again what its world shares.
        auto const group = all.split(all.rank() < 5 ? 0 : -1, 0);
        int const members = ranks_of_host(grouping, all.rank(), 5);
        auto const both = taken_of_host(grouping, before);
        std::uint64_t const more = members == 0 ? 0
                                                : zero::MpiCommunicator::bytes_of_host(members, 5, config) -
                                                      zero::detail::MpiWorld::bytes_of_host();
        CHECK(both.made - world.made == more);
        CHECK(both.mapped - world.mapped == (group ? more : 0));
      }
      MPI_Barrier(MPI_COMM_WORLD);
      auto const after = taken_of_host(grouping, before);
      CHECK(after.made == 0);
      CHECK(after.mapped == 0);
    }
  }
}

TEST_CASE("mpi: what collectives read is taken once on its host, in whole pages, and seen by all of its ranks") {
  Grouping const grouping = "aabbbbbb";
  auto all = mpi_test::world(grouping);
  auto const before = taken_of_host(grouping);
  auto const page = zero::detail::SharedMemory::page();
  auto const local = static_cast<std::uint64_t>(ranks_of_host(grouping, all.rank(), 8));
  {
    auto source = all.collective_memory();
    (void)source.allocate(100);
    (void)source.allocate(3 * page);
    auto const shown = all.register_buffers(source.close());
    auto const taken = taken_of_host(grouping, before);
    CHECK(taken.made == local * 4 * page);
    CHECK(taken.mapped == taken.made);
    all.exchange({}, {});  // nobody gives back what is counted
  }
  MPI_Barrier(MPI_COMM_WORLD);
  auto const after = taken_of_host(grouping, before);
  CHECK(after.made == 0);
  CHECK(after.mapped == 0);
}

}  // namespace mpi_memory_test
