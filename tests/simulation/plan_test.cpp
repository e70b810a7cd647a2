// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The planner against reality: bytes that the host backend handed out, traffic that was counted, ranks that all ran.
#include "simulation/real_step.hpp"

#include <doctest/doctest.h>

#include <string>

namespace simulation_plan_test {

namespace {

using zero::ElementType;
using zero::Reduce;
using zero::Stage;
using zero_plan::Settings;

constexpr zero_plan::Types fp32{ElementType::fp32, ElementType::fp32};
constexpr zero_plan::Types bf16_sums{ElementType::bf16, ElementType::bf16};
constexpr zero_plan::Types fp16{ElementType::fp16, ElementType::fp32};
constexpr std::array stages = {Stage::none, Stage::optimizer_states, Stage::gradients, Stage::parameters};

zero::PlanSettings at(Stage stage, int world, bool offload = false, std::size_t chunk = 512) {
  zero::PlanSettings plan{.stage = stage, .world = world};
  if (offload) plan.offload = {.chunk_elements = chunk};
  return plan;
}

zero::PlanSettings late(Stage stage, int world) {
  auto plan = at(stage, world, true);
  plan.offload->delayed_update = true;
  return plan;
}

zero::PlanSettings shared(Stage stage, int world) {
  auto plan = at(stage, world, true);
  plan.offload->device_share = 0.4;
  return plan;
}

/// Units 1 to 3 in segments, of which the last is not computed again.
zero::PlanSettings segments(int world, std::size_t kept_inputs) {
  auto plan = at(Stage::parameters, world);
  plan.blocks.emplace(3, zero::activation::Recompute::block, kept_inputs);
  return plan;
}

/// A setting of the comparison; the caller's buffers are adopted in every other one.
struct Case {
  Settings settings;
  bool adopted = false;
};

std::vector<Case> cases() {
  using enum Stage;
  auto const each = Reduce::each_micro_batch;
  auto const once = Reduce::once_per_step;
  std::size_t const small = 1024;  // elements of a bucket: less than the largest parameter
  return {
      {{.plan = at(none, 1), .types = fp32, .bucket_elements = small}},
      {{.plan = at(none, 3), .types = fp16, .gradient_accumulation_steps = 2, .reduce = each, .bucket_elements = small},
       true},
      {{.plan = at(none, 4), .types = bf16_sums, .gradient_accumulation_steps = 3, .reduce = once}},
      {{.plan = at(none, 2, true), .types = fp32, .gradient_accumulation_steps = 5, .reduce = once}, true},
      {{.plan = at(none, 4, true, 100), .types = bf16_sums, .reduce = each, .bucket_elements = small}},
      {{.plan = at(optimizer_states, 1), .types = bf16_sums, .gradient_accumulation_steps = 4, .reduce = each}, true},
      {{.plan = at(optimizer_states, 2), .types = fp16, .reduce = once, .bucket_elements = small}},
      {{.plan = at(optimizer_states, 3),
        .types = fp32,
        .gradient_accumulation_steps = 4,
        .reduce = once,
        .bucket_elements = small,
        .alignment_elements = 256},
       true},
      {{.plan = at(optimizer_states, 4, true), .types = fp16, .gradient_accumulation_steps = 2, .reduce = each}},
      {{.plan = at(optimizer_states, 3, true), .types = bf16_sums, .gradient_accumulation_steps = 2, .reduce = once}},
      {{.plan = at(gradients, 1), .types = fp16, .bucket_elements = small}},
      {{.plan = at(gradients, 2), .types = bf16_sums, .gradient_accumulation_steps = 4, .bucket_elements = small},
       true},
      {{.plan = at(gradients, 4), .types = fp32, .gradient_accumulation_steps = 6, .gradient_ring = 5}},
      {{.plan = at(gradients, 3, true, 1 << 20), .types = fp16, .bucket_elements = 300}, true},
      {{.plan = at(gradients, 4, true), .types = bf16_sums, .gradient_accumulation_steps = 3}},
      {{.plan = at(parameters, 1), .types = fp32, .gradient_accumulation_steps = 4, .bucket_elements = small}},
      {{.plan = at(parameters, 2), .types = bf16_sums, .bucket_elements = small, .persistence_threshold = 200}, true},
      {{.plan = at(parameters, 3), .types = fp16, .gradient_accumulation_steps = 5, .prefetch_units = 2}},
      {{.plan = at(parameters, 4),
        .types = fp16,
        .gradient_accumulation_steps = 7,
        .bucket_elements = small,
        .prefetch_units = 0,
        .persistence_threshold = 1000}},
      {{.plan = at(parameters, 4, true),
        .types = fp32,
        .gradient_accumulation_steps = 4,
        .max_live_elements = SIZE_MAX,
        .prefetch_units = 3},
       true},
      {{.plan = at(parameters, 3, true), .types = bf16_sums, .persistence_threshold = 38}},
      {{.plan = segments(2, 2), .types = fp32, .gradient_accumulation_steps = 2}},
      {{.plan = segments(3, 1), .types = fp16, .gradient_accumulation_steps = 4}},
      {{.plan = shared(none, 3), .types = fp16, .gradient_accumulation_steps = 2}},
      {{.plan = shared(gradients, 2), .types = bf16_sums}},
      {{.plan = late(none, 2), .types = fp32, .gradient_accumulation_steps = 2}},
      {{.plan = late(gradients, 3), .types = bf16_sums, .bucket_elements = small}, true},
      {{.plan = late(parameters, 2), .types = fp16, .gradient_accumulation_steps = 4}},
      {{.plan = at(parameters, 2, true), .types = fp16, .gradient_accumulation_steps = 2, .bucket_elements = 128}},
  };
}

std::string describe(Settings const& s) {
  return zero::detail::concat({"stage ", static_cast<int>(s.plan.stage), s.plan.offload ? " offload" : "", " world ",
                               s.plan.world, " ", name(s.types.compute), " sums ", name(s.types.sum), " micro-batches ",
                               zero_plan::rounds(s), " bucket ", s.bucket_elements.value_or(0), " whole below ",
                               s.persistence_threshold, " prefetch ", s.prefetch_units});
}

std::vector<plan_test::Real> real_step(Case const& c) {
  if (c.settings.types.compute == ElementType::fp32) return plan_test::real_step_fp32(c.settings, c.adopted);
  if (c.settings.types.compute == ElementType::fp16) return plan_test::real_step_fp16(c.settings, c.adopted);
  return plan_test::real_step_bf16_sums(c.settings, c.adopted);
}

void check_same(zero::MemoryReport const& planned, zero::MemoryReport const& counted) {
  for (std::size_t k = 0; k < zero::memory_kinds; ++k) {
    for (std::size_t p = 0; p < zero::memory_purposes; ++p) {
      auto const kind = static_cast<zero::MemoryKind>(k);
      auto const purpose = static_cast<zero::MemoryPurpose>(p);
      INFO(std::string(name(kind)) << " " << std::string(name(purpose)));
      CHECK(planned.bytes(kind, purpose) == counted.bytes(kind, purpose));
    }
  }
}

void check_same(zero::Traffic const& planned, zero::Traffic const& counted) {
  CHECK(planned.gradients == counted.gradients);
  CHECK(planned.gradient_sums == counted.gradient_sums);
  CHECK(planned.parameters == counted.parameters);
  CHECK(planned.gathered == counted.gathered);
  CHECK(planned.evaluation == counted.evaluation);
  CHECK(planned.access == counted.access);
  CHECK(planned.control_words == counted.control_words);
  CHECK(planned.collectives == counted.collectives);
}

/// The bytes of a step's traffic: gradients travel in the compute type, or as local sums.
std::uint64_t bytes_of(zero::Traffic const& traffic, Settings const& s) {
  auto const compute = element_size(s.types.compute);
  auto const sum = element_size(s.types.sum);
  bool const local_sums = s.plan.stage < Stage::gradients &&
                          s.reduce.value_or(Reduce::once_per_step) == Reduce::once_per_step && zero_plan::rounds(s) > 1;
  return traffic.gradients * (local_sums ? sum : compute) + traffic.gradient_sums * sum +
         (traffic.parameters + traffic.gathered) * compute;
}

/// What every rank of a simulated world has after a step, when all of them and all micro-batches run.
template <class Prec>
std::vector<zero::Plan> run_all_ranks(zero::ParameterList const& list, Settings const& s) {
  std::vector<zero::Plan> ranks(static_cast<std::size_t>(s.plan.world));
  zero::SimulationOptions const options{.ranks = s.plan.world,
                                        .order = zero::SimulationOrder::earliest,
                                        .storage = zero::SimulationStorage::phantom,
                                        .check = false};
  (void)zero::simulate(options, [&](zero::SimulationCommunicator& communicator) {
    auto config = zero_plan::config_of<Prec>(s);
    config.backend = {communicator.process()};
    auto const engine = zero::make_any_engine<zero::AdamW, Prec, zero::SimulationBackend>(s.plan.stage, communicator,
                                                                                          list, s.plan.offload, config);
    auto const stream = communicator.make_stream("compute");
    zero::detail::UseOfParameters const use(list, s.plan);
    for (int a = 0; a < zero_plan::rounds(s); ++a) use.micro_batch(*engine, stream);
    (void)engine->step({}, stream);
    engine->finish_update();
    auto& mine = ranks[static_cast<std::size_t>(communicator.rank())];
    mine.memory = engine->memory();
    mine.traffic = engine->traffic();
    mine.bytes_sent = communicator.bytes_sent();
  });
  return ranks;
}

void check_every_rank(Settings s) {
  INFO(describe(s));
  auto const list = plan_test::parameters<float>(nullptr, nullptr);
  auto const ranks = zero_plan::with_precision(s.types, [&]<class Prec>(Prec) { return run_all_ranks<Prec>(list, s); });
  for (int rank = 0; rank < s.plan.world; ++rank) {
    s.plan.rank = rank;
    auto const plan = zero_plan::plan(list, s);
    auto const& run = ranks[static_cast<std::size_t>(rank)];
    check_same(plan.memory, run.memory);
    check_same(plan.traffic, run.traffic);
    CHECK(plan.bytes_sent == run.bytes_sent);
  }
}

}  // namespace

TEST_CASE("plan: predicts the bytes that the host backend hands out, by kind and purpose, and the traffic counted") {
  auto const list = plan_test::parameters<float>(nullptr, nullptr);
  for (auto const& c : cases()) {
    INFO(describe(c.settings));
    auto const ranks = real_step(c);
    for (int rank = 0; rank < c.settings.plan.world; ++rank) {
      auto settings = c.settings;
      settings.plan.rank = rank;
      auto const plan = zero_plan::plan(list, settings);
      auto const& real = ranks[static_cast<std::size_t>(rank)];
      check_same(plan.memory, real.memory);
      for (std::size_t k = 0; k < zero::memory_kinds; ++k) {
        CHECK(plan.memory.bytes(static_cast<zero::MemoryKind>(k)) == real.handed_out[k]);
      }
      check_same(plan.traffic, real.first);
      zero::detail::Sent second;
      second.repeat({real.first, 0}, {real.second, 0}, 1);
      check_same(plan.traffic, second.traffic);
      CHECK(plan.bytes_sent == bytes_of(real.first, settings));
    }
  }
}

TEST_CASE("plan: without adopted buffers nothing but the engine's own memory is ever handed out") {
  Case const c{{.plan = at(Stage::parameters, 2), .types = fp16, .gradient_accumulation_steps = 2}};
  auto const ranks = real_step(c);
  for (int rank = 0; rank < c.settings.plan.world; ++rank) {
    auto settings = c.settings;
    settings.plan.rank = rank;
    auto const plan = zero_plan::plan(plan_test::parameters<float>(nullptr, nullptr), settings);
    for (std::size_t k = 0; k < zero::memory_kinds; ++k) {
      CHECK(plan.memory.bytes(static_cast<zero::MemoryKind>(k)) == ranks[static_cast<std::size_t>(rank)].most[k]);
    }
  }
}

TEST_CASE("plan: one rank stands for all, in worlds of up to 64, and few micro-batches for many") {
  for (auto stage : stages) {
    for (bool offload : {false, true}) {
      for (int world : {1, 2, 7, 64}) {
        for (auto types : {fp32, bf16_sums, fp16}) {
          check_every_rank({.plan = at(stage, world, offload),
                            .types = types,
                            .gradient_accumulation_steps = world == 64 ? 4 : 1 + world * 2,
                            .bucket_elements = 1024,
                            .persistence_threshold = world == 7 ? 200U : 0U});
        }
      }
    }
  }
  for (auto stage : stages) {
    for (int micro_batches : {2, 5, 13}) {  // fewer than ranks, and more than a plan runs
      check_every_rank({.plan = at(stage, 3),
                        .types = bf16_sums,
                        .micro_batches_per_step = micro_batches,
                        .allow_idle_ranks = true,
                        .bucket_elements = 1024});
    }
  }
  for (int micro_batches = 1; micro_batches <= 9; ++micro_batches) {
    for (int prefetch = 0; prefetch <= 3; ++prefetch) {
      check_every_rank({.plan = at(Stage::parameters, 3),
                        .types = bf16_sums,
                        .gradient_accumulation_steps = micro_batches,
                        .bucket_elements = 1024,
                        .max_live_elements = prefetch == 3 ? SIZE_MAX : 0,
                        .prefetch_units = prefetch});
    }
  }
}

TEST_CASE(
    "plan: blocks that are computed again alone send nothing more, and segments at most one gather more of each") {
  auto const list = plan_test::parameters<float>(nullptr, nullptr);
  auto const gathered = [&](std::size_t blocks, std::size_t kept_inputs) {
    Settings settings{.plan = at(Stage::parameters, 2), .types = fp32};
    settings.plan.first_block = 0;
    settings.plan.blocks.emplace(blocks, zero::activation::Recompute::block, kept_inputs);
    return zero_plan::plan(list, settings).traffic.gathered;
  };
  auto const without = zero_plan::plan(list, {.plan = at(Stage::parameters, 2), .types = fp32}).traffic.gathered;
  CHECK(gathered(4, zero::activation::SegmentPlan::all) == without);
  CHECK(gathered(4, 1) > without);           // units 0 and 1, of which 0 is gathered once more
  CHECK(2 * gathered(4, 1) <= 3 * without);  // forward, again and backward for forward and backward
}

TEST_CASE("plan: over NCCL there is room for what is received: a peer's slice each, or the sum of a slice") {
  auto const list = plan_test::parameters<float>(nullptr, nullptr);
  for (int world : {1, 2, 4, 300}) {
    zero::FlatLayout const layout(list.specs(), {.stage = Stage::gradients,
                                                 .world = static_cast<std::size_t>(world),
                                                 .alignment_elements = 128,
                                                 .bucket_elements = 1024});
    std::size_t slice = 0;
    for (std::size_t b = 0; b < layout.trainable_buckets(); ++b) slice = std::max(slice, layout.slice_elements(b));
    auto const staging = [&](zero_plan::Types types, std::optional<zero::NcclReduction> reduction) {
      Settings settings{.plan = at(Stage::gradients, world), .types = types, .bucket_elements = 1024};
      settings.plan.nccl = {reduction};
      return zero_plan::plan(list, settings).memory.bytes(zero::MemoryPurpose::staging);
    };
    std::size_t const peers = static_cast<std::size_t>(world > 256 ? world : world - 1);
    CHECK(staging(fp16, std::nullopt) == std::max(peers * 2 * slice, 4 * slice));  // local sums in fp32 are NCCL's
    CHECK(staging(fp16, zero::NcclReduction::native) == 4 * slice);
    CHECK(staging(fp32, zero::NcclReduction::ordered) == peers * 4 * slice);
    CHECK(zero_plan::plan(list, {.plan = at(Stage::gradients, world)}).memory.bytes(zero::MemoryPurpose::staging) == 0);
  }
}

TEST_CASE("plan: adopted buffers are the caller's, are listed beside, and are never read") {
  zero::ParameterList list;
  auto* const nowhere = reinterpret_cast<float*>(std::uintptr_t{64});
  zero::AdoptedBuffer const buffer{nowhere, std::size_t{1} << 30, ElementType::bf16};
  zero::AdoptedBuffer const gradients{nowhere + (std::size_t{1} << 30), std::size_t{1} << 30, ElementType::bf16};
  (void)list.add({.name = "weight", .shape = {1 << 15, 1 << 15}, .values = buffer, .gradients = gradients});
  auto const adopted = zero_plan::plan(list, {.plan = at(Stage::gradients, 8)});
  CHECK(adopted.adopted_bytes == std::size_t{4} << 30);
  zero::ParameterList placed;
  (void)placed.add({.name = "weight", .shape = {1 << 15, 1 << 15}});
  auto const other = zero_plan::plan(placed, {.plan = at(Stage::gradients, 8)});
  check_same(adopted.memory, other.memory);
  CHECK(other.adopted_bytes == 0);
}

TEST_CASE("plan: settings that no engine could have are refused in the engine's words, and worlds in the planner's") {
  auto const list = plan_test::parameters<float>(nullptr, nullptr);
  auto const refusal = [&](Settings const& s) -> std::string {
    try {
      (void)zero_plan::plan(list, s);
    } catch (zero::ConfigurationError const& error) {
      return error.what();
    }
    return "none";
  };
  auto const contains = [](std::string const& text, char const* part) { return text.find(part) != std::string::npos; };
  CHECK(contains(refusal({.plan = at(Stage::none, 0)}), "world must be 1 to 65536"));
  CHECK(contains(refusal({.plan = at(Stage::none, 65537)}), "world must be 1 to 65536"));
  CHECK(contains(refusal({.plan = {.world = 4, .rank = 4}}), "rank must be one of the world's"));
  CHECK(contains(refusal({.plan = at(Stage::none, 2), .gradient_accumulation_steps = 0}), "at least 1 micro-batch"));
  CHECK(contains(refusal({.plan = at(Stage::none, 2), .gradient_accumulation_steps = (1 << 20) + 1}), "at most 2^20"));
  CHECK(contains(refusal({.plan = at(Stage::gradients, 2), .reduce = Reduce::once_per_step}), "once_per_step"));
  CHECK(contains(refusal({.plan = at(Stage::gradients, 2), .alignment_elements = 100}), "alignment_elements"));
  CHECK(contains(refusal({.types = {ElementType::fp32, ElementType::bf16}}), "computes in fp32 and sums in bf16"));
  CHECK(refusal({.plan = at(Stage::parameters, 64)}) == "none");
}

}  // namespace simulation_plan_test
