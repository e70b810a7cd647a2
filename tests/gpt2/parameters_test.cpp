// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <gpt2/parameters.hpp>
#include <gpt2/random.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

namespace gpt2_parameters_test {

namespace {

constexpr gpt2::ModelShape gpt2_124m{.layers = 12, .heads = 12, .width = 768, .context = 1024, .vocabulary = 50257};

struct Moments {
  double mean = 0.0, deviation = 0.0, kurtosis = 0.0;
};

Moments moments(std::vector<float> const& values) {
  Moments m;
  double const n = static_cast<double>(values.size());
  for (float const v : values) m.mean += static_cast<double>(v) / n;
  double fourth = 0.0, second = 0.0;
  for (float const v : values) {
    double const d = static_cast<double>(v) - m.mean;
    second += d * d / n, fourth += d * d * d * d / n;
  }
  m.deviation = std::sqrt(second), m.kurtosis = fourth / (second * second);
  return m;
}

}  // namespace

TEST_CASE("gpt2 parameters: GPT-2 124M has its 148 parameters and 124439808 elements") {
  auto const all = gpt2::parameter_shapes(gpt2_124m);
  CHECK(all.size() == 148);
  CHECK(gpt2::parameter_count(gpt2_124m) == 124439808);
  std::set<std::string> names;
  for (auto const& parameter : all) names.insert(parameter.name);
  CHECK(names.size() == all.size());
}

TEST_CASE("gpt2 parameters: names, shapes, units, decay and contributions are GPT-2's") {
  auto const all = gpt2::parameter_shapes({.layers = 2, .heads = 2, .width = 4, .context = 3, .vocabulary = 7});
  auto const find = [&](std::string const& name) {
    auto const at = std::find_if(all.begin(), all.end(), [&](auto const& p) { return p.name == name; });
    REQUIRE_MESSAGE(at != all.end(), name);
    return *at;
  };
  CHECK(find("wte.weight").contributions == 2);
  CHECK(find("wte.weight").shape == std::vector<std::size_t>{7, 4});
  CHECK(find("wpe.weight").unit == 0);
  CHECK(find("h.1.attn.c_attn.weight").shape == std::vector<std::size_t>{4, 12});
  CHECK(find("h.1.mlp.c_proj.weight").shape == std::vector<std::size_t>{16, 4});
  CHECK(find("h.1.mlp.c_proj.weight").unit == 2);
  CHECK(find("h.0.mlp.c_fc.bias").size() == 16);
  CHECK(find("ln_f.bias").unit == 3);
  for (auto const& parameter : all) {
    CHECK(parameter.decays == (parameter.shape.size() == 2));
    CHECK(parameter.contributions == (parameter.name == "wte.weight" ? 2 : 1));
  }
  CHECK(all[2 + gpt2::mlp_projection_weight].name == "h.0.mlp.c_proj.weight");  // the enum names the same order
  CHECK(all[2 + gpt2::attention_projection_bias].name == "h.0.attn.c_proj.bias");
}

TEST_CASE("gpt2 parameters: weights are normal with GPT-2's deviations, LayerNorm 1 and 0, biases 0") {
  std::vector<float> values(200000);
  gpt2::initialize(gpt2_124m, "wte.weight", values, 1);
  auto const embedding = moments(values);
  CHECK(std::abs(embedding.mean) < 0.02 * 0.01);
  CHECK(embedding.deviation == doctest::Approx(0.02).epsilon(0.005));
  CHECK(embedding.kurtosis == doctest::Approx(3.0).epsilon(0.02));
  CHECK(*std::max_element(values.begin(), values.end()) > 0.02F * 4.0F);
  gpt2::initialize(gpt2_124m, "h.3.attn.c_proj.weight", values, 1);
  CHECK(moments(values).deviation == doctest::Approx(0.02 / std::sqrt(24.0)).epsilon(0.005));
  for (auto const* name : {"h.0.ln_1.weight", "h.0.ln_1.bias", "h.0.mlp.c_fc.bias", "ln_f.weight"}) {
    std::vector<float> few(5, 9.0F);
    gpt2::initialize(gpt2_124m, name, few, 1);
    float const expected =
        std::string(name).find("ln_") != std::string::npos && std::string(name).ends_with("weight") ? 1.0F : 0.0F;
    CHECK(few == std::vector<float>(5, expected));
  }
}

TEST_CASE("gpt2 random: the normal quantile inverts the normal distribution, in both tails too") {
  for (double const p :
       {1e-15, 3e-12, 1e-8, 1e-4, 0.02, 0.075, 0.1, 0.3, 0.49, 0.5, 0.6, 0.92, 0.93, 0.999, 1.0 - 1e-9}) {
    double const z = gpt2::normal_quantile(p), found = 0.5 * std::erfc(-z / std::sqrt(2.0));
    // The tails are steep: an error of 1e-7 in z is one of z^2 1e-7 in the probability.
    CHECK(std::abs(found - p) <= 3e-7 * (1.0 + z * z) * std::min(p, 1.0 - p) + 1e-16);
  }
}

TEST_CASE("gpt2 parameters: a value depends on seed, name and index alone") {
  std::vector<float> all(100), part(10), other(100);
  gpt2::initialize(gpt2_124m, "h.0.mlp.c_fc.weight", other, 1);
  gpt2::initialize(gpt2_124m, "wte.weight", all, 1);
  gpt2::initialize(gpt2_124m, "wte.weight", part, 1);
  CHECK(std::equal(part.begin(), part.end(), all.begin()));
  CHECK(all != other);
  gpt2::initialize(gpt2_124m, "wte.weight", other, 2);
  CHECK(all != other);
  CHECK(std::set<float>(all.begin(), all.end()).size() == all.size());
}

TEST_CASE("gpt2 random: numbers stay below their bound and reach all of a small range") {
  gpt2::CounterRandom const random(3);
  std::vector<int> counts(7);
  for (std::uint64_t i = 0; i < 7000; ++i) ++counts.at(random.below(i, 7));
  for (int const count : counts) CHECK(std::abs(count - 1000) < 150);
  std::uint64_t const bound = 0xFFFFFFFFFFFFFFF1ULL;
  for (std::uint64_t i = 0; i < 100; ++i) CHECK(random.below(i, bound) < bound);
  // The high half of a product: with a bound of 2^40 it is the number's upper 40 bits.
  CHECK(random.below(0, std::uint64_t{1} << 40) == random.bits(0) >> 24);
  CHECK(random.below(5, 0) == 0);
  for (std::uint64_t i = 0; i < 1000; ++i) CHECK((random.uniform(i) >= 0.0 && random.uniform(i) < 1.0));
}

}  // namespace gpt2_parameters_test
