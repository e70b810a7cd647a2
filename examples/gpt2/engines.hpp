// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/any_engine.hpp>

#include <type_traits>

namespace gpt2 {

/// The precision policy of each compute type: FP16 needs a loss scale.
template <class T>
using PrecisionOf = std::conditional_t<
    std::is_same_v<T, zero::float16>, zero::Precision<zero::FP16, zero::DynamicScale>,
    std::conditional_t<std::is_same_v<T, zero::bfloat16>, zero::Precision<zero::BF16>, zero::Precision<zero::FP32>>>;

using Optimizer = zero::Optimizer<zero::AdamW, zero::AnyOffload>;

/// The engine of a trainer whose parameters have type T; stage and offload are chosen by options.
template <class Target, class T>
using TrainerEngine =
    zero::Engine<zero::AnyStage, Optimizer, PrecisionOf<T>, typename Target::Backend, typename Target::Communicator>;

}  // namespace gpt2
