// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "engine/engine_under_test.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

namespace engine_gather_test {

using engine_test::contains;
using engine_test::id;
using engine_test::message_of;
using engine_test::micro_batch;
using engine_test::parameters;
using zero::Stage;

namespace {

using Sharded = engine_test::EngineOf<Stage::parameters>;

// Parameter p's elements count up from 1000 p.
std::vector<float> values_of(std::size_t p, std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(1000 * p + i);
  return values;
}

template <class Engine>
void write_all(Engine& engine, std::vector<std::size_t> const& sizes) {
  for (std::size_t p = 0; p < sizes.size(); ++p)
    engine.write_parameter("p" + std::to_string(p), values_of(p, sizes[p]));
}

template <class Lease>
void check_values(Lease const& lease, std::size_t p, std::size_t count) {
  auto const values = lease[id(p)];
  CHECK(std::vector<float>(values.begin(), values.end()) == values_of(p, count));
}

std::vector<std::size_t> const sizes{300, 700, 40, 700, 5, 1500};

}  // namespace

TEST_CASE("gather: nested leases see whole parameters until they end, and gather each block once") {
  zero::run_ranks(3, [](zero::ThreadCommunicator& ranks) {
    Sharded engine(ranks, parameters(sizes),
                   {.bucket_elements = 512, .max_live_elements = 1U << 20, .prefetch_units = 0});
    write_all(engine, sizes);
    auto const outer = engine.gather(id(1), {});
    auto const once = engine.traffic().evaluation;
    {
      std::vector const both{id(1), id(5), id(5)};
      auto const inner = engine.gather(both, {});
      check_values(inner, 1, 700);
      check_values(inner, 5, 1500);
    }
    auto const held = engine.gather(id(1), {});
    CHECK(engine.traffic().evaluation ==
          once + engine.layout().blocks()[engine.layout().extents()[5].block].elements / 3 * 2);
    check_values(outer, 1, 700);
    check_values(held, 1, 700);
    CHECK(outer[id(1)].data() == held[id(1)].data());
  });
}

TEST_CASE("gather: a persistent parameter stays whole at stage 3, at one address, with the bits of a sharded one") {
  std::vector<std::size_t> const small{300, 900, 40};
  auto const train = [&](Stage stage, bool persistent) {
    std::vector<std::vector<float>> result;
    zero::run_ranks(2, [&](zero::ThreadCommunicator& ranks) {
      auto const plain = parameters(small);
      zero::ParameterList list;
      for (auto spec : plain.specs()) {
        spec.persistent = persistent && spec.name != "p2";
        (void)list.add(spec);
      }
      zero::Engine<zero::AnyStage, zero::Optimizer<zero::AdamW>, zero::Precision<zero::FP32>, zero::HostBackend,
                   zero::ThreadCommunicator>
          engine(stage, ranks, list,
                 {.bucket_elements = 512, .max_live_elements = 4096, .prefetch_units = 0, .optimizer = {.lr = 0.25}});
      write_all(engine, small);
      auto const address = [&](std::size_t p) { return engine.gather(id(p))[id(p)].data(); };
      std::vector const first{address(0), address(1)};
      for (int step = 0; step < 2; ++step) {
        auto const before = engine.traffic().gathered;
        auto pass = engine.begin_micro_batch();
        {
          auto const root = engine.gather({id(0), id(1)});  // held while all others come and go
          for (std::size_t p : {0U, 1U, 2U}) (void)engine.gather(id(p));
          for (std::size_t p : {2U, 1U, 0U}) {
            auto const weights = engine.gather(id(p));
            if (persistent && p < 2) CHECK(weights[id(p)].data() == first[p]);
            engine_test::contribute(engine, id(p), static_cast<float>(ranks.rank() + step + 1));
          }
        }
        pass.finish();
        // p2 alone travels, in forward and in backward: its granule of 256 elements, of which a rank sends half.
        if (persistent && stage == Stage::parameters) CHECK(engine.traffic().gathered - before == 2 * 128);
        (void)engine.step().get();
        if (persistent) CHECK(std::vector{address(0), address(1)} == first);
      }
      std::vector<std::vector<float>> values;
      for (std::size_t p : {0U, 1U, 2U}) {
        values.push_back(engine.read_parameter(id(p)));
        auto const weights = engine.gather(id(p));
        CHECK(std::equal(values[p].begin(), values[p].end(), weights[id(p)].begin(), weights[id(p)].end()));
      }
      if (ranks.rank() == 0) result = values;
    });
    return result;
  };
  auto const expected = train(Stage::none, false);
  CHECK(train(Stage::parameters, false) == expected);
  CHECK(train(Stage::parameters, true) == expected);
  CHECK(train(Stage::none, true) == expected);
}

TEST_CASE("gather: beyond the live bound it is refused, nothing is held, and it goes on after a lease has ended") {
  zero::run_ranks(2, [](zero::ThreadCommunicator& ranks) {
    Sharded engine(ranks, parameters(sizes), {.bucket_elements = 512, .max_live_elements = 2048});
    write_all(engine, sizes);
    CHECK(engine.memory().bytes(zero::MemoryPurpose::gathered) == 2048 * sizeof(float));
    auto first = std::optional(engine.gather(id(5), {}));
    std::vector const both{id(4), id(1)};
    auto const message = message_of<zero::LeaseError>([&] { (void)engine.gather(both, {}); });
    CHECK(contains(message, "gathering unit 1 needs 768 elements"));
    CHECK(contains(message, "live bound of 2048"));
    CHECK(contains(message, "raise max_live_elements"));
    check_values(*first, 5, 1500);
    first.reset();
    auto const second = engine.gather(both, {});
    check_values(second, 1, 700);
    check_values(second, 4, 5);
  });
}

TEST_CASE("gather: by default any two units in a row can be held beside tied ones, and no more room is taken") {
  zero::run_ranks(2, [](zero::ThreadCommunicator& ranks) {
    for (std::size_t count : {7U, 8U}) {
      CAPTURE(count);
      std::vector<std::size_t> const row{1500, 40, 700, 512, 300, 900, 1500, 700};
      zero::ParameterList list;
      (void)list.add({.name = "tied", .shape = {3000}, .contributions = 2});
      for (std::size_t p = 0; p < count; ++p) {
        // Two parameters each, so that a unit is not one block.
        for (char const* part : {"a", "b"}) {
          (void)list.add({.name = part + std::to_string(p), .shape = {row[p]}, .unit = static_cast<int>(p) + 1});
        }
      }
      Sharded engine(ranks, list, {.bucket_elements = 512});
      for (std::uint32_t p = 0; p < list.specs().size(); ++p) {
        engine.write_parameter(list.specs()[p].name,
                               values_of(p, zero::ParameterList::element_count(list.specs()[p].shape)));
      }
      // The tied one is 3072 with padding; the largest two in a row are 900 and 1500, with padding 1024 and 1536,
      // twice.
      CHECK(engine.memory().bytes(zero::MemoryPurpose::gathered) == (3072 + 2 * (1024 + 1536)) * sizeof(float));
      auto const unit = [&](std::size_t p) {
        auto const first = static_cast<std::uint32_t>(1 + 2 * p);
        return std::vector{id(first), id(first + 1)};
      };
      std::optional<Sharded::Lease> last;
      auto const use = [&](std::size_t p) {
        auto next = engine.gather(unit(p), {});
        auto const tied = engine.gather(id(0), {});
        check_values(tied, 0, 3000);
        check_values(next, unit(p)[0].index, row[p]);
        check_values(next, unit(p)[1].index, row[p]);
        last.emplace(std::move(next));
      };
      for (int pass = 0; pass < 2; ++pass) {
        for (std::size_t p = 0; p < count; ++p) use(p);
        for (std::size_t p = count; p-- > 0;) use(p);
      }
    }
  });
}

TEST_CASE("gather: what a refused gather had gathered is not in the way of two units in a row") {
  zero::run_ranks(2, [](zero::ThreadCommunicator& ranks) {
    std::vector<std::size_t> const row{512, 1024, 512, 1024};
    Sharded engine(ranks, parameters(row), {.bucket_elements = 512});
    write_all(engine, row);
    auto held = std::optional(engine.gather(id(0), {}));
    std::vector const both{id(2), id(3)};  // the first of them has its place where the held one lies
    CHECK_THROWS_AS((void)engine.gather(both, {}), zero::LeaseError);
    held.reset();
    auto const lease = engine.gather(both, {});
    check_values(lease, 2, 512);
    check_values(lease, 3, 1024);
  });
}

TEST_CASE("gather: addresses repeat from step to step") {
  zero::run_ranks(2, [](zero::ThreadCommunicator& ranks) {
    Sharded engine(ranks, parameters(sizes), {.bucket_elements = 512});
    std::vector<std::vector<float const*>> seen(3);
    for (auto& addresses : seen) {
      auto pass = engine.begin_micro_batch({});
      for (std::size_t p = 0; p < sizes.size(); ++p) addresses.push_back(engine.gather(id(p), {})[id(p)].data());
      for (std::size_t p = sizes.size(); p-- > 0;) {
        addresses.push_back(engine.gather(id(p), {})[id(p)].data());
        engine_test::contribute(engine, id(p), 1.0F);
      }
      pass.finish({});
      (void)engine.step({}).get();
    }
    CHECK(seen[1] == seen[0]);
    CHECK(seen[2] == seen[0]);
  });
}

TEST_CASE("gather: what is gathered after a step is new, though it had been gathered ahead before") {
  zero::run_ranks(2, [](zero::ThreadCommunicator& ranks) {
    Sharded engine(ranks, parameters(sizes), {.bucket_elements = 512, .prefetch_units = 3});
    write_all(engine, sizes);
    (void)engine.gather(id(0), {});
    (void)engine.gather(id(1), {});  // gathers 2 and on ahead
    micro_batch(engine, sizes.size());
    (void)engine.step({.lr = 0.5}, {}).get();
    for (std::size_t p = 0; p < sizes.size(); ++p) {
      auto const lease = engine.gather(id(p), {});
      auto const expected = engine.read_parameter("p" + std::to_string(p));
      auto const values = lease[id(p)];
      CHECK(std::vector<float>(values.begin(), values.end()) == expected);
      CHECK(values.front() != values_of(p, 1).front());
    }
  });
}

TEST_CASE("gather: small parameters are kept whole where that is configured, and cost no gather") {
  zero::run_ranks(3, [](zero::ThreadCommunicator& ranks) {
    Sharded engine(ranks, parameters(sizes), {.bucket_elements = 512, .persistence_threshold = 100});
    write_all(engine, sizes);
    auto const before = engine.traffic();
    check_values(engine.gather(id(2), {}), 2, 40);
    check_values(engine.gather(id(4), {}), 4, 5);
    CHECK(engine.traffic() == before);
    micro_batch(engine, sizes.size());
    (void)engine.step({}).get();
    CHECK(engine.traffic().parameters > 0);
    auto const lease = engine.gather(id(4), {});
    CHECK(lease[id(4)][4] == engine.read_parameter("p4")[4]);
  });
}

TEST_CASE("gather: negative prefetching is refused") {
  zero::run_ranks(2, [](zero::ThreadCommunicator& ranks) {
    auto const message =
        message_of<zero::ConfigurationError>([&] { Sharded(ranks, parameters(sizes), {.prefetch_units = -1}); });
    CHECK(contains(message, "prefetch_units"));
  });
}

}  // namespace engine_gather_test
