// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "engines.hpp"

#include <zero/any_engine.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace gpt2 {

/// Types of elements by the type that the model computes in.
template <class T>
using TypesOf = zero::config::Types<
    std::conditional_t<std::is_same_v<T, zero::float16>, zero::FP16,
                       std::conditional_t<std::is_same_v<T, zero::bfloat16>, zero::BF16, zero::FP32>>>;

template <class Target, class T>
TrainerEngine<Target, T> make_engine(EngineRequest<typename Target::Backend> const& request,
                                     typename Target::Communicator& communicator,
                                     zero::ParameterList const& parameters) {
  auto const& settings = request.settings;
  return settings.template visit<Rules, TypesOf<T>>([&](auto rule, auto precision) -> TrainerEngine<Target, T> {
    using Engine = zero::AnyEngine<typename decltype(rule)::rule, typename decltype(precision)::precision,
                                   typename Target::Backend, typename Target::Communicator>;
    typename Engine::Config config;
    settings.apply_to(config);
    config.reduce = request.reduce;
    config.allow_idle_ranks = request.allow_idle_ranks;
    config.optimizer = rule.config;
    config.optimizer.weight_decay = 0.0;  // the group of the matrices has it
    config.scale = precision.scale;
    config.backend = request.backend;
    config.profiler = request.profiler;
    auto const& sharding = settings.sharding;
    if (sharding) config.offload = sharding->offload;
    auto const stage = sharding ? sharding->stage : zero::Stage::none;
    return std::make_unique<Engine>(stage, communicator, parameters, std::move(config));
  });
}

}  // namespace gpt2
