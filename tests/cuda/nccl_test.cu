// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "cuda/on_device.cuh"

#include <zero/communicators/nccl.hpp>
#include <zero/kernels/accumulate.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <vector>

// A world of one rank, which one GPU can show: every call of NCCL, with the host's results.

namespace {

using cuda_test::DeviceArray;
using zero::NcclCommunicator;
using zero::NcclReduction;

constexpr zero::CollectivePurpose purpose{"test", 7};

NcclCommunicator communicator(std::optional<NcclReduction> reduction = {}) {
  return NcclCommunicator(zero::LaunchEnvironment{}, {.reduction = reduction, .deadline = std::chrono::minutes(1)});
}

template <class T>
std::vector<T> values(std::size_t n, float offset) {
  std::vector<T> made(n);
  for (std::size_t i = 0; i < n; ++i) {
    float const value = static_cast<float>(i % 37) * 0.37F + offset;
    if constexpr (std::is_same_v<T, float>) {
      made[i] = value;
    } else {
      made[i] = zero::narrow<T>(value);
    }
  }
  return made;
}
template <class T>
bool same_bits(std::vector<T> const& a, std::vector<T> const& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

template <class Sum, class T>
void check_reduce_scatter(NcclReduction reduction) {
  auto c = communicator(reduction);
  cuda_test::OnDevice work(c, 1);
  for (std::size_t const count : {std::size_t{1}, std::size_t{128}, std::size_t{4099}}) {
    auto const send = values<T>(count, 0.125F);
    auto expected = values<Sum>(count, -3.0F);
    DeviceArray<T> const from(send);
    DeviceArray<Sum> const into(expected);
    DeviceArray<std::byte> const staging(
        std::vector<std::byte>(c.staging_bytes<Sum, T>(count, zero::SumOrder::fastest) + 1));
    for (bool const first : {false, true, false}) {
      T const* const source = send.data();
      zero::accumulate(zero::best_instruction_set(), expected.data(), &source, 1, count, first);
      c.reduce_scatter_add(from.data(), into.data(), count, {.first = first}, purpose, work.stream(0),
                           std::span(staging.data(), staging.size()));
      CHECK(same_bits(into.fetch(), expected));
    }
    if constexpr (sizeof(Sum) == sizeof(T)) {  // in place
      T const* const source = send.data();
      zero::accumulate(zero::best_instruction_set(), expected.data(), &source, 1, count, true);
      c.reduce_scatter_add(from.data(), reinterpret_cast<Sum*>(from.data()), count, {}, purpose, work.stream(0),
                           std::span(staging.data(), staging.size()));
      CHECK(std::memcmp(from.fetch().data(), expected.data(), count * sizeof(T)) == 0);
    }
  }
}

struct PlainGradient {
  zero::float16 const* values;
  float const* scale;
  zero::float16* target;
  bool adds;
  __device__ void operator()(std::size_t i) const {
    float const g = *scale * (zero::widen(values[i]) * 0.25F + static_cast<float>(i % 7) * 0.01F);
    target[i] = zero::narrow<zero::float16>(adds ? zero::widen(target[i]) + g : g);
  }
};

template <zero::Stage S, class Communicator>
std::vector<std::vector<float>> train(Communicator& c, bool captured) {
  using Engine = zero::Engine<zero::Partitioner<S>, zero::Optimizer<zero::AdamW>,
                              zero::Precision<zero::FP16, zero::DynamicScale>, zero::CudaBackend, Communicator>;
  cuda_test::OnDevice work(c, 1);
  auto const stream = work.stream(0);
  zero::ParameterList parameters;
  std::vector<zero::ParameterId> ids;
  for (std::size_t const n : {700, 3000, 40}) {
    ids.push_back(parameters.add({.name = "p" + std::to_string(ids.size()), .shape = {n}}));
  }
  Engine engine{c, parameters, {.gradient_clipping = 0.5, .bucket_elements = 1024, .optimizer = {.lr = 0.02F}}};
  auto const micro_batch = [&] {
    auto pass = engine.begin_micro_batch(stream);
    for (auto p = ids.size(); p-- > 0;) {
      auto const weights = engine.gather(ids[p], stream);
      auto gradients = engine.gradients(ids[p], stream);
      auto const target = gradients.write(ids[p]);
      work.launch(stream, "backward", {}, target.values.size(),
                  PlainGradient{weights[ids[p]].data(), engine.loss_scale().data(), target.values.data(), target.adds});
      gradients.ready(stream);
    }
    pass.finish(stream);
  };
  micro_batch();
  (void)engine.step(stream).get();
  constexpr int more = 4;
  if (captured) {
    auto const step = engine.capture(stream, [&] {
      micro_batch();
      (void)engine.step(stream);
    });
    for (int i = 0; i < more; ++i) {
      auto const ticket = step.replay({}, stream);
      (void)ticket.get();
    }
  } else {
    for (int i = 0; i < more; ++i) {
      micro_batch();
      (void)engine.step(stream).get();
    }
  }
  std::vector<std::vector<float>> result;
  for (std::size_t p = 0; p < ids.size(); ++p) result.push_back(engine.read_parameter("p" + std::to_string(p)));
  return result;
}

template <zero::Stage S>
void check_training() {
  zero::SelfCommunicator self;
  auto const expected = train<S>(self, false);
  for (auto const reduction : {NcclReduction::ordered, NcclReduction::native}) {
    for (bool const captured : {false, true}) {
      auto c = communicator(reduction);
      CHECK(train<S>(c, captured) == expected);
      c.check();
    }
  }
}

}  // namespace

TEST_CASE("nccl: sums have the host's bits, in both modes and for all types") {
  for (auto const reduction : {NcclReduction::ordered, NcclReduction::native}) {
    check_reduce_scatter<float, float>(reduction);
    check_reduce_scatter<float, zero::float16>(reduction);
    check_reduce_scatter<float, zero::bfloat16>(reduction);
    check_reduce_scatter<zero::bfloat16, zero::bfloat16>(reduction);
  }
}

TEST_CASE("nccl: 16-bit gradients are added in rank order unless the caller says otherwise") {
  auto c = communicator();
  CHECK(c.reduction<zero::float16>(zero::SumOrder::fastest) == NcclReduction::ordered);
  CHECK(c.reduction<zero::bfloat16>(zero::SumOrder::fastest) == NcclReduction::ordered);
  CHECK(c.reduction<float>(zero::SumOrder::fastest) == NcclReduction::native);
  CHECK(c.reduction<float>(zero::SumOrder::by_rank) == NcclReduction::ordered);
  CHECK(communicator(NcclReduction::ordered).reduction<float>(zero::SumOrder::fastest) == NcclReduction::ordered);
  CHECK(c.staging_bytes<float, zero::float16>(1000, zero::SumOrder::fastest) == 0);  // no peers
  CHECK(c.staging_bytes<float, float>(100, zero::SumOrder::fastest) == 512);
}

TEST_CASE("nccl: gathers in place and from elsewhere, sums of words, and bytes of the host") {
  auto c = communicator();
  CHECK(c.rank() == 0);
  CHECK(c.size() == 1);
  CHECK(c.local_size() == 1);
  cuda_test::OnDevice work(c, 1);
  auto const own = values<zero::bfloat16>(300, 1.0F);
  DeviceArray<zero::bfloat16> const from(own);
  DeviceArray<zero::bfloat16> const full(std::vector<zero::bfloat16>(300));
  c.all_gather(from.data(), full.data(), 300, purpose, work.stream(0));
  CHECK(same_bits(full.fetch(), own));
  c.all_gather(full.data(), full.data(), 300, purpose, work.stream(0));
  CHECK(same_bits(full.fetch(), own));
  DeviceArray<std::uint64_t> const words(std::vector<std::uint64_t>{1, UINT64_MAX, 0, 42});
  c.all_reduce(words.data(), 4, purpose, work.stream(0));
  CHECK(words.fetch() == std::vector<std::uint64_t>{1, UINT64_MAX, 0, 42});
  std::vector<std::byte> const mine{std::byte{1}, std::byte{2}};
  std::vector<std::byte> all(2);
  c.exchange(mine, all);
  CHECK(all == mine);
  c.check();
}

TEST_CASE("nccl: a communicator from an id of the caller's") {
  ncclUniqueId id{};
  REQUIRE(ncclGetUniqueId(&id) == ncclSuccess);
  NcclCommunicator c(id, 0, 1, 1, {});
  std::vector<std::byte> const mine{std::byte{7}, std::byte{9}, std::byte{11}};
  std::vector<std::byte> all(3);
  c.exchange(mine, all);
  CHECK(all == mine);
}

TEST_CASE("nccl: groups, and none for a negative color") {
  auto c = communicator();
  CHECK_FALSE(c.split(-1, 0));
  auto group = c.split(3, 0);
  REQUIRE(group);
  CHECK(group->size() == 1);
  cuda_test::OnDevice work(c, 1);
  DeviceArray<std::uint64_t> const words(std::vector<std::uint64_t>{5});
  group->all_reduce(words.data(), 1, purpose, work.stream(0));
  c.all_reduce(words.data(), 1, purpose, work.stream(0));
  CHECK(words.fetch() == std::vector<std::uint64_t>{5});
}

TEST_CASE("nccl: registered buffers are used like others, and may outlive the communicator") {
  zero::NcclRegistration registration;
  DeviceArray<float> const buffer(values<float>(1 << 16, 0.0F));
  {
    auto c = communicator();
    cuda_test::OnDevice work(c, 1);
    registration = c.register_buffer(buffer.data(), buffer.size() * sizeof(float));
    c.all_gather(buffer.data(), buffer.data(), buffer.size(), purpose, work.stream(0));
    CHECK(same_bits(buffer.fetch(), values<float>(1 << 16, 0.0F)));
  }
}

TEST_CASE("nccl: an engine whose buffers NCCL knows trains as any other") {
  zero::SelfCommunicator self;
  NcclCommunicator c(zero::LaunchEnvironment{}, {.register_buffers = true, .deadline = std::chrono::minutes(1)});
  for (bool const captured : {false, true}) {
    CHECK(train<zero::Stage::gradients>(c, captured) == train<zero::Stage::gradients>(self, false));
  }
}

TEST_CASE("nccl: what cannot work is refused in a sentence") {
  auto c = communicator(NcclReduction::native);
  cuda_test::OnDevice work(c, 1);
  DeviceArray<zero::float16> const send(std::vector<zero::float16>(128));
  DeviceArray<float> const sum(std::vector<float>(128));
  CHECK_THROWS_WITH_AS(c.reduce_scatter_add(send.data(), sum.data(), 128, {}, purpose, work.stream(0)),
                       doctest::Contains("bytes of staging"), zero::ConfigurationError);
  zero::CudaStream const elsewhere(work.stream(0).handle(), 99);
  CHECK_THROWS_WITH_AS(c.all_gather(sum.data(), sum.data(), 128, purpose, elsewhere),
                       doctest::Contains("a stream of device 99"), zero::ConfigurationError);
}

TEST_CASE("nccl: after a failure every call throws it, and nothing hangs") {
  auto c = communicator();
  cuda_test::OnDevice work(c, 1);
  DeviceArray<float> const sum(std::vector<float>(128));
  c.all_gather(sum.data(), sum.data(), 128, purpose, work.stream(0));
  c.fail("has had enough");
  CHECK_THROWS_WITH_AS(c.check(), doctest::Contains("all_gather #0 of test, bucket 7: rank 0 has had enough"),
                       zero::CommunicationError);
  CHECK_THROWS_AS(c.all_gather(sum.data(), sum.data(), 128, purpose, work.stream(0)), zero::CommunicationError);
  std::byte byte{};
  CHECK_THROWS_AS(c.exchange(std::span(&byte, 1), std::span(&byte, 1)), zero::CommunicationError);
  CHECK(sum.fetch().size() == 128);
}

TEST_CASE("nccl: engines train as with one rank, step by step and captured") {
  check_training<zero::Stage::none>(), check_training<zero::Stage::optimizer_states>();
  check_training<zero::Stage::gradients>(), check_training<zero::Stage::parameters>();
}
