// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// two_networks [die]: one rank, as its launcher's variables say. Meets the others, and exchanges a number with them;
// with "die", rank 1 then ends without a word, and the others must hear of it. Says what it has seen, in one line.
#include <zero/bootstrap/rendezvous.hpp>

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <span>
#include <vector>

int main(int argc, char** argv) {
  try {
    auto const launch = zero::LaunchEnvironment::detect();
    zero::Rendezvous ranks(launch,
                           {.meeting_deadline = std::chrono::seconds(20), .deadline = std::chrono::seconds(20)});
    std::uint32_t const mine = static_cast<std::uint32_t>(ranks.rank()) + 1;
    std::vector<std::uint32_t> all(static_cast<std::size_t>(ranks.size()));
    ranks.exchange(std::as_bytes(std::span(&mine, 1)), std::as_writable_bytes(std::span(all)));
    std::uint32_t sum = 0;
    for (auto const value : all) sum += value;
    if (argc > 1 && std::strcmp(argv[1], "die") == 0) {
      if (ranks.rank() == 1) (void)::kill(::getpid(), SIGKILL);
      ranks.exchange({}, {});
    }
    std::printf("rank %d: sum %u\n", ranks.rank(), sum);
  } catch (std::exception const& error) {
    std::printf("error: %s\n", error.what());
    return 1;
  }
}
