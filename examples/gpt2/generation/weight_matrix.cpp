// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "weight_matrix.hpp"

#include <zero/kernels/cast.hpp>

#include <cmath>
#include <limits>
#include <stdexcept>

namespace gpt2 {

WeightMatrix::WeightMatrix(WeightType type, std::size_t outputs, std::size_t inputs, std::span<float const> values,
                           Order order, zero::ThreadPool& pool)
    : type_(type), outputs_(outputs), inputs_(inputs), memory_(padded_outputs() * row_bytes()) {
  if (values.size() != outputs * inputs) {
    throw std::invalid_argument("gpt2::WeightMatrix: there must be as many values as outputs times inputs");
  }
  if (type == WeightType::int8) scales_.resize(padded_outputs());
  // Some outputs at a time, so that a cache line of values that lie inputs first is read whole.
  constexpr std::size_t some = 16;
  pool.parallel_for((outputs + some - 1) / some, [&](std::size_t task) {
    std::size_t const first = task * some, count = std::min(some, outputs - first);
    std::vector<float> rows(count * inputs);
    if (order == Order::outputs_first) {
      std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(first * inputs), rows.size(), rows.begin());
    } else {
      for (std::size_t k = 0; k < inputs; ++k) {
        for (std::size_t o = 0; o < count; ++o) rows[o * inputs + k] = values[k * outputs + first + o];
      }
    }
    for (std::size_t o = 0; o < count; ++o) store(first + o, rows.data() + o * inputs);
  });
}

void WeightMatrix::store(std::size_t output, float const* values) {
  auto const set = zero::best_instruction_set();
  switch (type_) {
    case WeightType::fp32:
      return zero::cast(set, row<float>(output), values, inputs_);
    case WeightType::bf16:
      return zero::cast(set, row<zero::bfloat16>(output), values, inputs_);
    case WeightType::fp16:
      return zero::cast(set, row<zero::float16>(output), values, inputs_);
    case WeightType::int8:
      break;
  }
  float most = 0.0F;
  for (std::size_t i = 0; i < inputs_; ++i) most = std::max(most, std::abs(values[i]));
  bool const are_numbers = are_finite(inputs_, values);
  float const scale = scales_[output] = are_numbers ? most / 127.0F : std::numeric_limits<float>::quiet_NaN();
  auto* const to = row<std::int8_t>(output);
  for (std::size_t i = 0; i < inputs_ && scale > 0.0F; ++i) {
    float const whole = std::nearbyint(values[i] / scale);
    to[i] = static_cast<std::int8_t>(std::clamp(whole, -127.0F, 127.0F));
  }
}

void WeightMatrix::read(std::size_t output, float* to) const {
  auto const set = zero::best_instruction_set();
  switch (type_) {
    case WeightType::fp32:
      return zero::cast(set, to, row<float const>(output), inputs_);
    case WeightType::bf16:
      return zero::cast(set, to, row<zero::bfloat16 const>(output), inputs_);
    case WeightType::fp16:
      return zero::cast(set, to, row<zero::float16 const>(output), inputs_);
    case WeightType::int8:
      break;
  }
  auto const* const from = row<std::int8_t const>(output);
  for (std::size_t i = 0; i < inputs_; ++i) to[i] = static_cast<float>(from[i]) * scales_[output];
}

void WeightMatrix::multiply_part(std::size_t first, std::size_t count, std::size_t rows, float const* x, float* out,
                                 QuantizedRows const& quantized) const {
  auto const& kernels = decoding_kernels();
  std::size_t const inputs = padded_inputs(), outputs = padded_outputs();
  if (type_ == WeightType::int8) {
    return kernels.int8({rows, count, inputs, quantized.values(), inputs, out + first, outputs},
                        row<std::int8_t const>(first), {quantized.scales(), scales_.data() + first});
  }
  RowProduct<float> const product{rows, count, inputs, x, inputs, out + first, outputs};
  switch (type_) {
    case WeightType::fp32:
      return kernels.fp32(product, row<float const>(first));
    case WeightType::bf16:
      return kernels.bf16(product, row<std::uint16_t const>(first));
    case WeightType::fp16:
    case WeightType::int8:
      break;
  }
  kernels.fp16(product, row<std::uint16_t const>(first));
}

}  // namespace gpt2
