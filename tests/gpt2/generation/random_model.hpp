// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <gpt2/generation/decoder_weights.hpp>
#include <gpt2/model.hpp>
#include <gpt2/random.hpp>

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

/// A GPT-2 whose weights are so large that nothing of it is nearly uniform or nearly linear, and what the trainer's own
/// forward pass makes of it.
class RandomModel {
 public:
  RandomModel(gpt2::ModelShape const& shape, double deviation, std::uint64_t seed = 3) : shape_(shape) {
    gpt2::CounterRandom const random(seed);
    std::size_t stream = 0;
    for (auto const& parameter : gpt2::parameter_shapes(shape)) {
      auto& values = values_[parameter.name];
      auto const numbers = random.with(stream++);
      bool const is_one = parameter.name.find("ln_") != std::string::npos && parameter.name.ends_with("weight");
      for (std::size_t i = 0; i < parameter.size(); ++i) {
        values.push_back(
            static_cast<float>((is_one ? 1.0 : 0.0) + deviation * gpt2::normal_quantile(numbers.uniform(i) + 0x1p-54)));
      }
    }
  }

  [[nodiscard]] gpt2::ModelShape const& shape() const { return shape_; }
  [[nodiscard]] std::vector<float>& values(std::string const& name) { return values_.at(name); }
  [[nodiscard]] gpt2::ReadParameter reader() const {
    return [this](std::string const& name) { return values_.at(name); };
  }

  /// After the last of \p window, by a whole forward pass over it with nothing kept.
  [[nodiscard]] std::vector<float> logits(std::span<gpt2::Token const> window) const {
    zero::ThreadPool pool(1);
    gpt2::Model<float> model(shape_, 1, pool);
    auto const at = [&](std::string const& name) { return values_.at(name).data(); };
    model.embed_forward(window, window.size(), at("wte.weight"), at("wpe.weight"));
    auto const all = gpt2::parameter_shapes(shape_);
    for (std::size_t layer = 0; layer < shape_.layers; ++layer) {
      gpt2::BlockWeights<float> weights;
      for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = at(all[2 + layer * weights.size() + i].name);
      model.block_forward(layer, weights);
    }
    auto const logits = model.last_logits({at("ln_f.weight"), at("ln_f.bias"), at("wte.weight")});
    return {logits.begin(), logits.end()};
  }

 private:
  gpt2::ModelShape shape_;
  std::map<std::string, std::vector<float>> values_;
};
