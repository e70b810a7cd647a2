// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/config/settings.hpp>
#include <zero/engine_config.hpp>
#include <zero/parameter.hpp>
#include <zero/runtime_engine.hpp>

#include <optional>

namespace gpt2 {

/// The engine of a trainer whose parameters have type T; rule, loss scale, stage and offload are chosen by options.
template <class Target, class T>
using TrainerEngine = zero::RuntimeEngine<T, typename Target::Backend>;

/// What the options can choose.
using Rules = zero::config::Rules<zero::AdamW, zero::Adam, zero::Sgd, zero::Lion, zero::Adagrad>;

/// What an engine is to be.
template <class Backend>
struct EngineRequest {
  zero::config::Settings settings;  ///< with a rule and a precision
  std::optional<zero::Reduce> reduce{};
  bool allow_idle_ranks = false;
  typename Backend::Config backend{};
  zero::profile::Observer<typename Backend::Stream>* profiler = nullptr;
};

/// Makes it. Collective. Compiled once for each target and type, beside the trainer: engine_maker.hpp.
template <class Target, class T>
[[nodiscard]] TrainerEngine<Target, T> make_engine(EngineRequest<typename Target::Backend> const& request,
                                                   typename Target::Communicator& communicator,
                                                   zero::ParameterList const& parameters);

}  // namespace gpt2
