// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/bootstrap/rendezvous.hpp>

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <mutex>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace bootstrap_rendezvous_test {

using namespace std::chrono_literals;
using zero::CommunicationError;
using zero::CommunicationFailure;
using zero::LaunchEnvironment;
using zero::Rendezvous;

namespace {

// Long enough for a loaded machine; no test that ends well waits for it.
constexpr std::chrono::milliseconds long_deadline = 60s;
// Where some come and some do not: long enough for who comes, on a machine that is busy.
constexpr std::chrono::milliseconds patient_deadline = 3s;
constexpr auto short_deadline = 200ms;

std::uint16_t free_port() {
  auto const listener = zero::detail::listen_on("", "127.0.0.1", 0);
  return zero::detail::local_address(listener.get()).port();
}

LaunchEnvironment launch_of(int rank, int world, std::uint16_t port) {
  return {.rank = rank, .world = world, .host = "127.0.0.1", .port = port, .run_id = "test", .token = "secret"};
}

// What became of a rank: an error, or none.
struct Outcome {
  std::optional<CommunicationFailure> kind{};
  int rank = -1;
  std::string what{};
};

Outcome outcome_of(std::function<void()> const& f) {
  try {
    f();
    return {};
  } catch (CommunicationError const& error) {
    return {error.kind(), error.where().rank, error.what()};
  }
}

// Runs ranks as threads and collects what became of each.
std::vector<Outcome> run(std::vector<int> const& ranks, std::function<void(int)> const& f) {
  std::vector<Outcome> outcomes(ranks.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    threads.emplace_back([&, i] { outcomes[i] = outcome_of([&] { f(ranks[i]); }); });
  }
  for (auto& thread : threads) thread.join();
  return outcomes;
}
std::vector<int> ranks_of(int world) {
  std::vector<int> ranks(static_cast<std::size_t>(world));
  std::iota(ranks.begin(), ranks.end(), 0);
  return ranks;
}
void check_all_well(std::vector<Outcome> const& outcomes) {
  for (auto const& outcome : outcomes) CHECK_MESSAGE(!outcome.kind, outcome.what);
}
bool says(Outcome const& outcome, std::string const& part) { return outcome.what.find(part) != std::string::npos; }

// Every rank's number and a counter go round.
void check_exchange(Rendezvous& rendezvous, std::uint32_t count, std::size_t words = 2) {
  auto const world = static_cast<std::size_t>(rendezvous.size());
  std::vector<std::uint32_t> mine(words, count), all(words * world);
  mine[0] = static_cast<std::uint32_t>(rendezvous.rank());
  rendezvous.exchange(std::as_bytes(std::span(mine)), std::as_writable_bytes(std::span(all)));
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < all.size(); ++i) wrong += all[i] != (i % words == 0 ? i / words : count);
  CHECK(wrong == 0);
}

// A client that is no rank.
zero::Descriptor stranger(std::uint16_t port) {
  int code = 0;
  for (;;) {
    auto socket = zero::detail::connect_to(zero::detail::addresses_of("127.0.0.1", port).front(),
                                           zero::detail::Deadline(long_deadline), code);
    if (socket) return socket;
    std::this_thread::sleep_for(1ms);
  }
}

struct Folder {
  Folder() {
    char name[] = "/tmp/zero-rendezvous-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { (void)::rmdir(path.c_str()); }
  std::string path;
};

}  // namespace

TEST_CASE("rendezvous: 1 to 8 ranks meet and exchange, whatever the order in which they come") {
  for (int const world : {1, 2, 3, 4, 5, 6, 7, 8}) {
    auto const port = free_port();
    check_all_well(run(ranks_of(world), [&](int rank) {
      Rendezvous rendezvous(launch_of(rank, world, port), {.meeting_deadline = long_deadline});
      CHECK(rendezvous.rank() == rank);
      CHECK(rendezvous.size() == world);
      for (std::uint32_t i = 0; i < 20; ++i) check_exchange(rendezvous, i + 100);
      std::uint64_t word = rank == 0 ? 42 : 0;
      rendezvous.broadcast(std::as_writable_bytes(std::span(&word, 1)));
      CHECK(word == 42);
    }));
  }
}

TEST_CASE("rendezvous: large messages are read and written whole") {
  auto const port = free_port();
  check_all_well(run(ranks_of(3), [&](int rank) {
    Rendezvous rendezvous(launch_of(rank, 3, port), {.meeting_deadline = long_deadline});
    check_exchange(rendezvous, 9, 1500000);
    check_exchange(rendezvous, 8, 3);
  }));
}

TEST_CASE("rendezvous: nobody waits for ever for a rank that does not come, and all learn which") {
  auto const port = free_port();
  auto const outcomes = run({0, 2}, [&](int rank) {
    Rendezvous(launch_of(rank, 5, port), {.meeting_deadline = rank == 0 ? patient_deadline : long_deadline});
  });
  CHECK(outcomes[0].kind == CommunicationFailure::deadline);
  CHECK(outcomes[0].rank == 1);
  for (auto const& outcome : outcomes) CHECK(outcome.kind == CommunicationFailure::deadline);
  CHECK(says(outcomes[0], "missing ranks: 1, "));
  CHECK(says(outcomes[0], "3 and 4 of 5"));
}

TEST_CASE("rendezvous: a rank that had come hears whom rank 0 missed") {
  auto const port = free_port();
  auto const outcomes = run({0, 1}, [&](int rank) {
    Rendezvous(launch_of(rank, 3, port), {.meeting_deadline = rank == 0 ? patient_deadline : long_deadline});
  });
  CHECK(says(outcomes[0], "missing ranks: 2 of 3"));
  CHECK(outcomes[1].kind == CommunicationFailure::deadline);
  CHECK(outcomes[1].rank == 2);
  CHECK(outcomes[1].what == outcomes[0].what);
}

TEST_CASE("rendezvous: without rank 0 the others say where they looked for it") {
  auto const port = free_port();
  auto const outcomes =
      run({1}, [&](int rank) { Rendezvous(launch_of(rank, 2, port), {.meeting_deadline = short_deadline}); });
  CHECK(outcomes[0].kind == CommunicationFailure::deadline);
  CHECK(outcomes[0].rank == 0);
  CHECK(says(outcomes[0], "127.0.0.1 port " + std::to_string(port)));
  CHECK(says(outcomes[0], "Connection refused"));
}

TEST_CASE("rendezvous: a name that cannot be resolved is tried until the deadline, and named") {
  auto launch = launch_of(1, 2, 1);
  launch.host = "no-such-host.invalid";
  auto const outcome = outcome_of([&] { Rendezvous(launch, {.meeting_deadline = 50ms}); });
  CHECK(outcome.kind == CommunicationFailure::deadline);
  CHECK(says(outcome, "no-such-host.invalid"));
  CHECK(says(outcome, "cannot be resolved"));
}

TEST_CASE("rendezvous: a wrong token keeps its owner out, and nobody else") {
  auto const port = free_port();
  std::atomic<bool> refused{false};
  auto const outcomes = run({0, 1, 2}, [&](int rank) {
    auto launch = launch_of(rank == 2 ? 1 : rank, 2, port);
    if (rank == 2) launch.token = "guess";
    while (rank == 1 && !refused) std::this_thread::sleep_for(1ms);
    struct Release {
      std::atomic<bool>& flag;
      bool active;
      ~Release() { flag = flag || active; }
    } const release{refused, rank == 2};
    Rendezvous rendezvous(launch, {.meeting_deadline = long_deadline});
    check_exchange(rendezvous, 1);
  });
  CHECK_FALSE(outcomes[0].kind);
  CHECK_FALSE(outcomes[1].kind);
  CHECK(outcomes[2].kind == CommunicationFailure::mismatch);
  CHECK(says(outcomes[2], "its token is wrong: set ZERO_TOKEN"));
  CHECK_FALSE(says(outcomes[2], "secret"));
}

TEST_CASE("rendezvous: a rank of an earlier start is not let in") {
  auto const port = free_port();
  auto const outcomes = run({0, 1}, [&](int rank) {
    auto launch = launch_of(rank, 2, port);
    launch.restart = rank == 0 ? 1 : 0;
    Rendezvous(launch, {.meeting_deadline = short_deadline});
  });
  CHECK(outcomes[0].kind == CommunicationFailure::deadline);
  CHECK(outcomes[1].kind == CommunicationFailure::deadline);
}

TEST_CASE("rendezvous: the same rank twice ends the run for all") {
  auto const port = free_port();
  auto const outcomes =
      run({0, 1, 1}, [&](int rank) { Rendezvous(launch_of(rank, 3, port), {.meeting_deadline = long_deadline}); });
  CHECK(outcomes[0].kind == CommunicationFailure::mismatch);
  CHECK(outcomes[0].rank == 1);
  CHECK(says(outcomes[0], "rank 1 came twice"));
}

TEST_CASE("rendezvous: ranks that believe in different worlds are told so") {
  auto const port = free_port();
  auto const outcomes = run({0, 1}, [&](int rank) {
    Rendezvous(launch_of(rank, rank == 0 ? 3 : 4, port), {.meeting_deadline = long_deadline});
  });
  for (auto const& outcome : outcomes) {
    CHECK(outcome.kind == CommunicationFailure::mismatch);
    CHECK(says(outcome, "rank 1 believes in a world of 4, rank 0 in one of 3"));
  }
}

TEST_CASE("rendezvous: a port in use is an error of rank 0 that says so") {
  auto const listener = zero::detail::listen_on("", "127.0.0.1", 0);
  auto const port = zero::detail::local_address(listener.get()).port();
  CHECK_THROWS_WITH_AS(Rendezvous(launch_of(0, 2, port), {.meeting_deadline = long_deadline}),
                       doctest::Contains("is in use"), zero::ConfigurationError);
}

TEST_CASE("rendezvous: rank 0 listens on the address that it was given only") {
  auto launch = launch_of(0, 2, 1);
  launch.network_interface = "192.0.2.1";  // of no machine
  CHECK_THROWS_WITH_AS(Rendezvous{launch}, doctest::Contains("no address of the machine"), zero::ConfigurationError);
  launch.network_interface = "no-such-interface.invalid";
  CHECK_THROWS_WITH_AS(Rendezvous{launch}, doctest::Contains("neither a host nor an interface"),
                       zero::ConfigurationError);
  auto const listener = zero::detail::listen_on("lo", "ignored", 0);
  CHECK(zero::detail::local_address(listener.get()).host() == "127.0.0.1");
}

TEST_CASE("rendezvous: an address that other machines cannot reach is refused where there are other machines") {
  auto launch = launch_of(0, 4, free_port());
  launch.local_world = 2;
  CHECK_THROWS_WITH_AS(Rendezvous{launch}, doctest::Contains("ZERO_INTERFACE"), zero::ConfigurationError);
}

TEST_CASE("rendezvous: strangers that keep silent, break off or talk nonsense do not keep the ranks apart") {
  auto const port = free_port();
  std::vector<zero::Descriptor> silent;
  check_all_well(run({0, 1}, [&](int rank) {
    if (rank == 1) {
      std::vector<std::byte> const half(10, std::byte{1});
      auto const request = zero::detail::encoded(zero::detail::FrameKind::request, 0, half);
      auto const nonsense = std::vector<std::byte>(600, std::byte{0xff});
      for (int i = 0; i < 100; ++i) {
        silent.push_back(stranger(port));  // says nothing, as long as the test runs
        auto const send = [&](std::span<std::byte const> bytes) {
          (void)zero::detail::write_all(silent.back().get(), bytes, zero::detail::Deadline(long_deadline));
        };
        if (i % 4 == 1) send(nonsense);
        if (i % 4 == 2) send(std::span(request).first(20));  // truncated, and never continued
        if (i % 4 == 3) {
          send(request);
          silent.pop_back();  // closes early
        }
      }
    }
    Rendezvous rendezvous(launch_of(rank, 2, port), {.meeting_deadline = long_deadline});
    check_exchange(rendezvous, 3);
  }));
}

TEST_CASE("rendezvous: the deadline holds while strangers keep their connections open") {
  auto listener = zero::detail::listen_on("", "127.0.0.1", 0);
  auto const port = zero::detail::local_address(listener.get()).port();
  auto const socket = stranger(port);  // there before rank 0 begins, however long that takes
  std::atomic<bool> over{false};
  auto const outcomes = run({0, 1}, [&](int rank) {
    if (rank == 0) {
      struct Over {
        std::atomic<bool>& flag;
        ~Over() { flag = true; }
      } const release{over};
      zero::detail::Deadline const deadline(short_deadline);
      (void)zero::detail::RendezvousServer(launch_of(0, 2, port), std::move(listener), deadline).run();
    }
    std::byte const one{};
    while (!over) {  // a byte now and then, never a greeting
      (void)zero::detail::write_all(socket.get(), std::span(&one, 1), zero::detail::Deadline(1s));
      std::this_thread::sleep_for(5ms);
    }
  });
  CHECK(outcomes[0].kind == CommunicationFailure::deadline);
  CHECK(says(outcomes[0], "missing ranks: 1 of 2"));
}

TEST_CASE("rendezvous: what listens there and is no rank 0 is an error that suggests another port") {
  auto const listener = zero::detail::listen_on("", "127.0.0.1", 0);
  auto const port = zero::detail::local_address(listener.get()).port();
  auto const outcomes = run({0, 1}, [&](int rank) {
    if (rank == 1) Rendezvous(launch_of(1, 2, port), {.meeting_deadline = long_deadline});
    (void)zero::detail::wait_for(listener.get(), POLLIN, 60000);
    zero::Descriptor const connection(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK));
    std::vector<std::byte> const oversized(100, std::byte{0x7f});
    (void)zero::detail::write_all(connection.get(), oversized, zero::detail::Deadline(long_deadline));
    char c = 0;
    while (zero::detail::wait_for(connection.get(), POLLIN, 60000) && ::recv(connection.get(), &c, 1, 0) > 0) {
    }
  });
  CHECK(outcomes[1].kind == CommunicationFailure::mismatch);
  CHECK(says(outcomes[1], "choose another port in ZERO_PORT"));
}

TEST_CASE("rendezvous: a connection that breaks off is made again") {
  auto listener = zero::detail::listen_on("", "127.0.0.1", 0);
  auto const port = zero::detail::local_address(listener.get()).port();
  auto const request = zero::detail::encoded(zero::detail::FrameKind::request, 0,
                                             zero::detail::HandshakeRequest::of(launch_of(1, 2, port)));
  zero::detail::Deadline const deadline(long_deadline);
  auto first = stranger(port);
  CHECK(zero::detail::write_all(first.get(), request, deadline) == zero::detail::Transfer::done);
  first.close();
  auto const second = stranger(port);
  CHECK(zero::detail::write_all(second.get(), request, deadline) == zero::detail::Transfer::done);
  auto const sockets = zero::detail::RendezvousServer(launch_of(0, 2, port), std::move(listener), deadline).run();
  REQUIRE(sockets.size() == 2);
  zero::detail::FrameReader reader(100);
  CHECK(zero::detail::read_frame(second.get(), reader, deadline) == zero::detail::Transfer::done);
  CHECK(reader.take().kind == zero::detail::FrameKind::welcome);
}

TEST_CASE("rendezvous: a rank that dies releases the others, which learn who it was") {
  for (int const victim : {0, 1, 2}) {
    auto const port = free_port();
    auto const outcomes = run({0, 1, 2}, [&](int rank) {
      Rendezvous rendezvous(launch_of(rank, 3, port), {.meeting_deadline = long_deadline});
      check_exchange(rendezvous, 1);
      if (rank == victim) {
        rendezvous.fail("ran out of memory");
        return;
      }
      for (;;) check_exchange(rendezvous, 2);
    });
    for (int rank : {0, 1, 2}) {
      auto const& outcome = outcomes[static_cast<std::size_t>(rank)];
      if (rank == victim) continue;
      CHECK(outcome.kind == CommunicationFailure::peer_failed);
      CHECK(outcome.rank == victim);
      CHECK(says(outcome, "ran out of memory"));
    }
  }
}

TEST_CASE("rendezvous: a failure after an exchange is not the exchange's") {
  for (int round = 0; round < 20; ++round) {
    auto const port = free_port();
    check_all_well(run({0, 1, 2}, [&](int rank) {
      Rendezvous rendezvous(launch_of(rank, 3, port), {.meeting_deadline = long_deadline});
      check_exchange(rendezvous, 1);
      rendezvous.fail("does not like what it got");  // as all do
    }));
  }
}

TEST_CASE("rendezvous: a failure reaches ranks that do not wait for anything") {
  auto const port = free_port();
  check_all_well(run({0, 1, 2}, [&](int rank) {
    Rendezvous rendezvous(launch_of(rank, 3, port), {.meeting_deadline = long_deadline});
    if (rank == 1) rendezvous.fail("gives up");
    while (!rendezvous.failure()) std::this_thread::sleep_for(1ms);
    CHECK(rendezvous.failure()->rank == 1);
    CHECK(rendezvous.failure()->reason == "gives up");
  }));
}

TEST_CASE("rendezvous: an exception that ends a rank ends the others' waits") {
  auto const port = free_port();
  auto const outcomes = run({0, 1}, [&](int rank) {
    try {
      Rendezvous rendezvous(launch_of(rank, 2, port), {.meeting_deadline = long_deadline});
      if (rank == 1) throw std::string("unrelated");
      check_exchange(rendezvous, 1);
    } catch (std::string const&) {
    }
  });
  CHECK(outcomes[0].kind == CommunicationFailure::peer_failed);
  CHECK(outcomes[0].rank == 1);
  CHECK(says(outcomes[0], "an exception ended it"));
}

TEST_CASE("rendezvous: the end of a process is the end of its connection") {
  auto const port = free_port();
  auto const outcomes = run({0, 1, 2}, [&](int rank) {
    if (rank == 2) {  // a rank that is let in and vanishes without a word
      auto socket = zero::detail::RendezvousClient(
                        launch_of(2, 3, port),
                        [&] {
                          return zero::detail::RendezvousEndpoint{"127.0.0.1", port};
                        },
                        false, long_deadline)
                        .run();
      return;
    }
    Rendezvous rendezvous(launch_of(rank, 3, port), {.meeting_deadline = long_deadline});
    check_exchange(rendezvous, 1);
  });
  for (int rank : {0, 1}) {
    CHECK(outcomes[static_cast<std::size_t>(rank)].kind == CommunicationFailure::peer_failed);
    CHECK(outcomes[static_cast<std::size_t>(rank)].rank == 2);
    CHECK(says(outcomes[static_cast<std::size_t>(rank)], "has died"));
  }
}

TEST_CASE("rendezvous: a rank that left is named by the exchange that needs it") {
  for (int const leaver : {0, 2}) {
    auto const port = free_port();
    auto const outcomes = run({0, 1, 2}, [&](int rank) {
      Rendezvous rendezvous(launch_of(rank, 3, port), {.meeting_deadline = long_deadline});
      check_exchange(rendezvous, 1);
      if (rank != leaver) check_exchange(rendezvous, 2);
    });
    for (int rank : {0, 1, 2}) {
      if (rank == leaver) continue;
      CHECK(outcomes[static_cast<std::size_t>(rank)].kind == CommunicationFailure::peer_failed);
      CHECK(outcomes[static_cast<std::size_t>(rank)].rank == leaver);
    }
  }
}

// That nothing is taken for a failure shows in the next thing that is: only the first counts.
TEST_CASE("rendezvous: leaving after the last exchange is no failure") {
  auto const port = free_port();
  std::atomic<bool> left{false};
  check_all_well(run(ranks_of(4), [&](int rank) {
    std::optional<Rendezvous> rendezvous(std::in_place, launch_of(rank, 4, port),
                                         Rendezvous::Config{.meeting_deadline = long_deadline});
    check_exchange(*rendezvous, 1);
    if (rank == 1) {
      rendezvous.reset();
      left = true;
      return;
    }
    while (!left) std::this_thread::yield();
    if (rank == 2) rendezvous->fail("gives up");
    while (!rendezvous->failure()) std::this_thread::yield();
    CHECK(rendezvous->failure()->rank == 2);
  }));
}

TEST_CASE("rendezvous: that rank 0 leaves is no failure either") {
  using namespace zero::detail;
  auto listener = listen_on("", "127.0.0.1", 0);
  auto const port = local_address(listener.get()).port();
  check_all_well(run({0, 1}, [&](int rank) {
    if (rank == 0) {  // by hand, as nothing follows the word of a rank that leaves
      Deadline const deadline(long_deadline);
      auto const sockets = RendezvousServer(launch_of(0, 2, port), std::move(listener), deadline).run();
      auto const failure = encoded_failure({CommunicationFailure::peer_failed, 1, "was told to"});
      CHECK(write_all(sockets[1].get(), encoded(FrameKind::left, 0, {}), deadline) == Transfer::done);
      CHECK(write_all(sockets[1].get(), encoded(FrameKind::failed, 0, failure), deadline) == Transfer::done);
      char c = 0;
      while (wait_for(sockets[1].get(), POLLIN, 60000) && ::recv(sockets[1].get(), &c, 1, 0) > 0) {
      }
      return;
    }
    Rendezvous rendezvous(launch_of(1, 2, port), {.meeting_deadline = long_deadline});
    while (!rendezvous.failure()) std::this_thread::yield();
    CHECK(rendezvous.failure()->rank == 1);
  }));
}

TEST_CASE("rendezvous: an exchange that a rank does not come to ends with the deadline, and names it") {
  for (int const absent : {0, 1, 2}) {
    auto const port = free_port();
    std::atomic<int> waiting{2};
    auto const outcomes = run({0, 1, 2}, [&](int rank) {
      Rendezvous rendezvous(launch_of(rank, 3, port),
                            {.meeting_deadline = long_deadline, .deadline = patient_deadline});
      if (rank == absent) {
        while (waiting > 0) std::this_thread::sleep_for(1ms);
        return;
      }
      struct Count {
        std::atomic<int>& left;
        ~Count() { --left; }
      } const count{waiting};
      check_exchange(rendezvous, 1);
    });
    for (int rank : {0, 1, 2}) {
      if (rank == absent) continue;
      auto const& outcome = outcomes[static_cast<std::size_t>(rank)];
      CHECK(outcome.kind == CommunicationFailure::deadline);
      CHECK(outcome.rank == absent);
      CHECK(says(outcome, "missing ranks: " + std::to_string(absent)));
    }
  }
}

TEST_CASE("rendezvous: all that did not come to an exchange are named, rank 0 among them") {
  auto const port = free_port();
  std::atomic<bool> over{false};
  auto const outcomes = run({0, 1, 2}, [&](int rank) {
    Rendezvous rendezvous(launch_of(rank, 3, port), {.meeting_deadline = long_deadline, .deadline = patient_deadline});
    if (rank != 1) {
      while (!over) std::this_thread::sleep_for(1ms);
      return;
    }
    struct Over {
      std::atomic<bool>& flag;
      ~Over() { flag = true; }
    } const release{over};
    check_exchange(rendezvous, 1);
  });
  CHECK(outcomes[1].kind == CommunicationFailure::deadline);
  CHECK(outcomes[1].rank == 0);
  CHECK(says(outcomes[1], "missing ranks: 0 and 2"));
}

TEST_CASE("rendezvous: ranks that bring different sizes are told which one differs") {
  auto const port = free_port();
  auto const outcomes = run({0, 1, 2}, [&](int rank) {
    Rendezvous rendezvous(launch_of(rank, 3, port), {.meeting_deadline = long_deadline});
    check_exchange(rendezvous, 1, rank == 2 ? 5 : 2);
  });
  for (auto const& outcome : outcomes) {
    CHECK(outcome.kind == CommunicationFailure::mismatch);
    CHECK(outcome.rank == 2);
  }
}

TEST_CASE("rendezvous: an exchange above the cap is refused before anything is sent") {
  auto const port = free_port();
  check_all_well(run({0, 1}, [&](int rank) {
    Rendezvous rendezvous(launch_of(rank, 2, port), {.meeting_deadline = long_deadline, .max_message_bytes = 64});
    CHECK_THROWS_WITH_AS(check_exchange(rendezvous, 1, 9), doctest::Contains("the most is 64"),
                         zero::ConfigurationError);
    check_exchange(rendezvous, 1, 8);
  }));
}

TEST_CASE("rendezvous: settings that cannot work") {
  CHECK_THROWS_AS(Rendezvous(launch_of(0, 2, 1), {.deadline = 0s}), zero::ConfigurationError);
  CHECK_THROWS_AS(Rendezvous(launch_of(0, 2, 1), {.meeting_deadline = 0s}), zero::ConfigurationError);
  Rendezvous alone(LaunchEnvironment{});
  std::byte bytes[3]{};
  CHECK_THROWS_AS(alone.exchange(std::span(bytes, 1), std::span(bytes, 3)), zero::ConfigurationError);
  alone.fail("nobody listens");
  CHECK_FALSE(alone.failure());
}

TEST_CASE("rendezvous: groups meet anew, in the order of their keys") {
  auto const port = free_port();
  check_all_well(run(ranks_of(6), [&](int rank) {
    Rendezvous rendezvous(launch_of(rank, 6, port), {.meeting_deadline = long_deadline});
    auto group = rendezvous.split(rank == 5 ? -1 : rank % 2, -rank);
    if (rank == 5) {
      CHECK_FALSE(group);
    } else {
      REQUIRE(group);
      CHECK(group->size() == (rank % 2 == 0 ? 3 : 2));
      CHECK(group->rank() == (rank % 2 == 0 ? (4 - rank) / 2 : (3 - rank) / 2));
      check_exchange(*group, 5);
    }
    check_exchange(rendezvous, 6);
  }));
}

TEST_CASE("rendezvous: through a file, past what an earlier run has left there") {
  Folder const folder;
  auto const launch = [&](int rank) {
    auto made = launch_of(rank, 3, 0);
    made.folder = folder.path;
    return made;
  };
  zero::detail::RendezvousFile const file(launch(0));
  for (bool const stale : {false, true}) {
    auto earlier = zero::detail::listen_on("", "127.0.0.1", 0);
    if (stale) file.write({"127.0.0.1", zero::detail::local_address(earlier.get()).port(), "stale"});
    check_all_well(run({0, 1, 2}, [&](int rank) {
      if (stale && rank == 0) {  // begins when the others have followed the old file, and closes what it leads to
        std::vector<zero::Descriptor> guests;
        while (guests.size() < 2) {
          REQUIRE(zero::detail::wait_for(earlier.get(), POLLIN, 60000));
          guests.emplace_back(::accept4(earlier.get(), nullptr, nullptr, SOCK_NONBLOCK));
        }
        earlier.close();
      }
      Rendezvous rendezvous(launch(rank), {.meeting_deadline = long_deadline});
      check_exchange(rendezvous, 1);
    }));
    CHECK_FALSE(file.read());  // rank 0 has taken it away
  }
}

TEST_CASE("rendezvous: through a file that leads to an earlier run, which turns the ranks away") {
  using namespace zero::detail;
  Folder const folder;
  auto const launch = [&](int rank) {
    auto made = launch_of(rank, 2, 0);
    made.folder = folder.path;
    return made;
  };
  auto listener = listen_on("", "127.0.0.1", 0);
  RendezvousFile(launch(0)).write({"127.0.0.1", local_address(listener.get()).port(), "old"});
  check_all_well(run({0, 1}, [&](int rank) {
    if (rank == 0) {  // the earlier run, before this one's rank 0 begins
      (void)wait_for(listener.get(), POLLIN, 60000);
      zero::Descriptor const connection(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK));
      FrameReader reader(HandshakeRequest::bytes);
      CHECK(read_frame(connection.get(), reader, Deadline(long_deadline)) == Transfer::done);
      (void)write_all(connection.get(), encoded(FrameKind::refused, 1, refusal_of(Refusal::rejected, "go away")),
                      Deadline(long_deadline));
    }
    Rendezvous rendezvous(launch(rank), {.meeting_deadline = long_deadline});
    check_exchange(rendezvous, 1);
  }));
}

TEST_CASE("rendezvous file: only what this user's rank 0 wrote, whole, is believed") {
  Folder const folder;
  auto launch = launch_of(0, 2, 0);
  launch.folder = folder.path;
  zero::detail::RendezvousFile const file(launch);
  CHECK_FALSE(file.read());
  file.write({"127.0.0.1", 5, "abc"});
  REQUIRE(file.read());
  CHECK(file.read()->port == 5);
  struct stat about {};
  REQUIRE(::stat(file.path().c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);
  auto const elsewhere = folder.path + "/elsewhere";
  REQUIRE(std::rename(file.path().c_str(), elsewhere.c_str()) == 0);
  REQUIRE(::symlink(elsewhere.c_str(), file.path().c_str()) == 0);
  CHECK_FALSE(file.read());
  file.remove();
  REQUIRE(::mkfifo(file.path().c_str(), 0600) == 0);
  CHECK_FALSE(file.read());
  file.remove();
  (void)std::remove(elsewhere.c_str());
  launch.run_id = "../x";
  CHECK_THROWS_AS(zero::detail::RendezvousFile{launch}, zero::ConfigurationError);
  launch.run_id = "x";
  launch.folder = "/no/such/folder";
  CHECK_THROWS_WITH_AS(zero::detail::RendezvousFile(launch).write({"h", 1, "t"}),
                       doctest::Contains("ZERO_RENDEZVOUS_FOLDER"), zero::ConfigurationError);
}

}  // namespace bootstrap_rendezvous_test
