// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Engines on one communicator that cannot compare what ranks call, as NCCL's: it counts, and engines compare.

#include "engine/engine_under_test.hpp"

#include <zero/profile/profiler.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace engine_counted_calls_test {

using engine_test::micro_batch;
using engine_test::parameters;
using zero::HostStream;
using zero::MismatchError;
using zero::Stage;
using zero::ThreadCommunicator;

namespace {

/// Threads that are told nothing of what a collective is for, and count.
class CountingThreads {
 public:
  static constexpr zero::CommunicatorFacts facts{.counts_calls = true};

  explicit CountingThreads(ThreadCommunicator& threads) : threads_(threads) {}

  [[nodiscard]] int rank() const { return threads_.rank(); }
  [[nodiscard]] int size() const { return threads_.size(); }
  [[nodiscard]] int local_size() const { return threads_.local_size(); }
  template <class Sum, class Element>
  void reduce_scatter_add(Element const* send, Sum* into, std::size_t count, zero::SumRange range,
                          zero::CollectivePurpose /*purpose*/, HostStream stream) {
    ++calls_;
    threads_.reduce_scatter_add(send, into, count, range, {"a call"}, stream);
  }
  template <class Element>
  void all_gather(Element const* own, Element* full, std::size_t count, zero::CollectivePurpose /*purpose*/,
                  HostStream stream) {
    ++calls_;
    threads_.all_gather(own, full, count, {"a call"}, stream);
  }
  void all_reduce(std::uint64_t* words, std::size_t count, zero::CollectivePurpose /*purpose*/, HostStream stream) {
    ++calls_;
    threads_.all_reduce(words, count, {"a call"}, stream);
  }
  void exchange(std::span<std::byte const> mine, std::span<std::byte> all) { threads_.exchange(mine, all); }
  [[nodiscard]] std::uint64_t& calls() noexcept { return calls_; }

 private:
  ThreadCommunicator& threads_;
  std::uint64_t calls_ = 0;
};

template <Stage S>
using Engine = engine_test::EngineOf<S, zero::Precision<zero::FP32>, zero::NoOffload, CountingThreads>;
using Profiler = zero::profile::Profiler<zero::HostBackend>;

// Two engines of one layout take a step of a micro-batch each; the second one is made when the first has stepped.
template <Stage S>
void train_two(ThreadCommunicator& threads, Profiler* profiler, bool swapped) {
  CountingThreads ranks(threads);
  Engine<S> a(ranks, parameters({64, 32}));
  micro_batch(a, 2);
  (void)a.step({}).get();
  Engine<S> b(ranks, parameters({64, 32}), {.profiler = profiler});
  for (int step = 0; step < 2; ++step) {
    micro_batch(swapped ? b : a, 2);
    micro_batch(swapped ? a : b, 2);
    (void)a.step({}).get();
    (void)b.step({}).get();
  }
  CHECK(a.step_state().steps == 3);
  CHECK(b.step_state().steps == 2);
}

}  // namespace

TEST_CASE("counted calls: an engine on a used communicator agrees, also where one rank alone observes it") {
  zero::run_ranks(2, [&](ThreadCommunicator& threads) {
    for (bool observes : {false, true}) {
      Profiler profiler;
      Profiler* const given = observes && threads.rank() == 0 ? &profiler : nullptr;
      train_two<Stage::gradients>(threads, given, false);
      train_two<Stage::parameters>(threads, given, false);
    }
  });
}

TEST_CASE("counted calls: micro-batches of two engines in another order on one rank are every rank's error") {
  zero::run_ranks(2, [&](ThreadCommunicator& threads) {
    CHECK_THROWS_AS(train_two<Stage::gradients>(threads, nullptr, threads.rank() == 1), MismatchError);
    threads.exchange({}, {});  // nobody leaves before all have come here
  });
}

}  // namespace engine_counted_calls_test
