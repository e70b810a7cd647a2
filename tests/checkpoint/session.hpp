// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/communicators/thread.hpp>
#include <zero/engine_state.hpp>
#include <zero/gradients/reducer.hpp>
#include <zero/kernels/decide.hpp>
#include <zero/partitioner.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace checkpoint_test {

enum class Types : std::uint8_t { fp32, fp16, bf16 };  // fp16: with DynamicScale
#ifdef ZERO_TEST_ONE_TYPE
inline constexpr std::array all_types = {Types::fp16};
#else
inline constexpr std::array all_types = {Types::fp32, Types::fp16, Types::bf16};
#endif

inline constexpr std::array all_stages = {zero::Stage::none, zero::Stage::optimizer_states, zero::Stage::gradients,
                                          zero::Stage::parameters};

/// How a small model is trained.
struct Setup {
  Types types = Types::fp16;
  zero::Stage stage = zero::Stage::gradients;
  bool offload = false;
  bool delayed_update = false;
  int world = 1;
  int accumulation = 1;
  std::optional<int> micro_batches{};  ///< of a step of the whole world, in place of `accumulation`
  std::size_t bucket_elements = 1024;
  std::optional<zero::Reduce> reduce = zero::Reduce::each_micro_batch;
  std::size_t persistence_threshold = 0;
  int bad_step = -1;     ///< one gradient of this step is infinite: it is skipped
  std::string rename{};  ///< another name for the parameter "w1"
  bool taller = false;   ///< "w1" has a row more
  bool thaw = false;     ///< the frozen parameter is not
};

[[nodiscard]] inline std::string describe(Setup const& s) {
  return "types " + std::to_string(static_cast<int>(s.types)) + " stage " + std::to_string(static_cast<int>(s.stage)) +
         (s.offload ? " offload" : "") + (s.delayed_update ? " delayed" : "") + " world " + std::to_string(s.world) +
         " accumulation " + std::to_string(s.accumulation) + " micro-batches " +
         std::to_string(s.micro_batches.value_or(0)) + " bucket " + std::to_string(s.bucket_elements) +
         " whole below " + std::to_string(s.persistence_threshold);
}

/// Everything that training has made, as the engine's access by name gives and takes it.
struct FullState {
  std::vector<std::vector<float>> values;  ///< of each parameter, and of its states
  zero::StepProgress progress;
};

/// One rank of a training run on a model of a few parameters, large and small, one of them frozen and one tied. The
/// gradients depend on the step, the place in the global sequence of micro-batches and the parameters themselves, so
/// that whatever is not restored shows in all that follows.
class Session {
 public:
  virtual ~Session() = default;
  /// Trains \p steps steps; the first is number \p from.
  virtual void train(int from, int steps) = 0;
  /// One micro-batch, and no step.
  virtual void micro_batch(int step) = 0;
  /// What is left of that step.
  virtual void finish_step(int step) = 0;
  [[nodiscard]] virtual std::unique_ptr<zero::EngineState> state() = 0;
  /// Of all parameters as they are gathered and as they are read, all states, scale and step counts. Collective.
  [[nodiscard]] virtual std::uint64_t hash() = 0;
  /// Of the parameters' fp32 values alone. Collective.
  [[nodiscard]] virtual std::uint64_t hash_of_parameters() = 0;
  /// Without a checkpoint. Collective.
  [[nodiscard]] virtual FullState full_state() = 0;
  virtual void set_full_state(FullState const& full) = 0;
};

[[nodiscard]] std::unique_ptr<Session> make_session(zero::ThreadCommunicator& ranks, Setup const& setup);

// One translation unit per types, so that they compile side by side.
[[nodiscard]] std::unique_ptr<Session> make_session_fp32(zero::ThreadCommunicator& ranks, Setup const& setup);
[[nodiscard]] std::unique_ptr<Session> make_session_fp16(zero::ThreadCommunicator& ranks, Setup const& setup);
[[nodiscard]] std::unique_ptr<Session> make_session_bf16(zero::ThreadCommunicator& ranks, Setup const& setup);

/// Calls `f(session)` on every rank of a run of its own.
template <class F>
void with_session(Setup const& setup, F&& f) {
  zero::run_ranks(setup.world, [&](zero::ThreadCommunicator& ranks) { f(*make_session(ranks, setup)); });
}

}  // namespace checkpoint_test
