// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "communicators/overlaps.hpp"
#include "simulation/scripts.hpp"

#include <zero/communicators/simulation.hpp>

#include <doctest/doctest.h>

#include <array>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace simulation_world_test {

using simulation_test::failure_of;
using simulation_test::orders;
using simulation_test::Script;

namespace {

bool contains(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

// The order in which nine operations on three streams ran.
std::string order_of_nine(zero::SimulationOptions options) {
  std::string ran;
  (void)zero::simulate(options, [&](zero::SimulationCommunicator& rank) {
    std::array const streams{rank.make_stream("a"), rank.make_stream("b"), rank.make_stream("c")};
    for (char k = '0'; k < '3'; ++k) {
      for (std::size_t s = 0; s < streams.size(); ++s) {
        streams[s].launch("note", {}, [&ran, name = "abc"[s], k] { (ran += name) += k; });
      }
    }
  });
  return ran;
}

}  // namespace

TEST_CASE("simulation: the same seed gives the same run, another seed another one") {
  for (auto order : orders) {
    CHECK(order_of_nine({.seed = 5, .order = order}) == order_of_nine({.seed = 5, .order = order}));
  }
  std::set<std::string> runs;
  for (std::uint64_t seed = 0; seed < 20; ++seed) runs.insert(order_of_nine({.seed = seed}));
  CHECK(runs.size() > 15);
}

TEST_CASE("simulation: earliest keeps the order of the host, latest turns it round as far as streams allow") {
  CHECK(order_of_nine({.order = zero::SimulationOrder::earliest}) == "a0b0c0a1b1c1a2b2c2");
  CHECK(order_of_nine({.order = zero::SimulationOrder::latest}) == "c0c1c2b0b1b2a0a1a2");
}

TEST_CASE("simulation: starved keeps one stream back until nothing else can run") {
  int last = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    auto const ran = order_of_nine({.seed = seed, .order = zero::SimulationOrder::starved});
    auto const tail = ran.substr(12);
    if (tail[0] == tail[2] && tail[2] == tail[4]) ++last;
  }
  CHECK(last >= 100);  // of a fourth stream, which some seeds starve, there is none; by chance it would be 36
}

TEST_CASE("simulation: streams run in their own order, whatever the schedule") {
  for (auto order : orders) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      auto const ran = order_of_nine({.seed = seed, .order = order});
      for (char stream : {'a', 'b', 'c'}) {
        std::string own;
        for (std::size_t i = 0; i < ran.size(); i += 2) {
          if (ran[i] == stream) own += ran[i + 1];
        }
        CHECK(own == "012");
      }
    }
  }
}

TEST_CASE("simulation: a host that asks whether an event has passed gets an answer in the end") {
  for (auto order : orders) {
    bool ran = false;
    (void)zero::simulate({.order = order}, [&](zero::SimulationCommunicator& rank) {
      zero::SimulationBackend backend({rank.process()}, 1);
      auto const stream = rank.make_stream("compute");
      zero::SimulationEvent event;
      CHECK(event.done());
      stream.launch("work", {}, [&] { ran = true; });
      backend.record(event, stream);
      while (!event.done()) continue;
      CHECK(ran);
    });
  }
}

TEST_CASE("simulation: collectives give what the ranks of threads get, in place and apart") {
  (void)zero::simulate({.ranks = 3, .seed = 11}, [](zero::SimulationCommunicator& rank) {
    zero::SimulationBackend backend({rank.process()}, 1);
    auto const stream = rank.make_stream("communication");
    auto const me = static_cast<std::size_t>(rank.rank());
    std::vector<float> send(6, 1.0F + static_cast<float>(me));
    std::vector<float> sum(2, 100.0F);
    rank.reduce_scatter_add(send.data(), sum.data(), 2, {.first = false}, {"sums"}, stream);
    std::vector<std::uint64_t> words{me, 10};
    rank.all_reduce(words.data(), 2, {"words"}, stream);
    std::vector<float> full(3);
    full[me] = static_cast<float>(me);
    rank.all_gather(full.data() + me, full.data(), 1, {"parameters"}, stream);
    backend.synchronize(stream);
    CHECK(sum == std::vector<float>{106.0F, 106.0F});
    CHECK(words == std::vector<std::uint64_t>{3, 30});
    CHECK(full == std::vector<float>{0.0F, 1.0F, 2.0F});
    std::vector<float> memory(9);
    communicators_test::check_overlaps(rank, stream, memory.data());
  });
}

TEST_CASE("deadlock: a rank that never comes to a collective is named, with who waits for it") {
  auto const message = failure_of<zero::DeadlockError>(
      [](zero::SimulationCommunicator& rank) {
        zero::SimulationBackend backend({rank.process()}, 1);
        auto const stream = rank.make_stream("communication");
        std::uint64_t word = 0;
        rank.all_reduce(&word, 1, {"first"}, stream);
        if (rank.rank() != 1) rank.all_reduce(&word, 1, {"second"}, stream);
        backend.synchronize(stream);
      },
      3);
  CHECK(contains(message, "the host of rank 0 waits for 'all_reduce of second'"));
  CHECK(contains(message, "rank 1 never comes: its host has ended after 1 collective: "));
}

TEST_CASE("deadlock: a cycle over two ranks and two communicators is told link by link") {
  auto const message = failure_of<zero::DeadlockError>(
      [](zero::SimulationCommunicator& rank) {
        zero::SimulationBackend backend({rank.process()}, 1);
        auto other = rank.duplicate();
        auto const stream = rank.make_stream("communication");
        std::uint64_t word = 0;
        (rank.rank() == 0 ? rank : other).all_reduce(&word, 1, {"norm"}, stream);
        backend.synchronize(stream);
        (rank.rank() == 0 ? other : rank).all_reduce(&word, 1, {"norm"}, stream);
      },
      2);
  CHECK(contains(message, "the host of rank 0 waits for 'all_reduce of norm'"));
  CHECK(contains(message, "stream 'communication' of rank 0 waits in all_reduce #0 of norm"));
  CHECK(contains(message, "rank 1 has not come to #0; the host of rank 1 waits for 'all_reduce of norm'"));
  CHECK(contains(message, "and that is the host of rank 0 again"));
}

TEST_CASE("collectives: another operation, count, type, purpose or bucket is an error that names both sides") {
  struct Call {
    char const* what;
    std::size_t bucket, count;
    bool gathers, wide;
  };
  Call const usual{"parameters", 2, 4, true, false};
  for (auto const& other : {Call{"gradients", 2, 4, true, false}, Call{"parameters", 3, 4, true, false},
                            Call{"parameters", 2, 3, true, false}, Call{"parameters", 2, 4, false, false},
                            Call{"parameters", 2, 4, true, true}}) {
    auto const script = [&](zero::SimulationCommunicator& rank) {
      std::vector<double> memory(64);
      auto* const floats = reinterpret_cast<float*>(memory.data());
      auto const& call = rank.rank() == 1 ? other : usual;
      auto const stream = rank.make_stream("communication");
      if (!call.gathers) {
        rank.reduce_scatter_add(floats, floats + 32, call.count, {}, {call.what, call.bucket}, stream);
      } else if (call.wide) {
        rank.all_gather(memory.data(), memory.data() + 32, call.count, {call.what, call.bucket}, stream);
      } else {
        rank.all_gather(floats, floats + 32, call.count, {call.what, call.bucket}, stream);
      }
    };
    auto const message = failure_of<zero::CommunicationError>(script, 2);
    CHECK(contains(message, "ranks called different collectives"));
    CHECK(contains(message, "rank 0 "));
    CHECK(contains(message, "rank 1 "));
  }
}

TEST_CASE("collectives: one communicator runs them in the order of their launch, also on different streams") {
  for (auto order : orders) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      std::string ran;
      (void)zero::simulate({.ranks = 2, .seed = seed, .order = order}, [&](zero::SimulationCommunicator& rank) {
        std::array const streams{rank.make_stream("one"), rank.make_stream("two")};
        std::array<std::uint64_t, 2> words{1, 1};
        zero::SimulationBackend backend({rank.process()}, 1);
        streams[0].launch("slow", {}, [] {});
        for (std::size_t k = 0; k < 2; ++k) rank.all_reduce(&words[k], 1, {"words"}, streams[k]);
        for (std::size_t k = 2; k-- > 0;) {
          backend.synchronize(streams[k]);
          if (rank.rank() == 0) ran += words[0] == 2 ? "-" : "!";
        }
      });
      CHECK(ran == "--");  // when the second is over, the first is too
    }
  }
}

TEST_CASE("simulation: what one rank throws stops the others and is thrown by simulate") {
  struct Unusual : std::runtime_error {
    using std::runtime_error::runtime_error;
  };
  bool told = false;
  auto const message = failure_of<Unusual>(
      [&](zero::SimulationCommunicator& rank) {
        if (rank.rank() == 2) throw Unusual("out of luck");
        std::byte const mine{};
        std::array<std::byte, 3> all{};
        try {
          rank.exchange({&mine, 1}, all);
        } catch (zero::CommunicationError const& error) {
          told = contains(error.what(), "rank 2 failed: out of luck");
          throw;
        }
      },
      3);
  CHECK(message == "out of luck");
  CHECK(told);
}

TEST_CASE("simulation: options that cannot work are refused") {
  Script const nothing = [](zero::SimulationCommunicator&) {};
  CHECK(contains(failure_of<zero::ConfigurationError>(nothing, 0), "at least 1 rank"));
  CHECK(contains(failure_of<zero::ConfigurationError>(nothing, 2, {.only_rank = 0}), "SimulationStorage::phantom"));
  CHECK(contains(
      failure_of<zero::ConfigurationError>(nothing, 2, {.storage = zero::SimulationStorage::phantom, .only_rank = 2}),
      "one of the ranks"));
  CHECK(contains(failure_of<zero::ConfigurationError>(
                     [](zero::SimulationCommunicator&) { zero::SimulationBackend backend({}, 1); }, 1),
                 "communicator.process()"));
}

}  // namespace simulation_world_test
