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

/// The engine of a trainer whose parameters have type T; stage and offload are chosen by options.
template <class Place, class T>
using TrainerEngine =
    zero::AnyEngine<zero::AdamW, PrecisionOf<T>, typename Place::Backend, typename Place::Communicator>;

}  // namespace gpt2

// Each stage is instantiated in a translation unit of its own (engine_stage_N.cpp), so that a build is parallel.
#define GPT2_ENGINE(stage, Place, T)                                                                         \
  template std::unique_ptr<gpt2::TrainerEngine<Place, T>>                                                    \
  zero::make_engine_of_stage<stage, zero::AdamW, gpt2::PrecisionOf<T>, Place::Backend, Place::Communicator>( \
      Place::Communicator&, zero::ParameterList const&, std::optional<zero::CpuOffload::Config> const&,      \
      typename gpt2::TrainerEngine<Place, T>::Config const&);
#define GPT2_ENGINES(prefix, stage, Place)                                                                     \
  prefix GPT2_ENGINE(stage, Place, float) prefix GPT2_ENGINE(stage, Place, zero::bfloat16) prefix GPT2_ENGINE( \
      stage, Place, zero::float16)
#define GPT2_EXTERN_ENGINES(Place)                           \
  GPT2_ENGINES(extern, zero::Stage::none, Place)             \
  GPT2_ENGINES(extern, zero::Stage::optimizer_states, Place) \
  GPT2_ENGINES(extern, zero::Stage::gradients, Place)        \
  GPT2_ENGINES(extern, zero::Stage::parameters, Place)
