// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "settings.hpp"

#include <zero/any_engine.hpp>
#include <zero/communicators/thread.hpp>
#include <zero/config/choices.hpp>
#include <zero/runtime_engine.hpp>

#include <memory>
#include <utility>
#include <variant>

namespace zero::c {

/// An engine of any rule and type. Its calls are one `std::visit` and one virtual call.
using AnyTypeEngine = std::variant<RuntimeEngine<float>, RuntimeEngine<float16>, RuntimeEngine<bfloat16>>;

/// Makes the engine that \p request asks for. Collective. \throws as the constructor of Engine.
[[nodiscard]] inline AnyTypeEngine make_engine(EngineRequest const& request, ThreadCommunicator& ranks,
                                               ParameterList const& parameters) {
  using Rules = config::Rules<AdamW, Adam, Sgd, Lion, Adagrad>;
  using Types = config::Types<FP32, FP16, BF16>;
  return request.chosen.visit<Rules, Types>([&](auto rule, auto precision) -> AnyTypeEngine {
    using Precision = typename decltype(precision)::precision;
    using Engine = AnyEngine<typename decltype(rule)::rule, Precision>;
    typename Engine::Config config;
    auto const copy = [](std::string_view, auto& to, auto const& from) { to = from; };
    for_each_setting(copy, config, request.engine);
    config.offload = request.engine.offload;
    config.optimizer = rule.config;
    config.scale = precision.scale;
    config.backend.threads = request.threads;
    return RuntimeEngine<typename Engine::Compute>(
        std::make_unique<Engine>(request.engine.stage, ranks, parameters, std::move(config)));
  });
}

}  // namespace zero::c
