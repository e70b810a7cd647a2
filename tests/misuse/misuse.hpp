// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/any_engine.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

namespace misuse {

// ------------------------------------------------------------------------------------------------- the table

/// One row of the table in README.md.
struct Row {
  std::string number;
  std::string misuse;
  std::string error;     ///< the type of the error; "allowed" where there is none
  std::string sentence;  ///< what the error says, with "..." for what differs from run to run; else what happens
};

/// All rows of README.md, in its order.
std::vector<Row> const& rows();
/// Whether \p text is \p sentence, in which "..." stands for any text.
[[nodiscard]] bool fits(std::string const& sentence, std::string const& text);

/// Checks that \p f throws what README.md says in the row of the test case that is running: this type, this sentence.
void expect(std::function<void()> const& f);
/// Checks that README.md calls the misuse of the test case that is running allowed; the test checks what happens.
void allowed();

// ------------------------------------------------------------------------------------------------- engines

using Ranks = zero::ThreadCommunicator;
using Engine = zero::AnyEngine<zero::AdamW, zero::Precision<zero::FP32>>;
using HalfEngine = zero::AnyEngine<zero::AdamW, zero::Precision<zero::FP16, zero::DynamicScale>>;

// Compiled once: each file that called a constructor itself would compile an engine of its own.
std::unique_ptr<Engine> make_engine(zero::Stage stage, Ranks& ranks, zero::ParameterList const& parameters,
                                    Engine::Config const& config = {});
std::unique_ptr<HalfEngine> make_half_engine(zero::Stage stage, Ranks& ranks, zero::ParameterList const& parameters);

/// Parameters "p0", "p1", ... of the given sizes, a unit each.
zero::ParameterList parameters(std::initializer_list<std::size_t> sizes);

[[nodiscard]] constexpr zero::ParameterId id(std::uint32_t p) noexcept { return {p}; }

/// Hands over a gradient of which every element is \p value.
template <class E>
void contribute(E& engine, zero::ParameterId parameter, float value = 1) {
  auto gradients = engine.gradients(parameter, {});
  for (auto& element : gradients[parameter]) {
    element = zero::narrow<typename E::Compute>(zero::widen(element) + value);
  }
  gradients.ready({});
}

/// A whole micro-batch, in backward order.
template <class E>
void micro_batch(E& engine, float value = 1) {
  auto pass = engine.begin_micro_batch({});
  for (auto p = engine.layout().extents().size(); p-- > 0;)
    contribute(engine, id(static_cast<std::uint32_t>(p)), value);
  pass.finish({});
}

/// An engine of one rank, and that rank.
class Alone {
 public:
  explicit Alone(zero::ParameterList const& list, zero::Stage stage = zero::Stage::none,
                 Engine::Config const& config = {})
      : rank_(zero::ThreadCommunicator::Group::of_all(1, std::chrono::minutes(10)), 0),
        engine(make_engine(stage, rank_, list, config)) {}
  /// Out of sight of a static analyzer, which does not know that leases ask whether the engine is alive.
  void end_engine();

 private:
  Ranks rank_;

 public:
  std::unique_ptr<Engine> engine;
};

}  // namespace misuse
