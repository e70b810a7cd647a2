// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "engine/engine_under_test.hpp"

#include <zero/any_engine.hpp>
#include <zero/flat_model.hpp>

#include <array>
#include <cstddef>
#include <numeric>
#include <string>
#include <vector>

namespace engine_flat_model_test {

using engine_test::contains;
using engine_test::message_of;
using zero::Stage;

namespace {

// Two tensors before, two that stack three layers, one behind: as a transformer has them.
constexpr std::array<std::size_t, 5> sizes{40, 20, 90, 21, 10};  // layers of 30 and 7
constexpr std::size_t elements = 181;
zero::FlatOptions by_layer() { return {.names = {"wte", "wpe", "w", "b", "norm"}, .layers = {0, 1, 3, 3, 0}}; }

std::vector<float> ramp() {
  std::vector<float> values(elements);
  std::iota(values.begin(), values.end(), 1.0F);
  return values;
}

std::vector<std::string> names(zero::ParameterList const& list) {
  std::vector<std::string> names;
  for (auto const& spec : list.specs()) names.push_back(spec.name);
  return names;
}

}  // namespace

TEST_CASE("flat model: tensors are registered by sizes, stacked ones layer by layer, in the order of forward") {
  auto values = ramp();
  std::vector<float> gradients(elements);
  zero::ParameterList whole, sliced;
  auto const one = zero::adopt_flat(whole, values.data(), gradients.data(), sizes);
  CHECK(names(whole) == std::vector<std::string>{"tensor_0", "tensor_1", "tensor_2", "tensor_3", "tensor_4"});
  CHECK(one.units() == 1);
  CHECK(one.ids().size() == 5);
  CHECK(whole.specs()[2].values->data == values.data() + 60);
  CHECK(whole.specs()[2].gradients->data == gradients.data() + 60);

  auto options = by_layer();
  auto const decayed = sliced.add_group({.weight_decay = 0.1});
  options.groups = {decayed, {}, decayed, {}, {}};
  options.persistent = {true, false, false, false, false};
  auto const flat = zero::adopt_flat(sliced, values.data(), gradients.data(), sizes, options);
  CHECK(names(sliced) == std::vector<std::string>{"wte", "wpe", "w.0", "b.0", "w.1", "b.1", "w.2", "b.2", "norm"});
  REQUIRE(flat.units() == 5);
  CHECK(flat.unit(0).size() == 2);
  CHECK(flat.unit(2).size() == 2);
  CHECK(flat.unit(2)[0] == flat(2, 1));
  CHECK(flat.unit(4)[0] == flat(4));
  CHECK(flat.unstacked() == std::vector{flat(0), flat(1), flat(4)});
  auto const& w1 = sliced.specs()[flat(2, 1).index];
  CHECK(w1.values->data == values.data() + 60 + 30);
  CHECK(w1.unit == 2);
  CHECK(w1.group == decayed);
  CHECK_FALSE(w1.persistent);
  CHECK(sliced.specs()[0].persistent);
  CHECK(sliced.specs()[flat(3, 2).index].gradients->data == gradients.data() + 150 + 14);
}

TEST_CASE("flat model: whole, sliced and placed give one result, at every stage") {
  auto const train = [](Stage stage, bool adopts, zero::FlatOptions const& options) {
    std::vector<float> result;
    zero::run_ranks(2, [&](zero::ThreadCommunicator& ranks) {
      auto values = ramp();
      std::vector<float> gradients(elements);
      zero::ParameterList list;
      auto const flat = adopts ? zero::adopt_flat(list, values.data(), gradients.data(), sizes, options)
                               : zero::place_flat(list, values.data(), gradients.data(), sizes, options);
      auto const engine = zero::make_any_engine<zero::AdamW, zero::Precision<zero::FP32>>(
          stage, ranks, list, std::nullopt, {.optimizer = {.lr = 0.25}});
      for (int step = 0; step < 2; ++step) {
        for (std::size_t i = 0; i < elements; ++i) gradients[i] = static_cast<float>(i % 5) + 1.0F;
        if (stage < Stage::parameters) {
          (void)engine->update().get();
          continue;
        }
        auto pass = engine->begin_micro_batch();
        for (std::size_t u = 0; u < flat.units(); ++u) (void)engine->gather(flat.unit(u));
        for (std::size_t u = flat.units(); u-- > 0;) {
          (void)engine->gather(flat.unit(u));
          engine->gradients(flat.unit(u)).ready();
        }
        pass.finish();
        (void)engine->step().get();
      }
      std::vector<float> all(elements);
      std::size_t at = 0;
      for (std::size_t t = 0; t < sizes.size(); ++t) {
        std::size_t const layers = !options.layers.empty() && options.layers[t] > 1 ? options.layers[t] : 1;
        for (std::size_t l = 0; l < layers; ++l) {
          for (float value : engine->read_parameter(flat(t, l))) all[at++] = value;
        }
      }
      if (adopts) CHECK(all == values);
      if (ranks.rank() == 0) result = all;
    });
    return result;
  };
  auto const expected = train(Stage::none, true, {});
  CHECK(expected != ramp());
  for (auto stage : {Stage::optimizer_states, Stage::gradients}) {
    CHECK(train(stage, true, {}) == expected);
    CHECK(train(stage, true, by_layer()) == expected);
    CHECK(train(stage, false, by_layer()) == expected);
  }
  CHECK(train(Stage::parameters, false, by_layer()) == expected);
}

TEST_CASE("flat model: a stack of layers between a root that is persistent is said in one call") {
  auto const options = zero::FlatOptions::stacked(5, 2, 4, 3);
  CHECK(options.layers == std::vector<std::size_t>{1, 1, 3, 3, 1});
  CHECK(options.persistent == std::vector<bool>{true, true, false, false, true});
}

TEST_CASE("flat model: null pointers, lists of another length and layers that do not divide are refused") {
  auto values = ramp();
  std::vector<float> gradients(elements);
  auto const refused = [&](float* v, float* g, zero::FlatOptions const& options) {
    zero::ParameterList list;
    return message_of<zero::ConfigurationError>([&] { (void)zero::adopt_flat(list, v, g, sizes, options); });
  };
  CHECK(contains(refused(values.data(), nullptr, {}), "allocates its gradients in the first backward pass"));
  CHECK(contains(refused(nullptr, gradients.data(), {}), "null pointer"));
  CHECK(contains(refused(values.data(), gradients.data(), {.names = {"a"}}), "1 name for 5 tensors"));
  CHECK(contains(refused(values.data(), gradients.data(), {.layers = {0, 0, 4, 3, 0}}),
                 "tensor 2 has 90 elements, which 4 layers do not divide"));
  zero::ParameterList list;
  CHECK(contains(
      message_of<zero::ConfigurationError>([&] { (void)zero::place_flat(list, nullptr, gradients.data(), sizes); }),
      "initial values are at a null pointer"));
}

}  // namespace engine_flat_model_test
