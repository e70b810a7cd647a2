// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <images/models/classifier.hpp>
#include <images/models/weights.hpp>

#include "support/data_error.hpp"

#include <zero/checkpoint/export.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

namespace images_models_test {

namespace {

using images::Classifier;
using images::ModelShape;
using torch::Tensor;

/// Numbers from -0.5 to 0.5: those of torchvision_logits.py.
std::vector<double> numbers(std::string const& name, std::int64_t count) {
  std::uint64_t sum = 0;
  for (char const c : name) sum += static_cast<unsigned char>(c);
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) {
    std::uint64_t mixed = (static_cast<std::uint64_t>(i) * 2654435761U + sum * 40503U) & 0xFFFFFFFFU;
    mixed = (mixed ^ (mixed >> 15U)) * 2246822519U & 0xFFFFFFFFU;
    values.push_back(static_cast<double>(mixed) / 4294967296.0 - 0.5);
  }
  return values;
}

void fill(std::string const& name, Tensor const& tensor) {
  auto const count = tensor.numel();
  auto const values = numbers(name, count);
  auto flat = torch::empty({count});
  auto* const to = flat.data_ptr<float>();
  std::int64_t const inputs = tensor.dim() > 1 ? count / tensor.size(0) : 0;
  double const scale = inputs > 0 ? 2.0 * std::sqrt(6.0 / static_cast<double>(inputs)) : 0.2;
  bool const is_scale = tensor.dim() == 1 && (name.ends_with("running_var") || name.ends_with("weight"));
  for (std::int64_t i = 0; i < count; ++i) {
    auto const value = values[static_cast<std::size_t>(i)];
    to[i] = static_cast<float>(is_scale ? 1.0 + 0.5 * value : scale * value);
  }
  tensor.copy_(flat.reshape(tensor.sizes()));
}

std::map<std::string, Tensor> tensors_of(Classifier const& model) {
  std::map<std::string, Tensor> all;
  for (auto const& item : model.named_parameters()) all[item.key()] = item.value();
  for (auto const& item : model.named_buffers()) all[item.key()] = item.value();
  return all;
}

/// What torchvision_logits.py prints of torchvision 0.29.
struct Published {
  char const* name;
  std::uint64_t parameters;
  std::size_t tensors;
  std::array<float, 6> logits;
};
constexpr std::array published{
    Published{
        "resnet18", 11689512, 122, {-10.4172935F, -5.08139563F, -6.20692062F, -12.2531939F, -2.72074366F, 9.19848919F}},
    Published{
        "resnet34", 21797672, 218, {-176.657043F, -124.880379F, -68.5324478F, -319.093323F, -90.7178726F, 157.59584F}},
    Published{
        "resnet50", 25557032, 320, {-444.189209F, 394.714966F, -7.5663147F, 58.2491493F, 61.9800568F, 289.614075F}},
};

/// A file that is gone at the end.
struct File {
  std::string path =
      (std::filesystem::temp_directory_path() / ("zero images " + std::to_string(::getpid()) + ".safetensors"))
          .string();
  ~File() { std::filesystem::remove(path); }
};

/// Saves \p model, without the tensor \p left_out, and under other names where \p prefix is not empty.
void save(Classifier const& model, std::string const& path, std::string const& left_out = "",
          std::string const& prefix = "") {
  auto const tensors = tensors_of(model);
  std::vector<zero::ExportedTensor> exported;
  for (auto const& [name, tensor] : tensors) {
    if (name == left_out || name.ends_with("num_batches_tracked")) continue;
    exported.push_back({prefix + name, {tensor.sizes().begin(), tensor.sizes().end()}});
  }
  zero::export_safetensors(
      zero::posix_file_system(), path, exported, true,
      [&](std::string const& name) {
        auto const values = tensors.at(name.substr(prefix.size())).contiguous();
        auto const* const begin = values.data_ptr<float>();
        return std::vector<float>(begin, begin + values.numel());
      },
      true);
}

std::string refusal(Classifier& model, std::string const& path) {
  try {
    (void)images::load_weights(model, path);
  } catch (command_line::DataError const& error) {
    return error.what();
  }
  return {};
}

ModelShape small(std::size_t classes) {
  return {.name = "resnet18", .classes = classes, .height = 8, .width = 8, .small_stem = true, .base_width = 4};
}

}  // namespace

TEST_CASE("image models: residual networks have torchvision's parameters, names and logits") {
  torch::NoGradGuard const guard;
  at::set_num_threads(1);
  auto const picture = [] {
    auto values = numbers("picture", std::int64_t{3} * 64 * 64);
    return torch::tensor(values, torch::kDouble).to(torch::kFloat).reshape({1, 3, 64, 64});
  }();
  for (auto const& expected : published) {
    CAPTURE(std::string(expected.name));
    ModelShape const shape{.name = expected.name};
    auto const model = images::make_classifier(shape, 1);
    std::uint64_t count = 0;
    for (auto const& parameter : model->parameters()) count += static_cast<std::uint64_t>(parameter.numel());
    CHECK(count == expected.parameters);
    CHECK(images::parameter_count(shape) == expected.parameters);
    auto const tensors = tensors_of(*model);
    CHECK(tensors.size() == expected.tensors);
    for (auto const& [name, tensor] : tensors) {
      if (!name.ends_with("num_batches_tracked")) fill(name, tensor);
    }
    model->eval();
    auto const logits = model->forward(picture).contiguous();
    REQUIRE(logits.size(1) == 1000);
    for (std::size_t i = 0; i < expected.logits.size(); ++i) {
      double const is = static_cast<double>(logits.data_ptr<float>()[i]),
                   wanted = static_cast<double>(expected.logits[i]);
      CHECK(is == doctest::Approx(wanted).epsilon(1e-3));
    }
  }
}

TEST_CASE("image models: parameter_count is that of the model, of every shape") {
  for (std::string const name : {"resnet18", "resnet34", "resnet50", "mlp"}) {
    for (bool const small_stem : {false, true}) {
      ModelShape const shape{.name = name,
                             .classes = 7,
                             .channels = 1,
                             .height = 8,
                             .width = 9,
                             .small_stem = small_stem,
                             .base_width = 8};
      auto const model = images::make_classifier(shape, 1);
      std::uint64_t count = 0;
      for (auto const& parameter : model->parameters()) count += static_cast<std::uint64_t>(parameter.numel());
      CAPTURE(name);
      CHECK(images::parameter_count(shape) == count);
      CHECK(images::parse_model_shape(images::to_text(shape)) == shape);
      model->eval();
      CHECK(model->forward(torch::zeros({2, 1, 8, 9})).sizes() == torch::IntArrayRef({2, 7}));
    }
  }
  CHECK_THROWS_AS((void)images::parse_model_shape("vgg16 10 3 32 32 0 64 128"), command_line::DataError);
}

TEST_CASE("image models: convolutions begin with the deviation of their fan out, BatchNorm with 1 and 0") {
  auto const model = images::make_classifier({.name = "resnet18"}, 5);
  auto const tensors = tensors_of(*model);
  for (std::string const name : {"layer2.0.conv1.weight", "layer4.1.conv2.weight"}) {
    auto const& weight = tensors.at(name);
    double const deviation = std::sqrt(2.0 / static_cast<double>(weight.size(0) * 9));
    CHECK(weight.std().item<double>() == doctest::Approx(deviation).epsilon(0.02));
    CHECK(std::abs(weight.mean().item<double>()) < 0.02 * deviation);
  }
  CHECK(tensors.at("layer1.0.bn1.weight").eq(1.0).all().item<bool>());
  CHECK(tensors.at("layer1.0.bn1.bias").eq(0.0).all().item<bool>());
  auto const again = images::make_classifier({.name = "resnet18"}, 5);
  CHECK(tensors.at("fc.weight").equal(tensors_of(*again).at("fc.weight")));
}

TEST_CASE("image models: weights come from a file, and a head of other classes is drawn") {
  File const file;
  auto const from = images::make_classifier(small(5), 1), same = images::make_classifier(small(5), 2),
             other = images::make_classifier(small(3), 3);
  {
    torch::NoGradGuard const guard;
    for (auto const& [name, tensor] : tensors_of(*from)) {
      if (name.ends_with("running_mean")) tensor.fill_(0.25);
    }
  }
  save(*from, file.path);
  auto const head = tensors_of(*other).at("fc.weight").clone();
  CHECK(images::load_weights(*same, file.path).empty());
  CHECK(images::load_weights(*other, file.path) == std::vector<std::string>{"fc.weight", "fc.bias"});
  for (auto const& item : tensors_of(*from)) {
    CAPTURE(item.first);
    CHECK(item.second.equal(tensors_of(*same).at(item.first)));
    if (!item.first.starts_with("fc.")) CHECK(item.second.equal(tensors_of(*other).at(item.first)));
  }
  CHECK(head.equal(tensors_of(*other).at("fc.weight")));
}

TEST_CASE("image models: weights of another model are refused in one line, and change nothing") {
  File const file;
  auto const from = images::make_classifier(small(5), 1), to = images::make_classifier(small(5), 2);
  auto const before = tensors_of(*to).at("conv1.weight").clone();
  save(*from, file.path, "layer3.0.bn1.running_var");
  CHECK(refusal(*to, file.path).find("lacks layer3.0.bn1.running_var") != std::string::npos);
  save(*from, file.path, "", "model.");
  CHECK(refusal(*to, file.path).find("lacks ") != std::string::npos);
  auto wide = small(5);
  wide.base_width = 8;
  save(*images::make_classifier(wide, 1), file.path);
  auto const message = refusal(*to, file.path);
  CHECK(message.find(" there, and ") != std::string::npos);
  CHECK(message.find('\n') == std::string::npos);
  auto deep = small(5);
  deep.name = "resnet34";
  save(*images::make_classifier(deep, 1), file.path);
  CHECK(refusal(*to, file.path).find("which the model has not") != std::string::npos);
  CHECK(before.equal(tensors_of(*to).at("conv1.weight")));
}

}  // namespace images_models_test
