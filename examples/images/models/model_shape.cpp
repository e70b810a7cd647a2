// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "model_shape.hpp"

#include "support/data_error.hpp"

#include <algorithm>
#include <sstream>

namespace images {

std::vector<std::string_view> model_names() { return {"resnet18", "resnet34", "resnet50", "mlp"}; }

ResNetBlocks resnet_blocks(std::string_view name) {
  return name == "resnet18" ? ResNetBlocks{2, 2, 2, 2} : ResNetBlocks{3, 4, 6, 3};
}

std::string to_text(ModelShape const& shape) {
  std::ostringstream text;
  text << shape.name << ' ' << shape.classes << ' ' << shape.channels << ' ' << shape.height << ' ' << shape.width
       << ' ' << shape.small_stem << ' ' << shape.base_width << ' ' << shape.hidden;
  return text.str();
}

ModelShape parse_model_shape(std::string const& text) {
  std::istringstream words(text);
  ModelShape shape;
  words >> shape.name >> shape.classes >> shape.channels >> shape.height >> shape.width >> shape.small_stem >>
      shape.base_width >> shape.hidden;
  auto const names = model_names();
  bool const is_known = std::find(names.begin(), names.end(), shape.name) != names.end();
  if (words && is_known) return shape;
  throw command_line::DataError("the checkpoint's model is '" + text + "', which this program does not know");
}

namespace {

/// A convolution with the BatchNorm behind it.
std::uint64_t layer(std::uint64_t in, std::uint64_t out, std::uint64_t size) {
  return in * out * size * size + 2 * out;
}

std::uint64_t resnet_parameters(ModelShape const& shape) {
  bool const bottleneck = shape.name == "resnet50";
  auto const blocks = resnet_blocks(shape.name);
  std::uint64_t in = shape.base_width, count = layer(shape.channels, in, shape.small_stem ? 3 : 7);
  for (std::size_t s = 0; s < blocks.size(); ++s) {
    std::uint64_t const planes = std::uint64_t{shape.base_width} << s, out = bottleneck ? 4 * planes : planes;
    for (int b = 0; b < blocks[s]; ++b) {
      bool const projects = in != out || (s > 0 && b == 0);
      count += bottleneck ? layer(in, planes, 1) + layer(planes, planes, 3) + layer(planes, out, 1)
                          : layer(in, planes, 3) + layer(planes, planes, 3);
      if (projects) count += layer(in, out, 1);
      in = out;
    }
  }
  return count + (in + 1) * shape.classes;
}

}  // namespace

std::uint64_t parameter_count(ModelShape const& shape) {
  if (shape.name != "mlp") return resnet_parameters(shape);
  std::uint64_t const in = shape.channels * shape.height * shape.width;
  return (in + 1) * shape.hidden + (shape.hidden + 1) * shape.classes;
}

}  // namespace images
