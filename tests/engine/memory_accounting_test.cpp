// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "engine/counting.hpp"
#include "engine/engine_under_test.hpp"
#include "engine/runs.hpp"

#include <cstdlib>
#include <new>

using engine_test::Run;
using engine_test::Types;
using zero::MemoryKind;
using zero::MemoryPurpose;
using zero::Stage;

namespace {
thread_local std::uint64_t heap_allocations = 0;

void* counted_allocation(std::size_t bytes, std::size_t alignment) {
  ++heap_allocations;
  void* const data = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (data == nullptr) throw std::bad_alloc();
  return data;
}
// Not inlined, because compilers take a free() inside operator delete for a mistake.
[[gnu::noinline]] void release(void* data) noexcept { std::free(data); }
}  // namespace

void* operator new(std::size_t bytes) { return counted_allocation(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return counted_allocation(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* data) noexcept { release(data); }
void operator delete(void* data, std::size_t) noexcept { release(data); }
void operator delete(void* data, std::align_val_t) noexcept { release(data); }
void operator delete(void* data, std::size_t, std::align_val_t) noexcept { release(data); }

namespace {

constexpr std::array kinds = {MemoryKind::device, MemoryKind::pinned, MemoryKind::pageable};

// Model-state bytes for one padded element, times the world: of what every rank holds whole, and of what is sharded.
struct BytesPerElement {
  std::size_t whole = 0;
  std::size_t sharded = 0;
};

// The published formulas of ZeRO with Adam, 16-bit values and gradients, and the bytes of the sum type.
BytesPerElement formula(Stage stage, std::size_t sum, bool several_micro_batches, bool once_per_step) {
  bool const in_place = sum == 2 && !several_micro_batches;
  bool const local = several_micro_batches && once_per_step;
  std::size_t const kept = in_place || local ? 0 : sum;
  switch (stage) {
    case Stage::none:
      return {4 + 12 + kept + (local ? sum : 0), 0};
    case Stage::optimizer_states:
      return {4 + (local ? sum : 0), 12 + kept};
    case Stage::gradients:
      return {2, 12 + sum};
    default:
      return {0, 2 + 12 + sum};
  }
}

std::size_t model_state_bytes(zero::MemoryReport const& memory, Stage stage) {
  std::size_t bytes = memory.bytes(MemoryPurpose::parameters) + memory.bytes(MemoryPurpose::gradient_sums) +
                      memory.bytes(MemoryPurpose::local_sums) + memory.bytes(MemoryPurpose::master) +
                      memory.bytes(MemoryPurpose::optimizer_states);
  if (stage < Stage::gradients) bytes += memory.bytes(MemoryPurpose::gradients);
  return bytes;
}

// What stages 2 and 3 hold beside their shards: the ring's slots, as large as its largest block, and own slots.
std::size_t slot_elements(zero::FlatLayout const& layout, std::size_t ring) {
  std::size_t largest = 0, in_ring = 0, own = 0;
  for (auto const& block : layout.blocks()) {
    if (block.slot == zero::GradientSlot::own) own += block.elements;
    if (block.slot != zero::GradientSlot::ring) continue;
    largest = std::max(largest, block.elements);
    ++in_ring;
  }
  return largest * std::min(ring, in_ring) + own;
}

void check_formula(Run const& run) {
  auto const result = engine_test::train(run);
  auto const& layout = *result.layout;
  bool const once = run.reduce == zero::Reduce::once_per_step;
  auto const per_element = formula(run.stage, run.types == Types::bf16_sums ? 2 : 4, run.accumulation > 1, once);
  std::size_t const world = static_cast<std::size_t>(run.world);
  // Frozen parameters have values only: whole below stage 3.
  std::size_t const frozen = (layout.total() - layout.trainable()) * 2 / (run.stage == Stage::parameters ? world : 1);
  INFO(engine_test::describe(run));
  CHECK(model_state_bytes(result.memory, run.stage) ==
        layout.trainable() * per_element.whole + layout.trainable() / world * per_element.sharded + frozen);
  if (run.stage >= Stage::gradients) {
    std::size_t const slots =
        result.memory.bytes(MemoryPurpose::gradients) + result.memory.bytes(MemoryPurpose::gradient_slots);
    CHECK(slots == 2 * slot_elements(layout, static_cast<std::size_t>(run.gradient_ring)));
  }
  CHECK(result.memory.bytes(MemoryKind::pageable) == 0);
  CHECK(result.memory.bytes(MemoryPurpose::staging) == 0);
  CHECK((result.memory.bytes(MemoryPurpose::gathered) > 0) == (run.stage == Stage::parameters));
}

}  // namespace

TEST_CASE("memory accounting: model states take the bytes of the formulas, to the byte") {
  for (auto types : {Types::bf16, Types::bf16_sums}) {
    for (auto stage : engine_test::stages) {
      for (int world : {1, 3, 4}) {
        for (int accumulation : {1, 3}) {
          for (auto reduce : {zero::Reduce::each_micro_batch, zero::Reduce::once_per_step}) {
            if (reduce == zero::Reduce::once_per_step && stage >= Stage::gradients) continue;
            check_formula({.types = types,
                           .stage = stage,
                           .world = world,
                           .accumulation = accumulation,
                           .reduce = reduce,
                           .steps = 1});
          }
        }
      }
    }
  }
}

TEST_CASE(
    "memory accounting: offload leaves values, gradients and staging on the device, and states in pageable memory") {
  for (auto stage : engine_test::stages) {
    auto const result = engine_test::train(
        {.types = Types::bf16, .stage = stage, .offload = true, .world = 2, .accumulation = 2, .steps = 2});
    auto const& memory = result.memory;
    std::size_t const owned = result.layout->trainable() / (stage == Stage::none ? 1 : 2);
    CHECK(memory.bytes(MemoryKind::pageable, MemoryPurpose::master) == 4 * owned);
    CHECK(memory.bytes(MemoryKind::pageable, MemoryPurpose::optimizer_states) == 8 * owned);
    CHECK(memory.bytes(MemoryKind::pageable, MemoryPurpose::gradient_sums) == 4 * owned);
    CHECK(memory.bytes(MemoryKind::device, MemoryPurpose::optimizer_states) == 0);
    CHECK(memory.bytes(MemoryKind::device, MemoryPurpose::gradient_sums) == 0);
    CHECK(memory.bytes(MemoryKind::pinned, MemoryPurpose::staging) <= 2 * (512 * 2 + 2 * 512 * 4));
  }
}

TEST_CASE("memory accounting: a delayed update keeps a second step's sums on the host, and nothing else") {
  for (auto stage : engine_test::stages) {
    Run run{.types = Types::bf16, .stage = stage, .offload = true, .world = 2, .accumulation = 2, .steps = 2};
    auto const at_once = engine_test::train(run);
    run.delayed_update = true;
    auto const delayed = engine_test::train(run);
    std::size_t const owned = delayed.layout->trainable() / (stage == Stage::none ? 1 : 2);
    CHECK(delayed.memory.bytes(MemoryKind::pageable) == at_once.memory.bytes(MemoryKind::pageable) + 4 * owned);
    CHECK(delayed.memory.bytes(MemoryKind::pinned) == at_once.memory.bytes(MemoryKind::pinned));
    CHECK(delayed.memory.bytes(MemoryKind::device) == at_once.memory.bytes(MemoryKind::device));
    CHECK(delayed.traffic.parameters == at_once.traffic.parameters);
  }
}

TEST_CASE("memory accounting: a share of offloaded states stays on the device, as much as was asked for and no more") {
  for (auto stage : engine_test::stages) {
    for (double share : {0.3, 0.7, 1.0}) {
      Run const run{.types = Types::bf16,
                    .stage = stage,
                    .offload = true,
                    .world = 2,
                    .accumulation = 2,
                    .bucket_elements = share == 0.3 ? 4096U : 256U,
                    .device_share = share,
                    .steps = 2};
      auto const result = engine_test::train(run);
      std::size_t const owned = result.layout->trainable() / (stage == Stage::none ? 1 : 2);
      for (auto [purpose, bytes] : {std::pair{MemoryPurpose::master, 4U},
                                    {MemoryPurpose::optimizer_states, 8U},
                                    {MemoryPurpose::gradient_sums, 4U}}) {
        auto const on_device = result.memory.bytes(MemoryKind::device, purpose);
        CHECK(on_device + result.memory.bytes(MemoryKind::pageable, purpose) == bytes * owned);
        auto const asked = static_cast<std::size_t>(share * static_cast<double>(owned));
        CHECK(on_device == bytes * (asked / run.alignment_elements * run.alignment_elements));
      }
      CHECK((result.memory.bytes(MemoryPurpose::staging) > 0) == (share < 1.0));
    }
  }
}

namespace {

using Communicator = engine_test::CountingCommunicator<zero::ThreadCommunicator>;
template <Stage S, class Offload = zero::NoOffload>
using Counted = zero::Engine<zero::Partitioner<S>, zero::Optimizer<zero::AdamW, Offload>, zero::Precision<zero::BF16>,
                             engine_test::CountingBackend, Communicator>;

// Forward and backward over units of two parameters, some of them larger than a bucket.
template <class Engine>
void whole_micro_batch(Engine& engine, std::span<std::vector<zero::ParameterId> const> units) {
  auto pass = engine.begin_micro_batch({});
  for (auto const& unit : units) (void)engine.gather(unit, {});
  for (std::size_t u = units.size(); u-- > 0;) {
    auto const weights = engine.gather(units[u], {});
    auto gradients = engine.gradients(units[u], {});
    for (auto id : units[u]) {
      for (auto& g : gradients[id]) g = zero::narrow<zero::bfloat16>(1.0F);
    }
    gradients.ready({});
  }
  pass.finish({});
}

struct Books {
  zero::ParameterList list;
  std::vector<std::vector<zero::ParameterId>> units;
};

Books model() {
  Books books;
  for (int u = 0; u < 4; ++u) {
    auto const name = std::to_string(u);
    books.units.push_back(
        {books.list.add({.name = "w" + name, .shape = {static_cast<std::size_t>(700 * (u + 1))}, .unit = u}),
         books.list.add({.name = "b" + name, .shape = {5}, .unit = u})});
  }
  return books;
}

// Runs some steps and hands engine, communicator and the model over on every rank.
template <class Engine, class F>
void with_engine(int world, int accumulation, F&& f) {
  for (auto& bytes : engine_test::bytes_at_large) CHECK(bytes == 0);
  zero::run_ranks(world, [&](zero::ThreadCommunicator& ranks) {
    Communicator communicator(ranks);
    auto const books = model();
    typename Engine::Config config{
        .gradient_accumulation_steps = accumulation, .reduce = zero::Reduce::each_micro_batch, .bucket_elements = 1024};
    config.backend.threads = 1;
    Engine engine(communicator, books.list, config);
    auto const step = [&] {
      for (int a = 0; a < accumulation; ++a) whole_micro_batch(engine, std::span(books.units));
      (void)engine.step({});
    };
    f(engine, communicator, step);
  });
  for (auto& bytes : engine_test::bytes_at_large) CHECK(bytes == 0);
}

template <class F>
void for_all_engines(F&& f) {
  f.template operator()<Counted<Stage::none>>();
  f.template operator()<Counted<Stage::optimizer_states>>();
  f.template operator()<Counted<Stage::gradients>>();
  f.template operator()<Counted<Stage::parameters>>();
  f.template operator()<Counted<Stage::gradients, zero::CpuOffload>>();
}

}  // namespace

TEST_CASE("memory accounting: totals are what the backend handed out, at its peak too, and all of it comes back") {
  for_all_engines([]<class Engine>() {
    with_engine<Engine>(3, 2, [](Engine& engine, Communicator&, auto&& step) {
      auto const check = [&] {
        for (auto kind : kinds) {
          CHECK(engine.memory().bytes(kind) == engine.backend().bytes_in_use(kind));
          CHECK(engine.memory().bytes(kind) == engine.backend().peak_bytes(kind));
        }
      };
      check();
      for (int i = 0; i < 3; ++i) step(), check();
      CHECK(engine.memory().total() > 0);
    });
  });
}

TEST_CASE("memory accounting: a step allocates nothing, neither of the backend nor on the heap") {
  for_all_engines([]<class Engine>() {
    with_engine<Engine>(2, 2, [](Engine& engine, Communicator&, auto&& step) {
      step(), step();
      auto const blocks = engine.backend().allocations();
      auto const heap = heap_allocations;
      for (int i = 0; i < 20; ++i) step();
      CHECK(engine.backend().allocations() == blocks);
      CHECK(heap_allocations == heap);
    });
  });
}

TEST_CASE("memory accounting: traffic is what the communicator saw, and no more than the formulas") {
  for (int world : {1, 2, 4}) {
    for (int accumulation : {1, 3}) {
      for_all_engines([&]<class Engine>() {
        with_engine<Engine>(world, accumulation, [&](Engine& engine, Communicator& communicator, auto&& step) {
          constexpr std::uint64_t steps = 3;
          communicator.elements = communicator.collectives = 0;
          for (std::uint64_t i = 0; i < steps; ++i) step();
          auto const& traffic = engine.traffic();
          auto const a = static_cast<std::uint64_t>(accumulation);
          auto const w = static_cast<std::uint64_t>(world);
          auto const unit = engine.layout().trainable() / w * (w - 1);
          CHECK(traffic.training() == steps * unit * (Engine::stage == Stage::parameters ? 3 * a : a + 1));
          CHECK(traffic.gradients == steps * unit * a);
          CHECK(traffic.evaluation == 0);
          CHECK(communicator.elements == traffic.training());
          CHECK(communicator.collectives == traffic.collectives);
        });
      });
    }
  }
}

TEST_CASE("memory accounting: sums that are reduced once per step travel once") {
  for (auto stage : {Stage::none, Stage::optimizer_states}) {
    auto const result = engine_test::train({.stage = stage,
                                            .world = 4,
                                            .accumulation = 3,
                                            .reduce = zero::Reduce::once_per_step,
                                            .steps = 2,
                                            .bad_step = -1});
    CHECK(result.traffic.training() == std::size_t{2} * 2 * result.layout->trainable() / 4 * 3);
  }
}

TEST_CASE("memory accounting: at stage 3 tied uses and evaluation are counted on top, and prefetching adds nothing") {
  for (std::size_t bucket_elements : {1024U, 65536U}) {
    for (int prefetch : {0, 1, 2}) {
      auto const result = engine_test::train({.stage = Stage::parameters,
                                              .world = 2,
                                              .accumulation = 2,
                                              .bucket_elements = bucket_elements,
                                              .prefetch_units = prefetch,
                                              .evaluates = true,
                                              .steps = 3,
                                              .bad_step = -1});
      auto const& layout = *result.layout;
      std::size_t const tied = layout.blocks()[layout.extents()[0].block].elements;
      INFO("prefetch " << prefetch << " bucket " << bucket_elements);
      CHECK(result.traffic.gathered == std::size_t{3} * 2 * (2 * layout.total() + tied) / 2);
      CHECK(result.traffic.evaluation == 3 * layout.total() / 2);
    }
  }
}
