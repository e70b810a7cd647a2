// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "flops.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace gpt2 {
namespace {

/// Peaks in 10^12 operations per second; 0: not known, or the GPU has no such products.
struct Gpu {
  std::array<std::string_view, 2> words;  ///< all of them are words of its name
  double bf16, fp16, fp32;
};

// NVIDIA's data sheets of these products, and for GeForce and RTX A6000 its papers on the architectures GA102 and
// AD102: tensor cores without sparsity and with sums in fp32; fp32 without tensor cores, since this program's products
// in fp32 use none. The first that fits counts.
constexpr std::array gpus{
    Gpu{{"B200", ""}, 2250, 2250, 0},       Gpu{{"GH200", ""}, 989, 989, 67},
    Gpu{{"H200", "NVL"}, 835, 835, 60},     Gpu{{"H200", ""}, 989, 989, 67},
    Gpu{{"H100", "NVL"}, 835, 835, 60},     Gpu{{"H100", "PCIe"}, 756, 756, 51},
    Gpu{{"H100", ""}, 989, 989, 67},        Gpu{{"A100", ""}, 312, 312, 19.5},
    Gpu{{"A40", ""}, 149.7, 149.7, 37.4},   Gpu{{"A30", ""}, 165, 165, 10.3},
    Gpu{{"A10", ""}, 125, 125, 31.2},       Gpu{{"L40S", ""}, 362, 362, 91.6},
    Gpu{{"L40", ""}, 181, 181, 90.5},       Gpu{{"L4", ""}, 121, 121, 30.3},
    Gpu{{"A6000", ""}, 154.8, 154.8, 38.7}, Gpu{{"RTX", "4090"}, 165.2, 165.2, 82.6},
    Gpu{{"RTX", "3090"}, 71, 71, 35.6},     Gpu{{"V100", "SXM2"}, 0, 125, 15.7},
    Gpu{{"V100", "PCIE"}, 0, 112, 14},      Gpu{{"T4", ""}, 0, 65, 8.1},
};

bool has_word(std::string_view name, std::string_view word) {
  constexpr std::string_view separators = " -";
  while (!name.empty()) {
    auto const end = std::min(name.find_first_of(separators), name.size());
    if (name.substr(0, end) == word) return true;
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  return word.empty();
}

}  // namespace

double flops_per_token(ModelShape const& shape) {
  auto const real = [](std::size_t n) { return static_cast<double>(n); };
  double const products = real(parameter_count(shape) - shape.context * shape.width);
  return 6.0 * products + 12.0 * real(shape.layers) * real(shape.width) * real(shape.context);
}

std::optional<double> known_peak_flops(std::string_view name, zero::ElementType type) {
  for (auto const& gpu : gpus) {
    if (!has_word(name, gpu.words[0]) || !has_word(name, gpu.words[1])) continue;
    double const peak = type == zero::ElementType::bf16   ? gpu.bf16
                        : type == zero::ElementType::fp16 ? gpu.fp16
                        : type == zero::ElementType::fp32 ? gpu.fp32
                                                          : 0.0;
    return peak > 0.0 ? std::optional(1e12 * peak) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace gpt2
