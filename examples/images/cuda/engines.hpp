// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/any_engine.hpp>
#include <zero/backends/cuda.hpp>
#include <zero/loss_scaler.hpp>
#include <zero/optimizer.hpp>
#include <zero/precision.hpp>

/// The engines of learners on GPUs whose ranks are connected by \p Communicator, behind \p prefix: `template` where
/// nvcc makes them, and `extern template` in other files. They are AnyEngine, whose name cannot stand here.
// NOLINTBEGIN(cppcoreguidelines-macro-usage): an explicit instantiation cannot be written by a template
#define IMAGES_CUDA_ENGINE(prefix, Rule, Prec, Communicator)                                                        \
  prefix class zero::Engine<zero::AnyStage, zero::Optimizer<zero::Rule, zero::AnyOffload>, Prec, zero::CudaBackend, \
                            Communicator>
#define IMAGES_CUDA_ENGINES_OF(prefix, Rule, Communicator)                     \
  IMAGES_CUDA_ENGINE(prefix, Rule, zero::Precision<zero::FP32>, Communicator); \
  IMAGES_CUDA_ENGINE(prefix, Rule, zero::Precision<zero::BF16>, Communicator); \
  IMAGES_CUDA_ENGINE(prefix, Rule, images::WithDynamicScale, Communicator);    \
  IMAGES_CUDA_ENGINE(prefix, Rule, images::WithStaticScale, Communicator)
#define IMAGES_CUDA_ENGINES(prefix, Communicator)      \
  IMAGES_CUDA_ENGINES_OF(prefix, AdamW, Communicator); \
  IMAGES_CUDA_ENGINES_OF(prefix, Sgd, Communicator)
// NOLINTEND(cppcoreguidelines-macro-usage)

namespace images {

using WithDynamicScale = zero::Precision<zero::FP16, zero::DynamicScale>;
using WithStaticScale = zero::Precision<zero::FP16, zero::StaticScale>;

}  // namespace images
