// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <gpt2/flops.hpp>

#include <doctest/doctest.h>

namespace gpt2_flops_test {

using gpt2::known_peak_flops;
using zero::ElementType;

TEST_CASE("flops: of GPT-2 as counted by hand") {
  // 124,439,808 parameters, of which 1024 x 768 are those of positions.
  gpt2::ModelShape const small{.layers = 12, .heads = 12, .width = 768, .context = 1024, .vocabulary = 50257};
  CHECK(gpt2::flops_per_token(small) == 6.0 * 123'653'376 + 12.0 * 12 * 12 * 64 * 1024);
  // A block of width 2 has 4 + 6 (2 + 1) and 2 (2 + 1) of attention, 8 (2 + 1) and 2 (8 + 1) behind it.
  gpt2::ModelShape const tiny{.layers = 1, .heads = 1, .width = 2, .context = 3, .vocabulary = 5};
  double const block = (4 + 6 * 3 + 2 * 3) + (4 + 8 * 3 + 2 * 9);
  CHECK(gpt2::flops_per_token(tiny) == 6.0 * (5 * 2 + block + 4) + 12.0 * 1 * 1 * 2 * 3);
}

TEST_CASE("flops: a GPU's peak is known by whole words of its name, for each type") {
  CHECK(known_peak_flops("NVIDIA H100 80GB HBM3", ElementType::bf16) == 989e12);
  CHECK(known_peak_flops("NVIDIA H100 80GB HBM3", ElementType::fp32) == 67e12);
  CHECK(known_peak_flops("NVIDIA H100 PCIe", ElementType::fp16) == 756e12);
  CHECK(known_peak_flops("NVIDIA H100 NVL", ElementType::fp16) == 835e12);
  CHECK(known_peak_flops("NVIDIA GH200 480GB", ElementType::bf16) == 989e12);
  CHECK(known_peak_flops("NVIDIA A100-SXM4-80GB", ElementType::bf16) == 312e12);
  CHECK(known_peak_flops("NVIDIA A100-SXM4-80GB", ElementType::fp32) == 19.5e12);
  CHECK(known_peak_flops("Tesla V100-SXM2-16GB", ElementType::fp16) == 125e12);
  CHECK(known_peak_flops("Tesla V100-PCIE-32GB", ElementType::fp16) == 112e12);
  CHECK(known_peak_flops("NVIDIA L40S", ElementType::bf16) == 362e12);
  CHECK(known_peak_flops("NVIDIA L4", ElementType::bf16) == 121e12);
  CHECK(known_peak_flops("NVIDIA GeForce RTX 4090", ElementType::fp32) == 82.6e12);
  for (auto const* const unknown :
       {"", "NVIDIA H20", "NVIDIA H1000", "NVIDIA A100X", "NVIDIA GeForce RTX 4090D", "CPU"}) {
    CAPTURE(unknown);
    CHECK_FALSE(known_peak_flops(unknown, ElementType::fp16));
  }
  CHECK_FALSE(known_peak_flops("Tesla T4", ElementType::bf16));  // has no such products
}

}  // namespace gpt2_flops_test
