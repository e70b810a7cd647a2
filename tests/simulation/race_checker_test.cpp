// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "simulation/scripts.hpp"

#include <zero/communicators/simulation.hpp>

#include <doctest/doctest.h>

#include <array>

namespace simulation_race_checker_test {

using simulation_test::clean;
using simulation_test::race_of;
using simulation_test::Script;
using zero::simulation::reads;
using zero::simulation::writes;

namespace {

bool contains(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

// Two operations on two streams that touch bytes of the same array.
Script two_streams(zero::simulation::Access first, zero::simulation::Access second) {
  return [=](zero::SimulationCommunicator& rank) {
    rank.make_stream("one").launch("first", {first}, [] {});
    rank.make_stream("two").launch("second", {second}, [] {});
  };
}

}  // namespace

TEST_CASE("race: a write and a write, a write and a read, a read and a write; not two reads") {
  std::array<float, 4> const data{};
  auto const read = reads(std::span(data));
  auto const write = writes(std::span(data));
  CHECK_FALSE(race_of(two_streams(write, write)).empty());
  CHECK_FALSE(race_of(two_streams(write, read)).empty());
  CHECK_FALSE(race_of(two_streams(read, write)).empty());
  CHECK(clean(two_streams(read, read)));
}

TEST_CASE("race: overlap is judged by the byte") {
  std::array<float, 8> const data{};
  auto const part = [&](std::size_t from, std::size_t n) { return writes(std::span(data).subspan(from, n)); };
  CHECK(clean(two_streams(part(0, 4), part(4, 4))));
  CHECK_FALSE(race_of(two_streams(part(0, 5), part(4, 4))).empty());
  CHECK_FALSE(race_of(two_streams(part(2, 1), part(0, 8))).empty());
  CHECK(clean(two_streams(part(2, 0), part(0, 8))));
}

TEST_CASE("race: the message names both operations, their streams, the rank, the memory and the missing edge") {
  std::array<float, 4> const data{};
  auto const message = race_of([&](zero::SimulationCommunicator& rank) {
    zero::SimulationBackend({rank.process()}, 1).name_memory(data.data(), sizeof data, "weights of layer 3");
    rank.make_stream("compute").launch("forward", {reads(std::span(data))}, [] {});
    rank.make_stream("communication").launch("all_gather", {writes(std::span(data).subspan(2, 1))}, [] {});
  });
  for (auto const* part :
       {"race on rank 0", "'forward' (#", "stream 'compute'", "'all_gather' (#", "stream 'communication'",
        "weights of layer 3 at byte 8", "Missing edge: record an event", "wait for it before"}) {
    INFO(part);
    CHECK(contains(message, part));
  }
}

TEST_CASE("race: an event orders what was put before its record, and nothing after it") {
  std::array<float, 4> const data{};
  auto const script = [&](bool too_late) {
    return [&, too_late](zero::SimulationCommunicator& rank) {
      zero::SimulationBackend backend({rank.process()}, 1);
      auto const one = rank.make_stream("one");
      auto const two = rank.make_stream("two");
      zero::SimulationEvent event;
      if (too_late) backend.record(event, one);
      one.launch("first", {writes(std::span(data))}, [] {});
      if (!too_late) backend.record(event, one);
      backend.wait(two, event);
      two.launch("second", {writes(std::span(data))}, [] {});
    };
  };
  CHECK(clean(script(false)));
  CHECK_FALSE(race_of(script(true)).empty());
}

TEST_CASE("race: waiting for an event that was never recorded is no wait") {
  std::array<float, 4> const data{};
  CHECK_FALSE(race_of([&](zero::SimulationCommunicator& rank) {
                zero::SimulationBackend backend({rank.process()}, 1);
                auto const one = rank.make_stream("one");
                auto const two = rank.make_stream("two");
                zero::SimulationEvent event;
                backend.wait(two, event);  // the record comes after the wait: CUDA lets this pass
                one.launch("first", {writes(std::span(data))}, [] {});
                backend.record(event, one);
                two.launch("second", {writes(std::span(data))}, [] {});
              }).empty());
}

TEST_CASE("race: a wait means the event as it was recorded at the time of the call, not as it is recorded later") {
  std::array<float, 8> const data{};
  auto const early = writes(std::span(data).first(4));
  auto const late = writes(std::span(data).last(4));
  auto const script = [&](zero::simulation::Access touched) {
    return [&, touched](zero::SimulationCommunicator& rank) {
      zero::SimulationBackend backend({rank.process()}, 1);
      auto const one = rank.make_stream("one");
      auto const two = rank.make_stream("two");
      zero::SimulationEvent event;
      one.launch("early", {early}, [] {});
      backend.record(event, one);
      backend.wait(two, event);
      one.launch("late", {late}, [] {});
      backend.record(event, one);
      two.launch("second", {touched}, [] {});
    };
  };
  CHECK(clean(script(early)));
  CHECK_FALSE(race_of(script(late)).empty());
}

TEST_CASE("race: order is transitive over streams, and through the host") {
  std::array<float, 4> const data{};
  CHECK(clean([&](zero::SimulationCommunicator& rank) {
    zero::SimulationBackend backend({rank.process()}, 1);
    std::array const streams{rank.make_stream("a"), rank.make_stream("b"), rank.make_stream("c")};
    std::array<zero::SimulationEvent, 2> events;
    streams[0].launch("first", {writes(std::span(data))}, [] {});
    backend.record(events[0], streams[0]);
    backend.wait(streams[1], events[0]);
    backend.record(events[1], streams[1]);
    backend.wait(streams[2], events[1]);
    streams[2].launch("second", {writes(std::span(data))}, [] {});
    backend.synchronize(streams[2]);
    streams[1].launch("third", {writes(std::span(data))}, [] {});
  }));
}

TEST_CASE("race: the host reads only what it has waited for, and gives memory back only when nothing uses it") {
  auto const script = [](bool waits, bool frees) {
    return [=](zero::SimulationCommunicator& rank) {
      zero::SimulationBackend backend({rank.process()}, 1);
      zero::MemoryReport books;
      zero::detail::Buffer<float, zero::SimulationBackend> buffer(backend, books, zero::MemoryKind::device,
                                                                  zero::MemoryPurpose::gradients, 16);
      auto const stream = rank.make_stream("compute");
      stream.launch("backward", {writes(buffer.span())}, [] {});
      if (waits) backend.synchronize(stream);
      if (!frees) backend.host_reads(buffer.data(), sizeof(float));
    };
  };
  CHECK(clean(script(true, false)));
  CHECK(clean(script(true, true)));
  auto const read = race_of(script(false, false));
  CHECK(contains(read, "the host reads what 'backward'"));
  CHECK(contains(read, "gradients at byte 0"));
  CHECK(contains(race_of(script(false, true)), "the host writes what 'backward'"));
}

TEST_CASE("race: memory that was given back and handed out again has no history") {
  CHECK(clean([](zero::SimulationCommunicator& rank) {
    zero::SimulationBackend backend({rank.process()}, 1);
    zero::MemoryReport books;
    for (auto const* name : {"one", "two", "three"}) {
      zero::detail::Buffer<float, zero::SimulationBackend> buffer(backend, books, zero::MemoryKind::device,
                                                                  zero::MemoryPurpose::gradients, 16);
      auto const stream = rank.make_stream(name);
      stream.launch("backward", {writes(buffer.span())}, [] {});
      backend.synchronize(stream);
    }
  }));
}

TEST_CASE("race: a collective touches its buffers on its own stream, and orders what comes after it on every rank") {
  auto const script = [](bool ordered) {
    return [=](zero::SimulationCommunicator& rank) {
      std::vector<float> own(4, static_cast<float>(rank.rank()));
      std::vector<float> all(8);
      zero::SimulationBackend backend({rank.process()}, 1);
      auto const compute = rank.make_stream("compute");
      auto const communication = rank.make_stream("communication");
      zero::SimulationEvent updated;
      compute.launch("update", {writes(std::span(own))}, [] {});
      backend.record(updated, compute);
      if (ordered) backend.wait(communication, updated);
      rank.all_gather(own.data(), all.data(), own.size(), {"parameters", 3}, communication);
      backend.synchronize(communication);
      backend.host_reads(all.data(), all.size() * sizeof(float));
      CHECK(all[4] == 1.0F);
      backend.synchronize(compute);
    };
  };
  CHECK(clean(script(true), 2));
  auto const message = race_of(script(false), 2);
  CHECK(contains(message, "'all_gather of parameters, bucket 3'"));
  CHECK(contains(message, "'update'"));
}

TEST_CASE("race: it is found in every order, because it is one of the graph and not of a run") {
  std::array<float, 4> const data{};
  auto const script = two_streams(writes(std::span(data)), writes(std::span(data)));
  for (auto order : simulation_test::orders) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      CHECK_FALSE(race_of(script, 1, {.seed = seed, .order = order}).empty());
    }
  }
}

}  // namespace simulation_race_checker_test
