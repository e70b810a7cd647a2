// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/communicator.hpp>
#include <zero/engine/collectives.hpp>
#include <zero/engine/kernels.hpp>
#include <zero/engine/lease_interfaces.hpp>
#include <zero/engine/observation.hpp>
#include <zero/engine/operations.hpp>
#include <zero/engine/policies.hpp>
#include <zero/flat_layout.hpp>
#include <zero/profile/observer.hpp>
#include <zero/profile/phase.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

namespace zero::detail {

/// The collectives of an engine, each of which an observer is told of.
template <class Backend>
class ObservedCollectives final : public Collectives<Backend> {
 public:
  using Stream = typename Backend::Stream;

  /// All are borrowed.
  ObservedCollectives(Collectives<Backend>& inner, Policies const& policies, Observation<Stream> const& observation)
      : inner_(inner), policies_(policies), observation_(observation) {
    this->history = inner.history, this->seen = inner.seen;
  }

  [[nodiscard]] int rank() const override { return inner_.rank(); }
  [[nodiscard]] int size() const override { return inner_.size(); }
  [[nodiscard]] int local_size() const override { return inner_.local_size(); }
  void reduce_scatter_add(ElementRole addends, void* send, void* into, std::size_t count, SumRange range,
                          CollectivePurpose purpose, Stream stream) override {
    SameHistory const same(*this);
    OperationScope const scope(
        &observation_, describe(profile::Phase::reduce, "reduce_scatter_add", all_ranks(addends, count), purpose),
        stream);
    inner_.reduce_scatter_add(addends, send, into, count, range, purpose, stream);
  }
  void all_gather(ElementRole role, void const* own, void* full, std::size_t count, CollectivePurpose purpose,
                  Stream stream) override {
    auto const phase = role == ElementRole::value ? profile::Phase::gather
                       : role == ElementRole::sum ? profile::Phase::reduce
                                                  : profile::Phase::other;
    SameHistory const same(*this);
    OperationScope const scope(&observation_, describe(phase, "all_gather", all_ranks(role, count), purpose), stream);
    inner_.all_gather(role, own, full, count, purpose, stream);
  }
  void all_reduce(std::uint64_t* words, std::size_t count, CollectivePurpose purpose, Stream stream) override {
    SameHistory const same(*this);
    OperationScope const scope(
        &observation_, describe(profile::Phase::reduce, "all_reduce", count * sizeof(std::uint64_t), purpose), stream);
    inner_.all_reduce(words, count, purpose, stream);
  }
  void exchange(std::span<std::byte const> mine, std::span<std::byte> all) override { inner_.exchange(mine, all); }
  void check_peers() const override { inner_.check_peers(); }
  void set_engine(std::uint64_t number) override {
    SameHistory const same(*this);
    inner_.set_engine(number);
  }
  [[nodiscard]] std::size_t staging_bytes(std::size_t count, SumOrder order) const override {
    return inner_.staging_bytes(count, order);
  }
  [[nodiscard]] bool adds_by_rank(ElementRole addends, SumOrder order) const override {
    return inner_.adds_by_rank(addends, order);
  }
  [[nodiscard]] std::uint64_t* calls() noexcept override { return inner_.calls(); }
  void set_staging(std::span<std::byte> staging) override { inner_.set_staging(staging); }
  void watch(Stream stream) override { inner_.watch(stream); }
  [[nodiscard]] bool can_be_captured() const override { return inner_.can_be_captured(); }
  [[nodiscard]] std::optional<Stream> communication_stream(Backend const& backend) const override {
    return inner_.communication_stream(backend);
  }
  void prepare_memory(Backend& backend) const override { inner_.prepare_memory(backend); }
  [[nodiscard]] std::shared_ptr<void> register_memory(Backend& backend) override {
    return inner_.register_memory(backend);
  }

 private:
  // The engine reads and changes the history here; the calls are noted there.
  class [[nodiscard]] SameHistory {
   public:
    explicit SameHistory(ObservedCollectives& outer) noexcept : outer_(outer) {
      outer.inner_.history = outer.history, outer.inner_.seen = outer.seen;
    }
    SameHistory(SameHistory const&) = delete;
    SameHistory& operator=(SameHistory const&) = delete;
    ~SameHistory() { outer_.history = outer_.inner_.history, outer_.seen = outer_.inner_.seen; }

   private:
    ObservedCollectives& outer_;
  };

  [[nodiscard]] std::size_t all_ranks(ElementRole role, std::size_t count) const {
    return static_cast<std::size_t>(inner_.size()) * count * policies_.bytes(role);
  }
  [[nodiscard]] profile::Operation describe(profile::Phase phase, std::string_view name, std::size_t bytes,
                                            CollectivePurpose const& purpose) const {
    return {phase, name, purpose.what, purpose.bucket, bytes, inner_.size()};
  }

  Collectives<Backend>& inner_;
  Policies const& policies_;
  Observation<Stream> const& observation_;
};

/// The kernels of an engine, each of which an observer is told of.
template <class Backend>
class ObservedKernels final : public Kernels<Backend> {
 public:
  using Stream = typename Backend::Stream;

  /// Both are borrowed.
  ObservedKernels(Kernels<Backend>& inner, Observation<Stream> const& observation)
      : inner_(inner), observation_(observation) {}

  void accumulate(Backend& backend, void* into, void const* from, std::size_t n, bool first, Stream stream) override {
    OperationScope const scope(&observation_, profile::Phase::reduce, "accumulate", stream);
    inner_.accumulate(backend, into, from, n, first, stream);
  }
  void squares(Backend& backend, NormWords norm, SegmentView const& segments, void const* slice,
               Stream stream) override {
    OperationScope const scope(&observation_, profile::Phase::reduce, "squares", stream);
    inner_.squares(backend, norm, segments, slice, stream);
  }
  void decide(Backend& backend, DecisionBuffers const& buffers, Stream stream) override {
    OperationScope const scope(&observation_, profile::Phase::update, "decide", stream);
    inner_.decide(backend, buffers, stream);
  }
  void update(Backend& backend, SegmentView const& segments, UpdateBuffers const& buffers, bool on_host,
              Stream stream) override {
    OperationScope const scope(&observation_, profile::Phase::update, on_host ? "update on host" : "update", stream);
    inner_.update(backend, segments, buffers, on_host, stream);
  }
  void narrow_on_host(Backend& backend, void* values, float const* masters, std::size_t n, Stream stream) override {
    OperationScope const scope(&observation_, profile::Phase::update, "cast on host", stream);
    inner_.narrow_on_host(backend, values, masters, n, stream);
  }

 private:
  Kernels<Backend>& inner_;
  Observation<Stream> const& observation_;
};

/// The end of leases of gradients, where a stream may wait for the memory of an earlier bucket. An observer is told of
/// the first wait for each block, as the others of a micro-batch find it over.
template <class Backend>
class ObservedGradients final : public GradientSink<typename Backend::Stream> {
 public:
  using Stream = typename Backend::Stream;

  /// All are borrowed.
  ObservedGradients(GradientSink<Stream>& inner, FlatLayout const& layout, Observation<Stream> const& observation)
      : inner_(inner), layout_(layout), observation_(observation) {}

  GradientAddress target(std::uint32_t record, ParameterId id, Stream stream, bool zeroed) override {
    auto const block = id.index < layout_.extents().size() ? layout_.extents()[id.index].block : none;
    if (std::exchange(last_, block) == block) return inner_.target(record, id, stream, zeroed);
    PhaseScope const scope(&observation_, profile::Phase::reduce, stream);
    return inner_.target(record, id, stream, zeroed);
  }
  void mark_written(std::uint32_t record, ParameterId id) override { inner_.mark_written(record, id); }
  void ready(std::uint32_t record, Stream stream) override { inner_.ready(record, stream); }
  void abandon(std::uint32_t record, Stream stream) noexcept override { inner_.abandon(record, stream); }
  /// Another micro-batch begins.
  void begin_micro_batch() noexcept { last_ = none; }

 private:
  static constexpr std::uint32_t none = UINT32_MAX;

  GradientSink<Stream>& inner_;
  FlatLayout const& layout_;
  Observation<Stream> const& observation_;
  std::uint32_t last_ = none;  // block that an address was asked for in
};

/// What stands between an engine that is watched and its operations, so that one that is not pays nothing for it.
template <class Backend>
class Observed : public Observation<typename Backend::Stream> {
 public:
  using Stream = typename Backend::Stream;
  using Observer = profile::Observer<Stream>;

  /// What \p inner refers to is borrowed; it has an observer.
  explicit Observed(EngineOperations<Backend> const& inner)
      : asked_(*inner.observer),
        collectives_(inner.collectives, inner.policies, *this),
        kernels_(inner.kernels, *this),
        policies_(inner.policies) {}

  [[nodiscard]] EngineOperations<Backend> operations() noexcept { return {collectives_, kernels_, policies_, &asked_}; }
  /// \throws ConfigurationError where the observer watches an engine of another thread.
  void attach() { Observation<Stream>::attach(asked_); }
  /// Takes the engine's parts, borrowed, and lets the observer prepare itself, which may block.
  template <class Parts>
  void prepare(Parts& parts) {
    gradients_ = std::make_unique<ObservedGradients<Backend>>(parts.reducer, parts.context.layout, *this);
    this->name_stream(parts.communication.get(), "communication");
    this->observer()->prepare(parts.communication.get());
  }
  void begin_micro_batch(void const* owner, Stream stream) {
    Observation<Stream>::begin_micro_batch(owner, stream);
    gradients_->begin_micro_batch();
  }
  [[nodiscard]] GradientSink<Stream>& gradients() noexcept { return *gradients_; }

 private:
  Observer& asked_;
  ObservedCollectives<Backend> collectives_;
  ObservedKernels<Backend> kernels_;
  Policies& policies_;
  std::unique_ptr<ObservedGradients<Backend>> gradients_;
};

}  // namespace zero::detail
