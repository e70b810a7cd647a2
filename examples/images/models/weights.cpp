// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "weights.hpp"

#include "support/data_error.hpp"
#include "support/tensor_source.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>

namespace images {
namespace {

using command_line::DataError;
using command_line::TensorSource;
using torch::Tensor;

std::string shape_text(std::vector<std::uint64_t> const& shape) {
  std::string text = "[";
  for (auto const size : shape) text += (text.size() > 1 ? "," : "") + std::to_string(size);
  return text + "]";
}

/// Torch counts them, and no value depends on them.
bool is_count(std::string const& name) { return name.ends_with("num_batches_tracked"); }

/// The parameters and buffers of a model, by their names.
std::vector<std::pair<std::string, Tensor>> tensors_of(Classifier const& model) {
  std::vector<std::pair<std::string, Tensor>> all;
  for (auto const& parameter : model.named_parameters()) all.emplace_back(parameter.key(), parameter.value());
  for (auto const& buffer : model.named_buffers()) {
    if (!is_count(buffer.key())) all.emplace_back(buffer.key(), buffer.value());
  }
  return all;
}

}  // namespace

std::vector<std::string> load_weights(Classifier& model, std::string const& path) {
  TensorSource source(path);
  auto const refuse = [&](std::string const& why, char const* remedy = "give weights of this --model") {
    throw DataError("--init-from " + path + ": " + why + ": " + remedy);
  };
  std::vector<std::string> drawn;
  std::vector<std::pair<std::string, Tensor>> taken;
  std::set<std::string> known;
  auto const head = std::string(model.head()) + ".";
  for (auto const& [name, tensor] : tensors_of(model)) {
    known.insert(name);
    auto const there = source.shape(name);
    if (!there) refuse("lacks " + name);
    std::vector<std::uint64_t> const here(tensor.sizes().begin(), tensor.sizes().end());
    bool const is_head = name.starts_with(head);
    bool const other_classes = is_head && there->size() == here.size() && there->front() != here.front() &&
                               std::equal(there->begin() + 1, there->end(), here.begin() + 1);
    if (other_classes) {
      drawn.push_back(name);
    } else if (*there != here) {
      refuse(name + " is " + shape_text(*there) + " there, and " + shape_text(here) + " here");
    } else {
      taken.emplace_back(name, tensor);
    }
  }
  for (auto const& name : source.names()) {
    if (!is_count(name) && !known.contains(name)) refuse("has " + name + ", which the model has not");
  }
  torch::NoGradGuard const guard;
  std::vector<std::vector<float>> values;
  for (auto const& [name, tensor] : taken) {
    auto& read = values.emplace_back(source.read(name, static_cast<std::size_t>(tensor.numel())));
    if (std::all_of(read.begin(), read.end(), [](float value) { return std::isfinite(value); })) continue;
    refuse(name + " has values that are not finite", "give weights of a run that has not diverged");
  }
  for (std::size_t i = 0; i < taken.size(); ++i) {
    auto const& tensor = taken[i].second;
    tensor.copy_(torch::from_blob(values[i].data(), tensor.sizes(), torch::kFloat));
  }
  return drawn;
}

}  // namespace images
