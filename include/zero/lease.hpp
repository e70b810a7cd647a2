// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/backend.hpp>
#include <zero/engine/lease_interfaces.hpp>
#include <zero/error.hpp>
#include <zero/parameter.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <utility>

namespace zero {

template <class Partition, class Opt, class Prec, class Backend, class Communicator>
class Engine;

/// Where one gradient goes.
template <class Element>
struct GradientTarget {
  std::span<Element> values;  ///< row-major; device memory
  bool adds = false;          ///< true: add to what is there; false: overwrite, the content is undefined
};

/// Parameters that are whole and may be read until the lease ends; see `Engine::gather`. Move-only. Ending it releases
/// the memory, in the order of the stream that it was gathered for; it may not outlive the engine (its addresses are
/// refused then). One that is assigned to ends first; the other one was gathered before that, so at stage 3 both count
/// in the live bound.
template <class Element, class Stream>
class [[nodiscard]] ParameterLease {
 public:
  /// Holds nothing.
  ParameterLease() = default;
  /// Leaves \p other empty.
  ParameterLease(ParameterLease&& other) noexcept
      : source_(std::exchange(other.source_, nullptr)),
        lifetime_(std::move(other.lifetime_)),
        record_(other.record_),
        stream_(other.stream_) {}
  /// Ends this lease and takes over that of \p other, which is empty then.
  ParameterLease& operator=(ParameterLease&& other) noexcept {
    if (this == &other) return *this;
    release();
    source_ = std::exchange(other.source_, nullptr);
    lifetime_ = std::move(other.lifetime_);
    record_ = other.record_;
    stream_ = other.stream_;
    return *this;
  }
  ~ParameterLease() { release(); }

  /// The values of \p id, row-major: device memory, valid on the stream of the gather.
  /// \throws LeaseError for a parameter that this lease does not hold, and once lease or engine has ended.
  [[nodiscard]] std::span<Element const> operator[](ParameterId id) const { return mutable_values(id); }

  /// The same for a model whose interface takes pointers that are not const, such as a C function's or a tensor's. They
  /// are for reading all the same: what is written there is in no master value, on no other rank, and lost with the
  /// next update or gather. \throws LeaseError as above.
  [[nodiscard]] std::span<Element> mutable_values(ParameterId id) const {
    if (source_ == nullptr || !lifetime_->alive) {
      throw LeaseError("zero::ParameterLease: used after its end or the engine's: gather the parameters again");
    }
    return {static_cast<Element*>(source_->parameter(record_, id)), source_->element_count(id)};
  }

  /// Whether it holds parameters.
  [[nodiscard]] explicit operator bool() const noexcept { return source_ != nullptr && lifetime_->alive; }

  /// Ends the lease early.
  void release() noexcept {
    if (source_ != nullptr && lifetime_->alive) source_->release(record_, stream_);
    source_ = nullptr;
  }

 private:
  template <class Partition, class Opt, class Prec, class Backend, class Communicator>
  friend class Engine;

  ParameterLease(detail::ParameterSource<Stream>& source, std::shared_ptr<detail::EngineLifetime const> lifetime,
                 std::uint32_t record, Stream stream)
      : source_(&source), lifetime_(std::move(lifetime)), record_(record), stream_(stream) {}

  detail::ParameterSource<Stream>* source_ = nullptr;
  std::shared_ptr<detail::EngineLifetime const> lifetime_{};
  std::uint32_t record_ = 0;
  Stream stream_{};
};

/// Places for the gradients of some parameters; see `Engine::gradients`. Move-only. `ready` hands over those that were
/// written: whose address was asked for, that are adopted, or that `written` names. The others are missing at the end
/// of the micro-batch, as are all of a lease that ends without `ready`, also because another one is assigned to it.
template <class Element, class Stream>
class [[nodiscard]] GradientLease {
 public:
  /// Holds nothing.
  GradientLease() = default;
  /// Leaves \p other empty.
  GradientLease(GradientLease&& other) noexcept
      : sink_(std::exchange(other.sink_, nullptr)),
        lifetime_(std::move(other.lifetime_)),
        record_(other.record_),
        stream_(other.stream_) {}
  /// Ends this lease, as without `ready`, and takes over that of \p other, which is empty then.
  GradientLease& operator=(GradientLease&& other) noexcept {
    if (this == &other) return *this;
    abandon();
    sink_ = std::exchange(other.sink_, nullptr);
    lifetime_ = std::move(other.lifetime_);
    record_ = other.record_;
    stream_ = other.stream_;
    return *this;
  }
  ~GradientLease() { abandon(); }

  /// A place to add the gradient of \p id to, zeroed on the lease's stream where nothing is there yet.
  /// \throws LeaseError for a parameter that this lease does not hold, and once lease or engine has ended.
  [[nodiscard]] std::span<Element> operator[](ParameterId id) const { return address(id, true).values; }

  /// A place for the gradient of \p id, without zeroing it: says whether to add or to overwrite.
  [[nodiscard]] GradientTarget<Element> write(ParameterId id) const { return address(id, false); }

  /// Says that the gradients of \p ids are written at addresses that the caller has kept from an earlier lease: at
  /// stages 0 and 1 they last as long as the engine. Say it before writing. \throws LeaseError for a parameter that
  /// this lease does not hold, at stages 2 and 3, and once lease or engine has ended.
  void written(std::span<ParameterId const> ids) const {
    check_open();
    for (auto id : ids) sink_->mark_written(record_, id);
  }
  /// The same for a list, as in `written({a, b})`.
  void written(std::initializer_list<ParameterId> ids) const { written(std::span(ids.begin(), ids.size())); }
  /// The same for one gradient.
  void written(ParameterId id) const { written({&id, 1}); }

  /// Hands the gradients of this lease over that were written, as far as they have been put on \p stream, and ends it.
  /// Does not synchronize \p stream. \throws GradientError, CommunicationError.
  void ready(Stream stream = default_stream<Stream>()) {
    check_open();
    std::exchange(sink_, nullptr)->ready(record_, stream);
  }

  /// Whether it holds gradients that are not ready.
  [[nodiscard]] explicit operator bool() const noexcept { return sink_ != nullptr && lifetime_->alive; }

 private:
  template <class Partition, class Opt, class Prec, class Backend, class Communicator>
  friend class Engine;

  void abandon() noexcept {
    if (sink_ != nullptr && lifetime_->alive) sink_->abandon(record_, stream_);
    sink_ = nullptr;
  }
  void check_open() const {
    if (sink_ == nullptr || !lifetime_->alive) {
      throw LeaseError("zero::GradientLease: used after ready() or the engine's end: ask for the gradients again");
    }
  }
  [[nodiscard]] GradientTarget<Element> address(ParameterId id, bool zeroed) const {
    check_open();
    auto const place = sink_->target(record_, id, stream_, zeroed);
    return {{static_cast<Element*>(place.data), place.count}, place.adds};
  }

  GradientLease(detail::GradientSink<Stream>& sink, std::shared_ptr<detail::EngineLifetime const> lifetime,
                std::uint32_t record, Stream stream)
      : sink_(&sink), lifetime_(std::move(lifetime)), record_(record), stream_(stream) {}

  detail::GradientSink<Stream>* sink_ = nullptr;
  std::shared_ptr<detail::EngineLifetime const> lifetime_{};
  std::uint32_t record_ = 0;
  Stream stream_{};
};

}  // namespace zero
