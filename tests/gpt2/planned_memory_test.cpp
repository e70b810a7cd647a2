// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The planner's formulas against what the models of train_gpt2 allocate.
#include "device_model_run.hpp"
#include "emulated_device.hpp"
#include "model_run.hpp"

#include <gpt2/blas.hpp>

#include <zero-plan/gpt2_memory.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace gpt2_planned_memory_test {

namespace {

template <class T>
inline constexpr zero::ElementType type_of = zero::ElementType::fp32;
template <>
inline constexpr zero::ElementType type_of<zero::bfloat16> = zero::ElementType::bf16;
template <>
inline constexpr zero::ElementType type_of<zero::float16> = zero::ElementType::fp16;

// Among them a vocabulary that the head takes in several parts, one that is a multiple of the stride of logits, more
// attention than fits at a time, a depth that products cut, and sizes that no part divides.
constexpr std::array shapes{
    gpt2::ModelShape{1, 1, 8, 4, 5},       gpt2::ModelShape{3, 2, 24, 10, 128},  gpt2::ModelShape{2, 3, 48, 33, 129},
    gpt2::ModelShape{2, 4, 64, 64, 9000},  gpt2::ModelShape{1, 2, 32, 200, 301}, gpt2::ModelShape{4, 5, 160, 17, 50},
    gpt2::ModelShape{1, 40, 80, 1024, 65},
};
constexpr std::array batches{std::size_t{1}, std::size_t{3}, std::size_t{5}};

zero_plan::Gpt2Memory planned(gpt2::ModelShape const& shape, zero_plan::Gpt2Run const& run) {
  return zero_plan::memory_of({shape.layers, shape.heads, shape.width, shape.context, shape.vocabulary}, run);
}

template <class F>
void for_each_run(F&& f) {
  for (auto const& shape : shapes) {
    for (auto const recompute : zero_plan::all_recomputes) {
      auto const batch = batches[(shape.layers + static_cast<std::size_t>(recompute)) % batches.size()];
      CAPTURE(shape.layers);
      CAPTURE(shape.width);
      CAPTURE(shape.context);
      CAPTURE(shape.vocabulary);
      CAPTURE(batch);
      CAPTURE(zero::activation::name(recompute));
      f(shape, batch, recompute);
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("planned memory: the host's model allocates so many bytes", T, float, zero::bfloat16,
                   zero::float16) {
  zero::ThreadPool pool(1);
  for_each_run([&](gpt2::ModelShape const& shape, std::size_t batch, zero_plan::Recompute recompute) {
    for (bool const drops : {false, true}) {
      CAPTURE(drops);
      gpt2::Model<T> const model(shape, batch, pool, {.recompute = recompute, .dropout = drops});
      zero_plan::Gpt2Run run{.sequences = batch, .type = type_of<T>, .cuda = false, .recompute = recompute};
      run.drops = drops;
      auto const plan = planned(shape, run);
      CHECK(model.activation_bytes() == plan.activations);
      CHECK(model.scratch_bytes() == plan.scratch);
    }
  });
}

TEST_CASE(
    "planned memory: segments of several blocks keep fewer inputs and share larger buffers, here and on the host") {
  zero::ThreadPool pool(1);
  using zero_plan::Recompute;
  for (std::size_t const layers : {1U, 2U, 5U, 7U, 12U}) {
    gpt2::ModelShape const shape{layers, 2, 24, 10, 33};
    for (std::size_t const kept : {1U, 2U, 3U, 4U, 100U}) {
      CAPTURE(layers);
      CAPTURE(kept);
      gpt2::Model<float> const host(shape, 3, pool, {.recompute = Recompute::block, .kept_inputs = kept});
      zero_plan::Gpt2Run run{3, zero::ElementType::fp32, false, Recompute::block, kept};
      CHECK(host.activation_bytes() == planned(shape, run).activations);
      for (bool const on_host : {false, true}) {
        CAPTURE(on_host);
        EmulatedDevice device;
        gpt2::device::DeviceModel<float, EmulatedDevice> const model(
            shape, 3, device, 2,
            {.recompute = Recompute::block, .kept_inputs = kept, .inputs_in_host_memory = on_host});
        run.cuda = true, run.inputs_on_host = on_host;
        auto const plan = planned(shape, run);
        CHECK(model.activation_bytes() == plan.activations);
        CHECK(model.host_activation_bytes() == plan.pinned);
        CHECK((plan.pinned > 0) == (on_host && std::min(layers - 1, kept) > 2));
      }
    }
  }
}

TEST_CASE_TEMPLATE("planned memory: a step of the host's model packs so many bytes", T, float, zero::bfloat16) {
  for (auto const& shape : {shapes[1], shapes[2], shapes[3], shapes[4]}) {
    CAPTURE(shape.width);
    for (auto const batch : {batches[0], batches[1]}) {
      CAPTURE(batch);
      ModelRun<T> run(shape, batch, 2);
      (void)run.forward();
      run.backward(1.0F, false);
      auto const plan = planned(shape, {.sequences = batch, .type = type_of<T>, .cuda = false});
      CHECK(run.model.activation_bytes() == plan.activations);
      CHECK(run.model.scratch_bytes() == plan.scratch + (gpt2::blas_serves() ? 0 : plan.packed));
    }
  }
}

TEST_CASE_TEMPLATE("planned memory: a device's model allocates so many bytes", T, float, zero::bfloat16,
                   zero::float16) {
  for_each_run([&](gpt2::ModelShape const& shape, std::size_t batch, zero_plan::Recompute recompute) {
    for (bool const drops : {false, true}) {
      CAPTURE(drops);
      EmulatedDevice device;
      gpt2::device::DeviceModel<T, EmulatedDevice> const model(shape, batch, device, 2,
                                                               {.recompute = recompute, .dropout = drops});
      zero_plan::Gpt2Run run{.sequences = batch, .type = type_of<T>, .cuda = true, .recompute = recompute};
      run.drops = drops;
      auto const plan = planned(shape, run);
      CHECK(model.activation_bytes() == plan.activations);
      CHECK(model.scratch_bytes() == plan.scratch + device.temporary_bytes(batch * shape.context));
    }
  });
}

TEST_CASE("planned memory: one sequence of GPT-2 XL") {
  gpt2::ModelShape const xl{48, 25, 1600, 1024, 50257};
  CHECK(planned(xl, {.sequences = 1, .type = zero::ElementType::fp16, .cuda = false}).activations == 3363446784);
  CHECK(planned(xl, {.sequences = 1, .type = zero::ElementType::fp16, .cuda = true}).activations == 2100445184);
  using enum zero_plan::Recompute;
  auto const saved = [&](bool cuda, zero_plan::Recompute recompute) {
    auto const of = [&](zero_plan::Recompute kind) {
      auto const plan = planned(xl, {.type = zero::ElementType::fp16, .cuda = cuda, .recompute = kind});
      return static_cast<double>(plan.activations) - 4.0 * 1024 * (cuda ? 50304 : 50257);
    };
    return 1.0 - of(recompute) / of(none);
  };
  CHECK(saved(false, selective) >= 0.35);
  CHECK(saved(true, selective) >= 0.30);
  CHECK(saved(false, block) >= 0.80);
}

}  // namespace gpt2_planned_memory_test
