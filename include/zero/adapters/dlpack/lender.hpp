// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/adapters/detail/dlpack_loans.hpp>
#include <zero/adapters/dlpack/device.hpp>
#include <zero/adapters/dlpack/exported_tensor.hpp>
#include <zero/backend.hpp>
#include <zero/error.hpp>
#include <zero/parameter.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

namespace zero::dlpack {

namespace detail {

ZERO_OUT_OF_LINE inline void require_open(bool open, char const* otherwise) {
  if (!open) fail<LeaseError>({otherwise});
}
ZERO_OUT_OF_LINE inline void require_ended(std::size_t tensors, char const* call) {
  if (tensors == 0) return;
  fail<LeaseError>({call, " with ", tensors,
                    " of the tensors alive: end them first, as their consumers do with the last reference"});
}

/// The elements \p values of parameter \p id as a tensor, which holds its share of \p lent.
template <class Lent, class Element>
[[nodiscard]] ExportedTensor tensor_of(Lent& lent, ParameterId id, std::span<Element> values, bool read_only) {
  auto& engine = lent.engine();
  using Backend = std::remove_reference_t<decltype(engine.backend())>;
  return zero::dlpack::share(values, {.shape = engine.parameters()[id.index].shape,
                                      .device = BackendDevice<Backend>::of(engine.backend()),
                                      .read_only = read_only,
                                      .owner = lent.share()});
}

}  // namespace detail

/// What a consumer may do with a parameter.
enum class Access : std::uint8_t {
  read_only,       ///< the tensor is marked so, and cannot be one of DLPack 0.x
  mutable_values,  ///< reading all the same, for consumers that refuse a mark: see ParameterLease::mutable_values
};

template <class Engine>
class Lender;

/// Parameters as tensors, which `Lender::parameters` gives. Move-only. Used on the engine's thread; the tensors end on
/// any. The lease ends by `end`. A lease that has given tensors and goes without `end` is left to them, and ends by
/// `Lender::collect`.
template <class Engine>
class [[nodiscard]] LentParameters {
 public:
  /// \p id with its registered shape, readable on the gather's stream. \throws LeaseError as ParameterLease.
  [[nodiscard]] ExportedTensor tensor(ParameterId id, Access access = Access::read_only) {
    detail::require_open(lent_.open(), "zero::dlpack::LentParameters: used after end(): gather the parameters again");
    return detail::tensor_of(lent_, id, lent_.lease().mutable_values(id), access == Access::read_only);
  }
  /// Ends the lease. \throws LeaseError while one of its tensors is alive, where nothing has changed.
  void end() {
    detail::require_open(lent_.open(), "zero::dlpack::LentParameters: used after end(): gather the parameters again");
    detail::require_ended(lent_.tensors(), "zero::dlpack::LentParameters: end()");
    (void)lent_.take();
  }
  /// Whether it holds parameters.
  [[nodiscard]] explicit operator bool() const noexcept { return lent_.open(); }

 private:
  friend class Lender<Engine>;

  LentParameters(std::shared_ptr<detail::LentEngine<Engine>> lent, typename Engine::Lease lease)
      : lent_(std::move(lent), std::move(lease)) {}

  detail::LentLease<Engine, typename Engine::Lease> lent_;
};

/// Gradients as tensors, which `Lender::gradients` gives. Move-only. The trainer keeps it, hands its tensors out, and
/// calls `ready` when they have been written and have ended. Used on the engine's thread; the tensors end on any.
/// Without `ready` the gradients are missing, and the lease is left as that of LentParameters is.
template <class Engine>
class [[nodiscard]] LentGradients {
 public:
  /// What the gradients are written on.
  using Stream = typename Engine::Stream;

  /// A place to add the gradient of \p id to, of the registered shape, zeroed on the lease's stream where nothing is
  /// there yet. A gradient whose tensor was asked for counts as written. \throws LeaseError as GradientLease.
  [[nodiscard]] ExportedTensor tensor(ParameterId id) {
    detail::require_open(lent_.open(), "zero::dlpack::LentGradients: used after ready(): ask for the gradients again");
    return detail::tensor_of(lent_, id, lent_.lease()[id], false);
  }
  /// Hands the gradients over whose tensors were asked for, as far as they have been put on \p stream, and ends the
  /// lease. \throws LeaseError while one of the tensors is alive: its consumer could write to memory that has another
  /// use by then; nothing has changed, and `ready` may be called again. Otherwise as `GradientLease::ready`.
  void ready(Stream stream = default_stream<Stream>()) {
    detail::require_open(lent_.open(), "zero::dlpack::LentGradients: used after ready(): ask for the gradients again");
    detail::require_ended(lent_.tensors(), "zero::dlpack::LentGradients: ready()");
    auto gradients = lent_.take();
    gradients.ready(stream);
  }
  /// Whether it holds gradients that are not ready.
  [[nodiscard]] explicit operator bool() const noexcept { return lent_.open(); }

 private:
  friend class Lender<Engine>;

  LentGradients(std::shared_ptr<detail::LentEngine<Engine>> lent, typename Engine::Gradients gradients)
      : lent_(std::move(lent), std::move(gradients)) {}

  detail::LentLease<Engine, typename Engine::Gradients> lent_;
};

/// An engine whose leases go out as tensors. It owns the engine: calls to that go through the lender, as in
/// `lender->step()`. Move-only, used by one thread at a time as the engine is, while tensors may end on any thread.
///
/// A tensor that ends changes nothing in the engine. Its lease ends where the trainer says so, on the engine's thread
/// and in the order of the stream that it was taken for: at stage 3 what is gathered next depends on it, which must be
/// the same on every rank. The consumer's work is on that stream, or has run before the tensor ends.
///
/// Tensors share the engine's memory with the lender, and keep it: where the lender ends before them, the engine ends
/// with the last tensor, on its thread. Micro-batches, and leases that are no tensors, end before the lender.
template <class Engine>
class Lender {
 public:
  /// What the engine's operations are put on.
  using Stream = typename Engine::Stream;

  /// Takes \p engine over. \p keeps is what must outlive it, such as its communicator, where tensors may outlive the
  /// lender: they hold it, too. \throws ConfigurationError without an engine.
  explicit Lender(std::unique_ptr<Engine> engine, std::shared_ptr<void> const& keeps = nullptr) {
    zero::detail::enforce(engine != nullptr, "zero::dlpack::Lender: there is no engine: make one first");
    lent_ = std::make_shared<detail::LentEngine<Engine>>();
    lent_->keeps = keeps;
    lent_->engine = std::move(engine);
  }

  /// The engine.
  [[nodiscard]] Engine* operator->() const noexcept { return lent_->engine.get(); }
  /// The same as a reference.
  [[nodiscard]] Engine& operator*() const noexcept { return *lent_->engine; }

  /// Gathers \p ids, to be given out as tensors. \throws as `Engine::gather`.
  LentParameters<Engine> parameters(std::span<ParameterId const> ids, Stream stream = default_stream<Stream>()) const {
    return {lent_, lent_->engine->gather(ids, stream)};
  }
  /// The same for a list, as in `parameters({a, b}, stream)`.
  LentParameters<Engine> parameters(std::initializer_list<ParameterId> ids,
                                    Stream stream = default_stream<Stream>()) const {
    return parameters(std::span(ids.begin(), ids.size()), stream);
  }
  /// The same for one parameter.
  LentParameters<Engine> parameters(ParameterId id, Stream stream = default_stream<Stream>()) const {
    return parameters({&id, 1}, stream);
  }
  /// Places for the gradients of \p ids, within a micro-batch. \throws as `Engine::gradients`.
  LentGradients<Engine> gradients(std::span<ParameterId const> ids, Stream stream = default_stream<Stream>()) const {
    return {lent_, lent_->engine->gradients(ids, stream)};
  }
  /// The same for a list, as in `gradients({a, b}, stream)`.
  LentGradients<Engine> gradients(std::initializer_list<ParameterId> ids,
                                  Stream stream = default_stream<Stream>()) const {
    return gradients(std::span(ids.begin(), ids.size()), stream);
  }
  /// The same for one parameter.
  LentGradients<Engine> gradients(ParameterId id, Stream stream = default_stream<Stream>()) const {
    return gradients({&id, 1}, stream);
  }
  /// Ends the leases that were left to their tensors. \throws LeaseError while one of these is alive, where nothing has
  /// changed.
  void collect() const {
    auto const back = lent_->returned.count();
    if (back != lent_->left) {
      detail::fail<LeaseError>({"zero::dlpack::Lender: collect() with ", lent_->left - back,
                                " of the leases left to tensors that are alive: end them first, as their consumers do "
                                "with the last reference"});
    }
    lent_->left = 0;
    lent_->returned.end_all();
  }

 private:
  std::shared_ptr<detail::LentEngine<Engine>> lent_;
};

}  // namespace zero::dlpack
