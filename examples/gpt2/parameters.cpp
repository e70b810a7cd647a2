// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "parameters.hpp"

#include "random.hpp"

#include <zero/utility/fingerprint.hpp>

#include <cmath>
#include <utility>

namespace gpt2 {
namespace {

void append_block(std::vector<ParameterShape>& all, std::size_t layer, std::size_t width) {
  std::string const prefix = "h." + std::to_string(layer) + ".";
  auto const add = [&](char const* name, std::vector<std::size_t> extents) {
    bool const decays = extents.size() > 1;
    all.push_back({prefix + name, std::move(extents), decays, 1, layer + 1});
  };
  add("ln_1.weight", {width});
  add("ln_1.bias", {width});
  add("attn.c_attn.weight", {width, 3 * width});
  add("attn.c_attn.bias", {3 * width});
  add("attn.c_proj.weight", {width, width});
  add("attn.c_proj.bias", {width});
  add("ln_2.weight", {width});
  add("ln_2.bias", {width});
  add("mlp.c_fc.weight", {width, 4 * width});
  add("mlp.c_fc.bias", {4 * width});
  add("mlp.c_proj.weight", {4 * width, width});
  add("mlp.c_proj.bias", {width});
}

}  // namespace

std::vector<ParameterShape> parameter_shapes(ModelShape const& shape) {
  std::vector<ParameterShape> all;
  all.reserve(4 + block_parameter_count * shape.layers);
  all.push_back({"wte.weight", {shape.vocabulary, shape.width}, true, 2, 0});
  all.push_back({"wpe.weight", {shape.context, shape.width}, true, 1, 0});
  for (std::size_t layer = 0; layer < shape.layers; ++layer) append_block(all, layer, shape.width);
  all.push_back({"ln_f.weight", {shape.width}, false, 1, shape.layers + 1});
  all.push_back({"ln_f.bias", {shape.width}, false, 1, shape.layers + 1});
  return all;
}

std::size_t parameter_count(ModelShape const& shape) {
  std::size_t count = 0;
  for (auto const& parameter : parameter_shapes(shape)) count += parameter.size();
  return count;
}

void initialize(ModelShape const& shape, std::string_view name, std::span<float> values, std::uint64_t seed) {
  bool const is_weight = name.ends_with(".weight");
  bool const is_layer_norm = name.find("ln_") != std::string_view::npos;
  if (!is_weight || is_layer_norm) {
    for (auto& value : values) value = is_weight ? 1.0F : 0.0F;
    return;
  }
  bool const is_residual = name.ends_with("c_proj.weight");
  double const deviation = is_residual ? 0.02 / std::sqrt(2.0 * static_cast<double>(shape.layers)) : 0.02;
  auto const random = CounterRandom(seed).with(zero::fingerprint_of(name));
  for (std::size_t i = 0; i < values.size(); ++i) {
    double const middle_of_cell = random.uniform(i) + 0x1p-54;  // never 0 or 1
    values[i] = static_cast<float>(deviation * normal_quantile(middle_of_cell));
  }
}

}  // namespace gpt2
