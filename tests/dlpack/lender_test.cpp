// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What goes out: leases as tensors, which end on any thread, and memory of the caller's.

#include "hand_made.hpp"

#include <zero/any_engine.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace dlpack_lender_test {

using dlpack_test::error_of;
using zero::ParameterId;
using zero::Stage;
using zero::dlpack::Access;
using zero::dlpack::ExportedTensor;
using zero::dlpack::Lender;
using zero::dlpack::share;
namespace abi = zero::dlpack::abi;

namespace {

template <class Communicator>
using EngineOn = zero::AnyEngine<zero::Sgd, zero::Precision<zero::FP32>, zero::HostBackend, Communicator>;
using Engine = EngineOn<zero::SelfCommunicator>;
constexpr ParameterId weight{0}, bias{1};

zero::ParameterList parameters() {
  static std::vector<float> const initial{1, 2, 3, 4, 5, 6};
  zero::ParameterList list;
  (void)list.add({.name = "weight", .shape = {2, 3}, .initial = initial});
  (void)list.add({.name = "bias", .shape = {3}, .unit = 1});
  return list;
}

template <class Communicator>
std::unique_ptr<EngineOn<Communicator>> make_engine(Stage stage, Communicator& rank, zero::ParameterList const& list) {
  typename EngineOn<Communicator>::Config config;
  config.optimizer.lr = 0.5;
  config.max_live_elements = 1000;  // several leases at once
  return zero::make_any_engine<zero::Sgd, zero::Precision<zero::FP32>, zero::HostBackend>(stage, rank, list,
                                                                                          std::nullopt, config);
}
/// A lender of one rank's engine, which keeps that rank.
Lender<Engine> make_lender(Stage stage = Stage::parameters) {
  auto rank = std::make_shared<zero::SelfCommunicator>();
  auto engine = make_engine(stage, *rank, parameters());
  return Lender<Engine>(std::move(engine), rank);
}

std::span<float> numbers(ExportedTensor const& tensor) {
  auto const& t = tensor->dl_tensor;
  std::size_t count = 1;
  for (std::int32_t i = 0; i < t.ndim; ++i) count *= static_cast<std::size_t>(t.shape[i]);
  return {static_cast<float*>(t.data), count};
}

/// A step whose gradients are written through tensors, each of which ends on a thread of its own.
template <class AnEngine, class End>
void step_by_tensors(Lender<AnEngine> const& lender, float value, End&& end) {
  auto pass = lender->begin_micro_batch();
  for (auto const id : {bias, weight}) {
    auto gradients = lender.gradients(id);
    auto tensor = gradients.tensor(id);
    end([value, owned = std::make_shared<ExportedTensor>(std::move(tensor))]() mutable {
      for (auto& number : numbers(*owned)) number += value;
      owned.reset();
    });
    gradients.ready();
  }
  pass.finish();
  (void)lender->step().get();
}

auto const on_another_thread = [](auto&& task) { std::thread(std::forward<decltype(task)>(task)).join(); };
auto const here = [](auto&& task) { std::forward<decltype(task)>(task)(); };

}  // namespace

TEST_CASE("a parameter goes out with its shape, type, device and flag") {
  auto const lender = make_lender();
  auto lent = lender.parameters(weight);
  auto const tensor = lent.tensor(weight);
  CHECK(tensor->version.major_number == 1);
  CHECK(tensor->flags == abi::flag_read_only);
  auto const& t = tensor->dl_tensor;
  CHECK(t.device == zero::dlpack::host());
  REQUIRE(t.ndim == 2);
  CHECK(t.shape[0] == 2);
  CHECK(t.shape[1] == 3);
  CHECK(t.strides[0] == 3);
  CHECK(t.strides[1] == 1);
  CHECK(t.dtype.code == abi::TypeCode::floating);
  CHECK(t.dtype.bits == 32);
  CHECK(t.dtype.lanes == 1);
  CHECK(t.byte_offset == 0);
  CHECK(numbers(tensor)[5] == 6.0F);
  CHECK(lent.tensor(weight, Access::mutable_values)->flags == 0);
  CHECK(error_of<zero::LeaseError>([&] { (void)lent.tensor(bias); }) != "nothing");
}

TEST_CASE("a lease ends when the trainer says so, and not before its tensors") {
  auto const lender = make_lender();
  auto const held = [&] { return error_of<zero::SequenceError>([&] { lender->take_adopted_values(); }) != "nothing"; };
  auto lent = lender.parameters({weight, bias});
  auto tensor = lent.tensor(bias);
  CHECK(error_of<zero::LeaseError>([&] { lent.end(); }) ==
        "zero::dlpack::LentParameters: end() with 1 of the tensors alive: end them first, as their consumers do with "
        "the last reference");
  on_another_thread([last = std::move(tensor)] {});
  CHECK(held());
  lent.end();
  CHECK_FALSE(held());
  CHECK_FALSE(static_cast<bool>(lent));
  CHECK(error_of<zero::LeaseError>([&] { lent.end(); }) ==
        "zero::dlpack::LentParameters: used after end(): gather the parameters again");

  lent = lender.parameters(weight);
  lent = lender.parameters(bias);  // which ends the one before, of which no tensor was asked for
  { auto const gone = std::move(lent); }
  CHECK_FALSE(held());
}

TEST_CASE("a lease that was left to its tensors ends after the last of them, by collect") {
  auto const lender = make_lender();
  auto const held = [&] { return error_of<zero::SequenceError>([&] { lender->take_adopted_values(); }) != "nothing"; };
  std::vector<ExportedTensor> tensors;
  {
    auto lent = lender.parameters({weight, bias});
    tensors.push_back(lent.tensor(weight));
    tensors.push_back(lent.tensor(bias));
  }
  tensors.pop_back();
  CHECK(error_of<zero::LeaseError>([&] { lender.collect(); }) ==
        "zero::dlpack::Lender: collect() with 1 of the leases left to tensors that are alive: end them first, as their "
        "consumers do with the last reference");
  CHECK(held());
  CHECK(numbers(tensors[0])[5] == 6.0F);
  on_another_thread([last = std::move(tensors)] {});
  CHECK(held());
  lender.collect();
  CHECK_FALSE(held());

  // The same where the tensor ends first: when a lease ends is no matter of time.
  {
    auto lent = lender.parameters(weight);
    (void)lent.tensor(weight);
  }
  CHECK(held());
  lender.collect();
  CHECK_FALSE(held());
}

TEST_CASE("gradients go in through tensors that end on any thread") {
  for (auto const stage : {Stage::none, Stage::optimizer_states, Stage::gradients, Stage::parameters}) {
    auto const lender = make_lender(stage);
    step_by_tensors(lender, 2, on_another_thread);
    CHECK(lender->read_parameter("weight") == std::vector<float>{0, 1, 2, 3, 4, 5});
    step_by_tensors(lender, 2, here);
    CHECK(lender->read_parameter("bias") == std::vector<float>{-2, -2, -2});
  }
}

TEST_CASE("gradients are not ready while a tensor of them is alive") {
  auto const lender = make_lender();
  auto pass = lender->begin_micro_batch();
  auto gradients = lender.gradients({weight, bias});
  auto first = gradients.tensor(weight);
  CHECK(first->flags == 0);
  (void)gradients.tensor(bias);
  CHECK(error_of<zero::LeaseError>([&] { gradients.ready(); }) ==
        "zero::dlpack::LentGradients: ready() with 1 of the tensors alive: end them first, as their consumers do with "
        "the last reference");
  CHECK(static_cast<bool>(gradients));
  first.reset();
  gradients.ready();
  CHECK_FALSE(static_cast<bool>(gradients));
  CHECK(error_of<zero::LeaseError>([&] { gradients.ready(); }) ==
        "zero::dlpack::LentGradients: used after ready(): ask for the gradients again");
  CHECK(error_of<zero::LeaseError>([&] { (void)gradients.tensor(bias); }).find("after ready()") != std::string::npos);
  pass.finish();
  (void)lender->step().get();
}

TEST_CASE("what another thread has written is there once its tensor has ended") {
  auto const lender = make_lender();
  auto pass = lender->begin_micro_batch();
  auto gradients = lender.gradients({weight, bias});
  (void)gradients.tensor(bias);
  std::jthread const writer([tensor = std::make_shared<ExportedTensor>(gradients.tensor(weight))]() mutable {
    for (auto& number : numbers(*tensor)) number += 2;
    tensor.reset();
  });
  // Not waited for in any other way.
  while (error_of<zero::LeaseError>([&] { gradients.ready(); }) != "nothing") std::this_thread::yield();
  pass.finish();
  (void)lender->step().get();
  CHECK(lender->read_parameter("weight") == std::vector<float>{0, 1, 2, 3, 4, 5});
}

TEST_CASE("gradients that are not ready are missing") {
  auto const lender = make_lender();
  auto pass = lender->begin_micro_batch();
  std::optional<ExportedTensor> kept;
  {
    auto gradients = lender.gradients({weight, bias});
    kept = gradients.tensor(weight);
    (void)gradients.tensor(bias);
  }
  numbers(*kept)[0] = 1;  // still the lease's
  on_another_thread([&] { kept.reset(); });
  lender.collect();
  CHECK(error_of<zero::GradientError>([&] { pass.finish(); }).find("missing") != std::string::npos);
  lender->discard_gradients();
  step_by_tensors(lender, 1, here);
}

TEST_CASE("tensors that outlive their lender keep the engine and what that needs") {
  std::weak_ptr<zero::SelfCommunicator> alive;
  std::vector<ExportedTensor> tensors;
  {
    auto rank = std::make_shared<zero::SelfCommunicator>();
    alive = rank;
    Lender<Engine> const lender(make_engine(Stage::parameters, *rank, parameters()), rank);
    auto lent = lender.parameters({weight, bias});
    tensors.push_back(lent.tensor(weight));
    tensors.push_back(lent.tensor(bias));
  }
  CHECK_FALSE(alive.expired());
  CHECK(numbers(tensors[0])[3] == 4.0F);
  on_another_thread([last = std::move(tensors)]() mutable { last.clear(); });
  CHECK(alive.expired());
}

TEST_CASE("tensors end on threads while the engine trains") {
  zero::run_ranks(2, [](zero::ThreadCommunicator& rank) {
    Lender<EngineOn<zero::ThreadCommunicator>> const lender(make_engine(Stage::parameters, rank, parameters()));
    for (int step = 0; step < 8; ++step) {
      std::vector<std::jthread> threads;
      for (int k = 0; k < 4; ++k) {
        auto const id = k % 2 == 0 ? weight : bias;
        auto lent = lender.parameters(id);  // left to the thread, which may be done before this is
        threads.emplace_back([tensor = std::make_shared<ExportedTensor>(lent.tensor(id))]() mutable {
          float sum = 0;
          for (auto const number : numbers(*tensor)) sum += number;
          tensor.reset();
          CHECK(sum > -1e6F);
        });
      }
      (void)lender->mean_over_ranks(1.0);
      threads.clear();
      lender.collect();
      step_by_tensors(lender, 1, on_another_thread);
    }
    CHECK(lender->read_parameter("weight")[0] == 1.0F - 8 * 0.5F);
  });
}

TEST_CASE("a lender has an engine") {
  CHECK(error_of<zero::ConfigurationError>([] { Lender<Engine> const lender(nullptr); }) ==
        "zero::dlpack::Lender: there is no engine: make one first");
}

TEST_CASE("memory of the caller's goes out, with its owner") {
  auto memory = std::make_shared<std::vector<zero::bfloat16>>(6);
  std::weak_ptr<void> const alive = memory;
  auto tensor = share(std::span(*memory), {.shape = {3, 2}, .owner = memory});
  CHECK(tensor->flags == 0);
  CHECK(tensor->dl_tensor.data == memory->data());
  CHECK(tensor->dl_tensor.dtype.code == abi::TypeCode::bfloat);
  CHECK(tensor->dl_tensor.dtype.bits == 16);
  memory.reset();
  CHECK_FALSE(alive.expired());
  tensor.reset();
  CHECK(alive.expired());

  std::array<float const, 2> const fixed{1, 2};
  auto const view = share(std::span(fixed), {.device = zero::dlpack::cuda_host()});
  CHECK(view->flags == abi::flag_read_only);
  CHECK(view->dl_tensor.device.kind == abi::DeviceKind::cuda_host);
  CHECK(view->dl_tensor.ndim == 1);
  CHECK(share(std::span<float>(), {.shape = {2, 0}})->dl_tensor.shape[1] == 0);
}

TEST_CASE("memory that is no tensor does not go out") {
  std::array<float, 4> four{};
  auto const said = [&](zero::AdoptedBuffer buffer, std::vector<std::size_t> shape = {}) {
    return error_of<zero::ConfigurationError>([&] { (void)share(buffer, {.shape = shape}); });
  };
  CHECK(said({four.data(), 2, zero::ElementType::fp64}) ==
        "zero::dlpack::share: the memory holds fp64: parameters and gradients are of fp32, fp16 or bf16");
  CHECK(said({nullptr, 4, zero::ElementType::fp32}) ==
        "zero::dlpack::share: 4 elements are at a null pointer: allocate the memory first");
  CHECK(said({reinterpret_cast<std::byte*>(four.data()) + 1, 1, zero::ElementType::fp32}) ==
        "zero::dlpack::share: the memory is not aligned to its element: align it to 4 bytes");
  CHECK(said(zero::adopt(four.data(), 4), {2, 3}) ==
        "zero::dlpack::share: the memory has 4 elements, and its shape 6: give the shape of all of them");
}

TEST_CASE("a tensor of DLPack 0.x is part of the versioned one, and never read-only") {
  auto memory = std::make_shared<std::vector<float>>(4);
  std::weak_ptr<void> const alive = memory;
  auto old = zero::dlpack::unversioned(share(std::span(*memory), {.owner = memory}));
  CHECK(old->dl_tensor.data == memory->data());
  CHECK(old->dl_tensor.shape[0] == 4);
  memory.reset();
  CHECK_FALSE(alive.expired());
  zero::dlpack::ImportedTensor imported(old.release());
  CHECK(imported.adopt().count == 4);
  imported.release();
  CHECK(alive.expired());

  auto const lender = make_lender();
  auto lent = lender.parameters(weight);
  CHECK(error_of<zero::ConfigurationError>([&] { (void)zero::dlpack::unversioned(lent.tensor(weight)); }) ==
        "zero::dlpack::unversioned: the tensor is read-only, which DLPack 0.x cannot say: pass it on as a versioned "
        "one, or lend it with Access::mutable_values");
  CHECK(error_of<zero::ConfigurationError>([] { (void)zero::dlpack::unversioned(nullptr); }) ==
        "zero::dlpack::unversioned: there is no tensor: pass one that was not released");
  auto const whole = zero::dlpack::unversioned(lent.tensor(weight, Access::mutable_values));
  CHECK(whole->dl_tensor.ndim == 2);
}

TEST_CASE("an engine adopts what came in, and its owner sees the update") {
  dlpack_test::Versioned values, gradients;
  std::fill(gradients.numbers, gradients.numbers + 6, 2.0F);
  {
    zero::dlpack::ImportedTensor const value(&values.managed), gradient(&gradients.managed);
    zero::ParameterList list;
    (void)list.add({.name = "weight", .shape = value.shape(), .values = value.adopt(), .gradients = gradient.adopt()});
    zero::SelfCommunicator rank;
    auto const engine = make_engine(Stage::optimizer_states, rank, list);
    (void)engine->update().get();
    CHECK(values.ended == 0);
  }
  CHECK(values.ended == 1);
  CHECK(gradients.ended == 1);
  CHECK(values.numbers[5] == 4.0F);
}

}  // namespace dlpack_lender_test
