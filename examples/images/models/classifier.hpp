// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "model_shape.hpp"

#include <torch/torch.h>

#include <cstdint>
#include <memory>

namespace images {

/// A model that says how likely each class is.
class Classifier : public torch::nn::Module {
 public:
  /// Logits, [N, classes], of pictures, [N, channels, height, width], both in the type of the parameters.
  virtual torch::Tensor forward(torch::Tensor pictures) = 0;
  /// What the last layer is called, which belongs to the classes.
  [[nodiscard]] virtual char const* head() const = 0;
};

/// A new model, whose values depend on \p shape and \p seed alone; in fp32, on the CPU. Any thread may call: torch's
/// default generator is used by one at a time. \throws UsageError where the shape is none that the model can have.
[[nodiscard]] std::shared_ptr<Classifier> make_classifier(ModelShape const& shape, std::uint64_t seed);

}  // namespace images
