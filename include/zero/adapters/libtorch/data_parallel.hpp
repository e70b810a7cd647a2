// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/adapters/detail/session.hpp>
#include <zero/adapters/libtorch/options.hpp>
#include <zero/any_engine.hpp>
#include <zero/backends/host.hpp>
#include <zero/checkpoint/load.hpp>
#include <zero/checkpoint/save.hpp>
#include <zero/communicators/thread.hpp>
#include <zero/engine_config.hpp>
#include <zero/error.hpp>
#include <zero/optimizer.hpp>
#include <zero/partitioner.hpp>
#include <zero/precision.hpp>

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace zero::libtorch {

/// One module on one rank, trained by an engine: PyTorch's DDP at stage 0, with sharded optimizer states at stage 1,
/// sharded gradients at stage 2 and sharded parameters, as FSDP has them, at stage 3. The module keeps its tensors;
/// their memory is the engine's. Gradients are handed over while backward runs. Every rank makes the same calls in the
/// same order. May be moved; used by one thread at a time. The module may end before it or after it.
///
/// At stages 0 to 2 the destructor gives the module memory of its own with the values. At stage 3 that would be
/// collective: `close` does it, and without it the parameters are gone with their engine, and say so.
///
/// \tparam Rule optimizer, e.g. AdamW
/// \tparam Prec types, e.g. Precision<BF16>: a module in fp32 is cast to the compute type, and its values stay master
///         values
/// \tparam Communicator ranks, e.g. ThreadCommunicator, MpiCommunicator; on CUDA not ThreadCommunicator
/// \tparam Backend where the module is: HostBackend, or CudaBackend with <zero/adapters/libtorch_cuda.hpp>
template <class Rule = AdamW, class Prec = Precision<FP32>, class Communicator = ThreadCommunicator,
          class Backend = HostBackend>
class DataParallel {
  using Session = detail::Session<Rule, Prec, Communicator, Backend>;

 public:
  /// The engine.
  using Engine = typename Session::Engine;
  /// Its settings; see EngineConfig.
  using Config = typename Engine::Config;
  /// What a step returns.
  using Ticket = typename Engine::Ticket;

  /// What `whole` returns: keeps all parameters whole while it lives. Move-only.
  class [[nodiscard]] Whole {
   public:
    /// Leaves \p other empty.
    Whole(Whole&& other) noexcept : session_(std::exchange(other.session_, {})) {}
    Whole& operator=(Whole&&) = delete;
    ~Whole() {
      if (auto const session = session_.lock()) session->end_whole();
    }

   private:
    friend class DataParallel;

    explicit Whole(std::weak_ptr<Session> session) : session_(std::move(session)) {}

    std::weak_ptr<Session> session_;
  };

  /// Takes \p module over, in \p stage, with rank 0's values and buffers on all ranks. \p communicator must outlive
  /// this. Collective, blocks. \throws ConfigurationError, which names the parameter, for a module that cannot be
  /// trained so: without parameters, in another engine, of other types or on another device; MismatchError where ranks
  /// differ. The module is unchanged then.
  DataParallel(::torch::nn::Module& module, Communicator& communicator, Stage stage, Config config = {},
               Options const& options = {})
      : session_(std::make_shared<Session>(module, communicator, stage, std::move(config), options)) {
    session_->attach();
    session_->sync_buffers();
  }
  /// Leaves \p other empty.
  DataParallel(DataParallel&& other) noexcept = default;
  /// Ends what this had, and leaves \p other empty.
  DataParallel& operator=(DataParallel&& other) noexcept = default;
  ~DataParallel() = default;

  /// One micro-batch: calls \p loss_of, which runs forward and returns the loss, and runs backward from it, multiplied
  /// with the loss scale. \p loss_of may take the micro-batch's number in the step's global sequence, see
  /// MicroBatch::index. Returns the loss without its graph; a rank without a micro-batch in this round does not call
  /// \p loss_of, and returns an undefined tensor. Does not synchronize a stream. \throws what \p loss_of throws;
  /// GradientError for a parameter without a gradient; ConfigurationError for what was done to the module since,
  /// before anything else happens. After an exception from within, `discard` on every rank goes on.
  template <class LossOf>
  ::torch::Tensor micro_batch(LossOf&& loss_of) {
    return session().micro_batch([&](std::int64_t index) -> ::torch::Tensor {
      if constexpr (std::is_invocable_v<LossOf&, std::int64_t>) {
        return loss_of(index);
      } else {
        return loss_of();
      }
    });
  }
  /// Updates the parameters, after the step's last micro-batch. Version counters of the parameters advance, so that a
  /// graph that was kept is an error. \throws as Engine::step.
  Ticket step(StepOptions const& options = {}) { return session().step(options); }
  /// Gives up this step's micro-batches, after an error in one of them. Every rank must do so.
  void discard() { session().discard(); }

  /// Makes every parameter whole until what is returned ends: to save with torch::save, to read, to edit. Buffers
  /// are rank 0's from here on. At stage 3 it takes memory for all of the module. Collective, blocks. \throws
  /// SequenceError inside of a micro-batch or of another one.
  Whole whole() {
    session().begin_whole();
    return Whole(session_);
  }
  /// Calls \p f, which runs forward to evaluate, without gradients, and returns what it returns. Buffers are rank 0's
  /// from here on. At stage 3 units are gathered one after the other, so that it takes no memory for all of the module,
  /// and every rank makes the same calls. Collective, blocks. \throws what \p f throws; SequenceError inside of a
  /// micro-batch, and between those of a step.
  template <class Function>
  decltype(auto) evaluate(Function&& f) {
    return session().evaluate(std::forward<Function>(f));
  }
  /// Sets buffers, such as the statistics of BatchNorm, to rank 0's; `whole` and `save` do it, too. Collective, blocks.
  void sync_buffers() { session().sync_buffers(); }
  /// Takes the values that the module has now, of rank 0, for those of the parameters, after they were written in place
  /// or got other memory; optimizer states stay. At stage 3 within `whole`. Collective, blocks.
  void take_values() { session().take_values(); }

  /// Saves a checkpoint into \p folder: parameters, optimizer states, and the buffers, rank 0's, by their names in a
  /// state_dict, which `load` reads at any number of ranks, stage and offload. Between two steps. Collective, blocks.
  /// \throws as save_checkpoint.
  SaveReport save(std::string const& folder, SaveOptions options) { return session().save(folder, std::move(options)); }
  /// Sets the module and the optimizer to what a checkpoint holds, buffers included. Collective, blocks. \throws as
  /// load_checkpoint: the module is unchanged then, unless the engine says that it is poisoned.
  LoadReport load(std::string const& folder, LoadOptions options = {}) {
    return session().load(folder, std::move(options));
  }

  /// Ends the engine and gives the module memory of its own with the values, whole on every rank; the hooks are gone.
  /// Collective at stage 3.
  void close() { session().close(); }

  /// The engine, for what this class has no call for. Its micro-batches and steps are this class's business.
  [[nodiscard]] Engine& engine() { return session().engine(); }

 private:
  [[nodiscard]] Session& session() const {
    if (session_) return *session_;
    throw SequenceError("zero::libtorch::DataParallel: used after it was moved from: use what it was moved to");
  }

  std::shared_ptr<Session> session_;
};

/// \p module at stage 3, whose layers are units: parameters, gradients and optimizer states sharded, as FSDP does. The
/// same as DataParallel with Stage::parameters. \throws as its constructor, and for a module without units.
template <class Rule = AdamW, class Prec = Precision<FP32>, class Backend = HostBackend, class Communicator>
[[nodiscard]] DataParallel<Rule, Prec, Communicator, Backend> fully_shard(
    ::torch::nn::Module& module, Communicator& communicator,
    typename DataParallel<Rule, Prec, Communicator, Backend>::Config config = {}, Options const& options = {}) {
  return {module, communicator, Stage::parameters, std::move(config), options};
}

}  // namespace zero::libtorch
