// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace engine_test {

template <zero::Stage S, class Prec = zero::Precision<zero::FP32>, class Offload = zero::NoOffload,
          class Communicator = zero::ThreadCommunicator>
using EngineOf =
    zero::Engine<zero::Partitioner<S>, zero::Optimizer<zero::AdamW, Offload>, Prec, zero::HostBackend, Communicator>;

/// What `f` throws, as the error type that is expected of it; a failed check if it throws nothing or something else.
template <class Error, class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (Error const& error) {
    return error.what();
  } catch (std::exception const& error) {
    FAIL_CHECK("another error: " << error.what());
    return {};
  }
  FAIL_CHECK("nothing was thrown");
  return {};
}

inline bool contains(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

/// Parameters "p0", "p1", ... of the given sizes, one unit each.
inline zero::ParameterList parameters(std::vector<std::size_t> const& sizes) {
  zero::ParameterList list;
  for (std::size_t p = 0; p < sizes.size(); ++p) {
    (void)list.add({.name = "p" + std::to_string(p), .shape = {sizes[p]}, .unit = static_cast<int>(p)});
  }
  return list;
}

inline zero::ParameterId id(std::size_t p) { return {static_cast<std::uint32_t>(p)}; }

/// Hands over a gradient of which every element is \p value.
template <class Engine>
void contribute(Engine& engine, zero::ParameterId parameter, float value) {
  auto gradients = engine.gradients(parameter, {});
  auto const target = gradients.write(parameter);
  for (auto& element : target.values) element = zero::narrow<typename Engine::Compute>(value);
  gradients.ready({});
}

/// A micro-batch in which every parameter's gradient is \p value, in backward order.
template <class Engine>
void micro_batch(Engine& engine, std::size_t parameters, float value = 1.0F) {
  auto pass = engine.begin_micro_batch({});
  for (std::size_t p = parameters; p-- > 0;) contribute(engine, id(p), value);
  pass.finish({});
}

}  // namespace engine_test
