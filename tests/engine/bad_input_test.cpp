// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "engine/engine_under_test.hpp"

#include <cmath>
#include <limits>
#include <optional>

namespace engine_bad_input_test {

using engine_test::contains;
using engine_test::contribute;
using engine_test::id;
using engine_test::message_of;
using engine_test::micro_batch;
using engine_test::parameters;
using zero::Stage;

namespace {

using Self = engine_test::EngineOf<Stage::none, zero::Precision<zero::FP32>, zero::NoOffload, zero::SelfCommunicator>;
using SelfScaled = engine_test::EngineOf<Stage::none, zero::Precision<zero::FP16, zero::DynamicScale>, zero::CpuOffload,
                                         zero::SelfCommunicator>;
using Sharded = engine_test::EngineOf<Stage::gradients>;
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

// The constructor must refuse what `change` does to a sound configuration, saying `sentence`.
template <class Engine = Self, class F>
void refuses(std::string const& expected, F&& change) {
  zero::SelfCommunicator self;
  typename Engine::Config config;
  change(config);
  auto const message = message_of<zero::ConfigurationError>([&] { Engine(self, parameters({10}), config); });
  INFO(message);
  CHECK(contains(message, expected));
}

void refuses_parameter(std::string const& expected, zero::ParameterSpec spec) {
  zero::ParameterList list;
  (void)list.add({.name = "first", .shape = {3}});
  auto const message = message_of<zero::ConfigurationError>([&] { (void)list.add(std::move(spec)); });
  INFO(message);
  CHECK(contains(message, expected));
  CHECK(list.specs().size() == 1);
}

}  // namespace

TEST_CASE("bad input: parameters that cannot be are refused by name when they are added") {
  alignas(8) float values[4] = {};
  auto const misaligned = reinterpret_cast<char*>(values) + 1;
  refuses_parameter("empty name", {.name = "", .shape = {3}});
  refuses_parameter("'first' is registered already", {.name = "first", .shape = {3}});
  refuses_parameter("'w' has a dimension of 0", {.name = "w", .shape = {3, 0}});
  refuses_parameter("'w' has a dimension of 0 or more elements than 2^48",
                    {.name = "w", .shape = {1U << 20, 1U << 20, 1U << 20}});
  refuses_parameter("more elements than 2^48", {.name = "w", .shape = {SIZE_MAX, SIZE_MAX}});
  refuses_parameter("a group that add_group did not return", {.name = "w", .shape = {3}, .group = {1}});
  refuses_parameter("at least 1 contribution", {.name = "w", .shape = {3}, .contributions = 0});
  refuses_parameter("negative unit", {.name = "w", .shape = {3}, .unit = -1});
  refuses_parameter("values at a null pointer", {.name = "w", .shape = {3}, .values = zero::adopt<float>(nullptr, 3)});
  refuses_parameter("gradients at a null pointer",
                    {.name = "w", .shape = {3}, .gradients = zero::adopt<float>(nullptr, 3)});
  refuses_parameter("not aligned",
                    {.name = "w", .shape = {3}, .values = zero::AdoptedBuffer{misaligned, 3, zero::ElementType::fp32}});
  refuses_parameter("of 4 elements, but its shape has 3",
                    {.name = "w", .shape = {3}, .values = zero::adopt(values, 4)});
  refuses_parameter("is frozen and has no gradient",
                    {.name = "w", .shape = {4}, .frozen = true, .gradients = zero::adopt(values, 4)});
}

TEST_CASE("bad input: groups with negative or infinite settings are refused") {
  zero::ParameterList list;
  for (double bad : {not_a_number, infinity, -1.0}) {
    CHECK(
        contains(message_of<zero::ConfigurationError>([&] { (void)list.add_group({.lr_factor = bad}); }), "lr_factor"));
    CHECK(contains(message_of<zero::ConfigurationError>([&] { (void)list.add_group({.weight_decay = bad}); }),
                   "weight_decay"));
  }
  CHECK(list.groups().size() == 1);
}

TEST_CASE("bad input: a configuration that cannot work is refused with the name of the setting") {
  for (double bad : {not_a_number, infinity, -infinity, -1e-3}) {
    refuses("lr", [&](auto& c) { c.optimizer.lr = bad; });
    refuses("gradient_clipping", [&](auto& c) { c.gradient_clipping = bad; });
    refuses("beta1", [&](auto& c) { c.optimizer.beta1 = bad; });
    refuses("beta2", [&](auto& c) { c.optimizer.beta2 = bad; });
    refuses("eps", [&](auto& c) { c.optimizer.eps = bad; });
    refuses("weight_decay", [&](auto& c) { c.optimizer.weight_decay = bad; });
    refuses<SelfScaled>("initial", [&](auto& c) { c.scale.initial = static_cast<float>(bad); });
    refuses<SelfScaled>("minimum", [&](auto& c) { c.scale.minimum = static_cast<float>(bad); });
    refuses<SelfScaled>("factor", [&](auto& c) { c.scale.factor = static_cast<float>(bad); });
  }
  refuses("beta1", [](auto& c) { c.optimizer.beta1 = 1.0; });
  for (int bad : {0, -1, 1 << 21}) {
    refuses("gradient_accumulation_steps", [&](auto& c) { c.gradient_accumulation_steps = bad; });
  }
  refuses("bucket_elements", [](auto& c) { c.bucket_elements = 0; });
  for (std::size_t bad : {std::size_t{0}, std::size_t{64}, std::size_t{129}, SIZE_MAX - 127}) {
    refuses("alignment_elements", [&](auto& c) { c.alignment_elements = bad; });
  }
  refuses("threads", [](auto& c) { c.backend.threads = -1; });
  zero::ThreadPool pool(1);
  refuses("either threads or a pool", [&](auto& c) { c.backend.threads = 1, c.backend.pool = &pool; });
  refuses<SelfScaled>("window", [](auto& c) { c.scale.window = 0; });
  refuses<SelfScaled>("hysteresis", [](auto& c) { c.scale.hysteresis = 0; });
  for (std::size_t bad : {std::size_t{0}, SIZE_MAX}) {
    refuses<SelfScaled>("chunk_elements", [&](auto& c) { c.offload.chunk_elements = bad; });
    refuses<SelfScaled>("staging_chunks", [&](auto& c) { c.offload.staging_chunks = bad; });
  }
  for (double bad : {-0.1, 1.1, std::nan("")}) {
    refuses<SelfScaled>("device_share", [&](auto& c) { c.offload.device_share = bad; });
  }
  refuses<SelfScaled>("delayed_update", [](auto& c) { c.offload.device_share = 0.5, c.offload.delayed_update = true; });
}

TEST_CASE("bad input: settings of one stage only are checked there") {
  zero::run_ranks(2, [](zero::ThreadCommunicator& ranks) {
    auto const list = parameters({10});
    auto const ring = message_of<zero::ConfigurationError>([&] { Sharded(ranks, list, {.gradient_ring = 0}); });
    CHECK(contains(ring, "gradient_ring"));
    auto const order =
        message_of<zero::ConfigurationError>([&] { Sharded(ranks, list, {.reduce = zero::Reduce::once_per_step}); });
    CHECK(contains(order, "Reduce::each_micro_batch"));
    Sharded engine(ranks, list);  // the communicator is still usable
    micro_batch(engine, 1);
    CHECK(engine.step({}).get().step == 1);
  });
}

TEST_CASE("bad input: the largest settings mean one bucket, not an overflow") {
  zero::SelfCommunicator self;
  Self engine(self, parameters({1000, 77}),
              {.bucket_elements = SIZE_MAX, .gradient_ring = 1 << 30, .max_live_elements = SIZE_MAX});
  CHECK(engine.layout().buckets().size() == 1);
  micro_batch(engine, 2);
  CHECK(engine.step({}).get().step == 1);
}

TEST_CASE("bad input: a model without parameters, or without any to train, is refused") {
  zero::SelfCommunicator self;
  CHECK(contains(message_of<zero::ConfigurationError>([&] { Self(self, zero::ParameterList{}); }),
                 "no parameters are registered"));
  zero::ParameterList frozen;
  (void)frozen.add({.name = "w", .shape = {3}, .frozen = true});
  CHECK(contains(message_of<zero::ConfigurationError>([&] { Self(self, frozen); }), "every parameter is frozen"));
}

TEST_CASE("bad input: adopted buffers of another type than the engine's are refused by name") {
  zero::SelfCommunicator self;
  std::vector<zero::bfloat16> values(3);
  zero::ParameterList list;
  (void)list.add({.name = "w", .shape = {3}, .values = zero::adopt(std::span(values))});
  auto const message = message_of<zero::ConfigurationError>([&] { Self(self, list); });
  CHECK(message ==
        "zero::Engine: parameter 'w' has adopted bf16 buffers, but this engine computes in fp32: adopt buffers of that "
        "type, or give the engine another zero::Precision. Parameters of two types, such as norms in fp32 beside "
        "matrices in 16 bits, have an engine each: zero::JointStep steps them as one");
}

namespace {

// Rank 1 registers or sets something else than ranks 0 and 2; every rank must hear of it in the same words.
template <class F>
void differs(std::string const& expected, F&& change) {
  zero::run_ranks(3, [&](zero::ThreadCommunicator& ranks) {
    std::vector<std::string> names{"a", "b"};
    std::vector<zero::ParameterSpec> specs{{.name = "a", .shape = {2, 3}}, {.name = "b", .shape = {5}}};
    double decay = 0.0;
    typename Sharded::Config config;
    if (ranks.rank() == 1) change(specs, decay, config);
    zero::ParameterList list;
    auto const group = list.add_group({.weight_decay = decay});
    for (auto& spec : specs) {
      spec.group = group;
      (void)list.add(spec);
    }
    auto const message = message_of<zero::MismatchError>([&] { Sharded(ranks, list, config); });
    INFO(message);
    CHECK(contains(message, "rank 0"));
    CHECK(contains(message, "rank 1"));
    CHECK(contains(message, expected));
    Sharded engine(ranks, parameters({4}));  // all ranks threw: they are still in step
    micro_batch(engine, 1);
    CHECK(engine.step({}).get().step == 1);
  });
}

using Specs = std::vector<zero::ParameterSpec>;

}  // namespace

TEST_CASE("bad input: ranks that register or set something else all throw the first difference") {
  differs("'c'", [](Specs& specs, double&, auto&) { specs[1].name = "c"; });
  differs("parameter 0 'b'", [](Specs& specs, double&, auto&) { std::swap(specs[0], specs[1]); });
  differs("[3,2,]", [](Specs& specs, double&, auto&) { specs[0].shape = {3, 2}; });
  differs("contributions 2", [](Specs& specs, double&, auto&) { specs[0].contributions = 2; });
  differs("frozen", [](Specs& specs, double&, auto&) { specs[0].frozen = true; });
  differs("unit 7", [](Specs& specs, double&, auto&) { specs[1].unit = 7; });
  differs("parameter 2 'c'", [](Specs& specs, double&, auto&) { specs.push_back({.name = "c", .shape = {1}}); });
  differs("group 1", [](Specs&, double& decay, auto&) { decay = 1e-9; });
  differs("gradient_accumulation_steps 2", [](Specs&, double&, auto& c) { c.gradient_accumulation_steps = 2; });
  differs("gradient_clipping", [](Specs&, double&, auto& c) { c.gradient_clipping = 1e-9; });
  differs("bucket_elements 128", [](Specs&, double&, auto& c) { c.bucket_elements = 128; });
  differs("alignment_elements 256", [](Specs&, double&, auto& c) { c.alignment_elements = 256; });
  differs("gradient_ring 3", [](Specs&, double&, auto& c) { c.gradient_ring = 3; });
  differs("missing_gradient", [](Specs&, double&, auto& c) { c.missing_gradient = zero::MissingGradient::zero; });
  differs("reduce", [](Specs&, double&, auto& c) { c.reduce = zero::Reduce::each_micro_batch; });
  differs("lr", [](Specs&, double&, auto& c) { c.optimizer.lr = 1e-3 + 1e-12; });
  differs("optimizer's settings", [](Specs&, double&, auto& c) { c.optimizer.beta2 = 0.9995; });
  differs("optimizer's settings", [](Specs&, double&, auto& c) { c.optimizer.eps = 1e-9; });
}

TEST_CASE("bad input: a setting that only one rank refuses ends the construction on all of them") {
  zero::run_ranks(3, [](zero::ThreadCommunicator& ranks) {
    double const clipping = ranks.rank() == 2 ? not_a_number : 1.0;
    auto const message =
        message_of<zero::ConfigurationError>([&] { Sharded(ranks, parameters({4}), {.gradient_clipping = clipping}); });
    CHECK(contains(message, "gradient_clipping"));
    CHECK(contains(message, "rank 2") == (ranks.rank() != 2));
  });
}

TEST_CASE("bad input: ranks with other initial values, or other values to write, all throw") {
  zero::run_ranks(3, [](zero::ThreadCommunicator& ranks) {
    std::vector<float> values{1, 2, ranks.rank() == 2 ? 3.0F : 4.0F};
    zero::ParameterList list;
    (void)list.add({.name = "w", .shape = {3}, .values = zero::adopt(std::span(values))});
    auto const initial = message_of<zero::MismatchError>([&] { Sharded(ranks, list); });
    CHECK(contains(initial, "values of parameter 'w' differ between rank 0 and rank 2"));

    Sharded engine(ranks, parameters({3}));
    auto const written = message_of<zero::MismatchError>([&] { engine.write_parameter("p0", values); });
    CHECK(contains(written, "rank 2"));
    auto const state = message_of<zero::MismatchError>([&] { engine.write_state("p0", 1, values); });
    CHECK(contains(state, "state of parameter 'p0'"));
    CHECK(engine.read_parameter("p0") == std::vector<float>(3, 0.0F));
  });
}

TEST_CASE("bad input: reads and writes by a wrong name, size or state are refused, and nothing changes") {
  zero::SelfCommunicator self;
  zero::ParameterList list;
  (void)list.add({.name = "w", .shape = {2}});
  (void)list.add({.name = "frozen", .shape = {2}, .frozen = true});
  Self engine(self, list);
  std::vector<float> const two(2, 1.0F), three(3, 1.0F);
  auto const refuses_call = [&](std::string const& expected, auto&& call) {
    CHECK(contains(message_of<zero::ConfigurationError>(call), expected));
  };
  refuses_call("no parameter is named 'v'", [&] { (void)engine.read_parameter("v"); });
  refuses_call("no parameter is named ''", [&] { engine.write_parameter("", two); });
  refuses_call("'w' has 2 elements, but 3 were given", [&] { engine.write_parameter("w", three); });
  refuses_call("'w' has 2 elements, but 0 were given", [&] { engine.write_state("w", 0, {}); });
  refuses_call("no state 2", [&] { (void)engine.read_state("w", 2); });
  refuses_call("'frozen' is frozen", [&] { (void)engine.read_state("frozen", 0); });
  CHECK(message_of<zero::SequenceError>([&] {
          (void)engine.read_gradient("w");
        }).find("0 of 1 micro-batch: finish it first") != std::string::npos);
  auto pass = engine.begin_micro_batch({});
  CHECK(
      contains(message_of<zero::SequenceError>([&] { (void)engine.read_parameter("w"); }), "call its finish() first"));
  contribute(engine, id(0), 1.0F);
  pass.finish({});
  refuses_call("is frozen", [&] { (void)engine.read_gradient("frozen"); });
  refuses_call("but 3 were given", [&] { engine.write_gradient("w", three); });
  CHECK(engine.read_gradient("w") == two);
  refuses_call("there is no parameter 7 of 2", [&] { (void)engine.gather(id(7), {}); });
}

TEST_CASE("bad input: settings of one step are refused before anything changes") {
  zero::SelfCommunicator self;
  Self engine(self, parameters({4}));
  micro_batch(engine, 1);
  for (double bad : {not_a_number, infinity, -1.0}) {
    CHECK(contains(message_of<zero::ConfigurationError>([&] { (void)engine.step({.lr = bad}, {}); }), "lr"));
    CHECK(contains(message_of<zero::ConfigurationError>([&] { (void)engine.step({.gradient_clipping = bad}, {}); }),
                   "gradient_clipping"));
  }
  CHECK(engine.read_parameter("p0") == std::vector<float>(4, 0.0F));
  CHECK(engine.step({.lr = 0.0}, {}).get().step == 1);
}

}  // namespace engine_bad_input_test
