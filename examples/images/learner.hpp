// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "batch_score.hpp"
#include "confusion.hpp"
#include "models/model_shape.hpp"

#include <zero/checkpoint/load.hpp>
#include <zero/checkpoint/named_tensor.hpp>
#include <zero/communicators/thread.hpp>
#include <zero/config/settings.hpp>
#include <zero/engine_config.hpp>
#include <zero/engine_state.hpp>
#include <zero/flat_layout.hpp>
#include <zero/memory_report.hpp>
#include <zero/step_report.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// Training of image classifiers by zero's adapter for libtorch.
namespace images {

/// Pictures and their classes; borrowed.
struct LabelledPictures {
  std::span<float const> pictures;       ///< [N, channels, height, width], normalized
  std::span<std::int64_t const> labels;  ///< [N], from 0
};

/// What an evaluation has found on one rank.
struct EvaluationScores {
  std::vector<BatchScore> batches;  ///< each one that counts
  Confusion confusion;              ///< of all of them
};

/// What a learner is to be.
struct LearnerRequest {
  ModelShape shape;
  std::uint64_t seed = 0;                ///< of the values that are drawn
  std::optional<std::string> weights{};  ///< a file to start from, see load_weights
  zero::config::Settings settings;       ///< with a rule and a precision
  std::optional<zero::Reduce> reduce{};
  bool allow_idle_ranks = false;
  int threads = 1;  ///< of torch, for this rank
};

/// One rank of a training: the model, and the engine that has its parameters. Every rank makes the same calls.
class Learner {
 public:
  Learner() = default;
  Learner(Learner const&) = delete;
  Learner& operator=(Learner const&) = delete;
  virtual ~Learner() = default;

  /// The next pictures of this rank, valid until the next call. A learner on a device may ask for them ahead.
  using Feed = std::function<LabelledPictures()>;
  /// Forward and backward for the next micro-batch of this rank; nothing where it has none in this round. \throws what
  /// \p feed throws. Collective at stage 3.
  virtual void micro_batch(Feed const& feed) = 0;
  /// How well the model has done on the micro-batches that this rank has had since the last call, in their order. Waits
  /// for them.
  [[nodiscard]] virtual std::vector<BatchScore> take_scores() = 0;
  /// Takes the step and waits for it. Collective.
  virtual zero::StepReport step(zero::StepOptions const& options) = 0;

  /// Forward for \p rounds batches of this rank, as many as every other one has, with rank 0's statistics of BatchNorm.
  /// The first \p counted of them are scored. Collective.
  [[nodiscard]] virtual EvaluationScores evaluate(std::size_t rounds, std::size_t counted, Feed const& feed) = 0;

  /// \name The engine's, see AnyEngine.
  /// @{
  [[nodiscard]] virtual std::unique_ptr<zero::EngineState> state() = 0;
  virtual void finish_update() = 0;
  [[nodiscard]] virtual std::vector<float> read_parameter(std::string const& name) = 0;
  [[nodiscard]] virtual zero::MemoryReport const& memory() = 0;
  [[nodiscard]] virtual zero::FlatLayout const& layout() = 0;
  /// @}

  /// Bytes that torch's tensors have had on the device at once, beside the engine's; nothing on the host, where torch
  /// does not count.
  [[nodiscard]] virtual std::optional<std::size_t> peak_of_torch() const = 0;

  /// A parameter or a buffer by its name and shape.
  struct Tensor {
    std::string name;
    std::vector<std::uint64_t> shape;
  };
  [[nodiscard]] virtual std::vector<Tensor> parameters() const = 0;
  /// Copies of the buffers on the host, rank 0's, which are the learner's until the next call. Collective.
  [[nodiscard]] virtual std::vector<zero::NamedTensor> buffers() = 0;
  /// Takes parameters, states and buffers from a checkpoint below \p root. Collective. \throws zero::CheckpointError.
  virtual zero::LoadReport load(std::string const& root, zero::LoadOptions options) = 0;
  /// What `weights` of the request has not said: empty, or the head's parameters, which were drawn.
  [[nodiscard]] virtual std::vector<std::string> const& drawn() const = 0;
};

/// Makes it. Collective. \throws zero::config::ConfigError for a rule that this program has not, DataError for weights
/// of another model.
[[nodiscard]] std::unique_ptr<Learner> make_learner(LearnerRequest const& request,
                                                    zero::ThreadCommunicator& communicator);

}  // namespace images
