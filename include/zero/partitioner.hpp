// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <concepts>
#include <cstdint>

namespace zero {

/// How much of the model states is sharded over the ranks.
/// Rajbhandari et al., "ZeRO: Memory Optimizations Toward Training Trillion Parameter Models", 2020, section 5.
enum class Stage : std::uint8_t {
  none,              ///< stage 0: all states on every rank
  optimizer_states,  ///< stage 1: optimizer states, master parameters and reduced gradients
  gradients,         ///< stage 2: and the gradients
  parameters,        ///< stage 3: and the parameters
};

/// The first policy of an engine: what is sharded.
template <Stage chosen_stage>
struct Partitioner {
  /// What is sharded.
  static constexpr Stage stage = chosen_stage;
};

/// The first policy of an engine whose stage is chosen when the program runs: its constructor takes it. See
/// any_engine.hpp.
struct AnyStage {};

/// A partitioner publishes its `stage`, or leaves it to the constructor.
template <class Partition>
concept partitioner_policy = std::same_as<Partition, AnyStage> || requires {
  { Partition::stage } -> std::convertible_to<Stage>;
};
static_assert(partitioner_policy<Partitioner<Stage::gradients>> && partitioner_policy<AnyStage>);

/// A base of an engine: its `stage`, where the partitioner \p Partition has one.
template <class Partition>
struct PublishedStage {
  /// What is sharded.
  static constexpr Stage stage = Partition::stage;
};
/// Of an engine whose stage is chosen at run time: nothing.
template <>
struct PublishedStage<AnyStage> {};

}  // namespace zero
