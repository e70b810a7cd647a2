// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/backend.hpp>
#include <zero/buffer.hpp>
#include <zero/communicator.hpp>
#include <zero/error.hpp>
#include <zero/flat_layout.hpp>
#include <zero/gradient_arrivals.hpp>
#include <zero/gradient_leases.hpp>
#include <zero/gradient_norm.hpp>
#include <zero/gradient_slots.hpp>
#include <zero/lease.hpp>
#include <zero/offloaded_sums.hpp>
#include <zero/stream.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace zero {

/// In which order the gradients of several micro-batches and ranks are added.
enum class Reduce : std::uint8_t {
  each_micro_batch,  ///< the reduce-scatter of each micro-batch continues the sum, rank after rank: the order of the
                     ///< global sequence of micro-batches, whatever the number of ranks
  once_per_step,     ///< local sums first, over the ranks once: less traffic, whole local sums; stages 0 and 1
};

struct ReduceSettings {
  Reduce order = Reduce::each_micro_batch;
  int micro_batches = 1;  ///< per step
  int ring = 2;           ///< bucket slots at stages 2 and 3
  MissingGradient missing = MissingGradient::error;
  bool offloaded = false;
  CpuOffload::Config offload{};
};

/// The way of a gradient: arrives in its bucket's slot; when the bucket is complete and those before it are on their
/// way, it is reduced, and its squares are taken while it is fresh. Buckets are reduced in the layout's order on every
/// rank, whatever order their gradients arrive in.
template <class T, class Sum, class Backend, class Communicator>
class GradientReducer final : public detail::GradientSink<typename Backend::Stream> {
 public:
  using Stream = typename Backend::Stream;

  GradientReducer(Backend& backend, Communicator& communicator, MemoryReport& books, FlatLayout const& layout,
                  std::vector<ParameterSpec> const& specs, ReduceSettings const& settings, Traffic& traffic,
                  GradientNorm<Backend>& norm, Stream communication)
      : backend_(backend),
        communicator_(communicator),
        layout_(layout),
        specs_(specs),
        settings_(settings),
        traffic_(traffic),
        norm_(norm),
        communication_(communication),
        arrivals_(specs, layout),
        slots_(backend, books, layout, settings.ring),
        producers_(layout.trainable_buckets()),
        leases_(specs),
        zeroed_(specs.size(), 0) {
    for (std::size_t b = 0; b < layout.trainable_buckets(); ++b) {
      own_pieces_.push_back(layout.slice_pieces(b, rank()));
    }
    place_sums(books);
  }

  // ------------------------------------------------------------------------------------------------- micro-batches

  /// Starts micro-batch \p index of the step.
  void begin(int index) {
    index_ = index;
    leases_.begin_pass();
    next_bucket_ = 0;
    arrivals_.reset();
    std::fill(zeroed_.begin(), zeroed_.end(), std::uint8_t{0});
    if (last()) norm_.reset(communication_);
  }

  /// Makes sure that every gradient has arrived and every bucket is on its way. \throws GradientError for a missing
  /// one.
  void finish(Stream stream) {
    auto const missing = arrivals_.first_missing();
    if (missing == GradientArrivals::none) return;
    if (settings_.missing == MissingGradient::error) throw_missing(specs_[missing]);
    // In the order of the buckets, so that the ring cannot run over.
    for (auto i = static_cast<std::uint32_t>(specs_.size()); i-- > 0;) {
      if (!arrivals_.is_complete({i})) hand_over_what_is_there({i}, stream);
    }
  }

  /// Forgets an accumulation that will not be finished.
  void discard() {
    arrivals_.reset();
    leases_.begin_pass();
    next_bucket_ = layout_.trainable_buckets();
    join(communication_);
    slots_.all_free(communication_);
    abandoned_.clear();
    for (auto& producers : producers_) producers.clear();
  }

  /// \p stream waits until every gradient has been written and every sum is where it belongs.
  void join(Stream stream) {
    abandoned_.join(backend_, stream);
    for (auto const& producers : producers_) producers.join(backend_, stream);
    if (offloaded_) offloaded_->join(stream);
  }

  // ------------------------------------------------------------------------------------------------- leases

  /// Counts micro-batches, discarded ones too: a lease of one is refused in all others.
  [[nodiscard]] std::uint64_t pass() const noexcept { return leases_.pass(); }

  /// Takes a record for the gradients of \p ids, each of which is leased once at a time. \p stream waits for earlier
  /// contributions to them, and until adopted buffers have been copied. \throws LeaseError.
  [[nodiscard]] std::uint32_t lease(std::span<ParameterId const> ids, Stream stream) {
    for (auto id : ids) arrivals_.expect(id);
    auto const record = leases_.take(ids);
    for (auto id : ids) {
      std::size_t const b = layout_.places()[id.index].first_bucket;
      if (arrivals_.arrived(id) > 0) {
        producers_[b].join(backend_, stream);
      } else if (specs_[id.index].gradients) {
        slots_.wait_until_read(layout_.places()[id.index].block, stream);
      }
    }
    return record;
  }

  detail::GradientAddress target(std::uint32_t record, ParameterId id, Stream stream, bool zeroed) override {
    leases_.check(record, id);
    auto const place = address(id, stream);
    bool const adds = arrivals_.arrived(id) > 0 || zeroed_[id.index] != 0;
    if (!zeroed || adds) return {place, layout_.places()[id.index].count, adds};
    zeroed_[id.index] = 1;
    backend_.zero(place, layout_.places()[id.index].count * sizeof(T), stream);
    return {place, layout_.places()[id.index].count, true};
  }

  void ready(std::uint32_t record, Stream stream) override {
    check_ready(record);
    copies_.clear();
    for (auto id : leases_.ids(record)) {
      if (!arrivals_.arrive(id)) continue;
      auto const& adopted = specs_[id.index].gradients;
      if (adopted)
        copies_.push_back({slot_address(id, stream), adopted->data, layout_.places()[id.index].count * sizeof(T)});
    }
    if (!copies_.empty()) backend_.copy_many(copies_, stream);
    seal(leases_.ids(record), stream);
    leases_.end(record);
    reduce_complete_buckets();
  }

  void abandon(std::uint32_t record, Stream stream) noexcept override {
    abandoned_.note(backend_, stream);
    leases_.end(record);
  }

  // ------------------------------------------------------------------------------------------------- sums

  /// The reduced gradients that this rank updates with: of the whole bucket at stage 0, else of its slice. On the
  /// device, or in pageable host memory where they are offloaded.
  [[nodiscard]] Sum* sum(std::size_t b) const noexcept { return sums_at_ + sum_offset(b); }
  /// This rank's slice of bucket \p b.
  [[nodiscard]] Sum* own_sum(std::size_t b) const noexcept {
    return sum(b) + (stage() == Stage::none ? rank() * layout_.slice_elements(b) : 0);
  }
  /// Parts of parameters in this rank's slice of bucket \p b.
  [[nodiscard]] std::span<Piece const> own_pieces(std::size_t b) const noexcept { return own_pieces_[b]; }

  /// The update has read every sum, as far as the communication stream knows: their memory may be written again.
  void sums_were_read() { slots_.all_free(communication_); }

  /// Takes the squares of all sums again, after one was written by hand. The sums must be on the device or the host
  /// backend's, which `squares` reads.
  void retake_norm() {
    norm_.reset(communication_);
    for (std::size_t b = 0; b < layout_.trainable_buckets(); ++b) {
      norm_.add(own_pieces(b), own_sum(b), communication_);
    }
  }

 private:
  [[nodiscard]] std::size_t world() const noexcept { return layout_.settings().world; }
  [[nodiscard]] std::size_t rank() const noexcept { return static_cast<std::size_t>(communicator_.rank()); }
  [[nodiscard]] Stage stage() const noexcept { return layout_.settings().stage; }
  [[nodiscard]] bool first() const noexcept { return index_ == 0; }
  [[nodiscard]] bool last() const noexcept { return index_ + 1 == settings_.micro_batches; }
  [[nodiscard]] bool sums_locally() const noexcept {
    return settings_.order == Reduce::once_per_step && settings_.micro_batches > 1;
  }
  // One micro-batch leaves nothing to continue: where types are equally wide the sum takes the gradient's own place.
  [[nodiscard]] bool sums_in_place() const noexcept {
    return settings_.micro_batches == 1 && sizeof(T) == sizeof(Sum) && slots_.stable() && !settings_.offloaded;
  }
  [[nodiscard]] bool sums_whole() const noexcept { return stage() == Stage::none; }

  void place_sums(MemoryReport& books) {
    std::size_t const shard = sums_whole() ? layout_.trainable() : layout_.trainable() / world();
    if (sums_locally()) {
      local_sums_ = {backend_, books, MemoryKind::device, MemoryPurpose::local_sums, layout_.trainable()};
    }
    if (settings_.offloaded) {
      sums_ = {backend_, books, MemoryKind::pageable, MemoryPurpose::gradient_sums, shard};
      sums_at_ = sums_.data();
      std::size_t largest = 0;
      for (std::size_t b = 0; b < layout_.trainable_buckets(); ++b) largest = std::max(largest, sum_elements(b));
      offloaded_.emplace(backend_, books, sums_at_, largest, settings_.offload);
    } else if (sums_locally()) {
      sums_at_ = local_sums_.data();
      indexed_whole_ = true;
    } else if (sums_in_place()) {
      sums_at_ = reinterpret_cast<Sum*>(slots_.data());
      indexed_whole_ = true;
    } else {
      sums_ = {backend_, books, MemoryKind::device, MemoryPurpose::gradient_sums, shard};
      sums_at_ = sums_.data();
    }
  }

  [[nodiscard]] std::size_t sum_elements(std::size_t b) const noexcept {
    return sums_whole() ? layout_.buckets()[b].elements : layout_.slice_elements(b);
  }
  [[nodiscard]] std::size_t sum_offset(std::size_t b) const noexcept {
    std::size_t const begin = layout_.buckets()[b].begin;
    if (sums_whole()) return begin;
    return indexed_whole_ ? begin + rank() * layout_.slice_elements(b) : begin / world();
  }

  // The place of a gradient as backward sees it: the caller's own buffer, or the slot in its bucket.
  [[nodiscard]] T* address(ParameterId id, Stream stream) {
    auto const& adopted = specs_[id.index].gradients;
    return adopted ? static_cast<T*>(adopted->data) : slot_address(id, stream);
  }
  [[nodiscard]] T* slot_address(ParameterId id, Stream stream) {
    check_available(id);
    auto const& place = layout_.places()[id.index];
    return slots_.open(place.block, stream) + (place.begin - layout_.blocks()[place.block].begin);
  }
  void check_available(ParameterId id) const {
    if (slots_.available(layout_.places()[id.index].block, next_bucket_)) return;
    throw GradientError(
        specs_[id.index].name,
        detail::sentence({"zero::Engine: gradient of ", detail::quoted(specs_[id.index].name),
                          " runs ahead of the registered order by more than the ring of ", slots_.ring(),
                          " buckets: register parameters in forward order, or raise gradient_ring"}));
  }

  void hand_over_what_is_there(ParameterId id, Stream stream) {
    auto* const slot = slot_address(id, stream);
    std::size_t const bytes = layout_.places()[id.index].count * sizeof(T);
    bool const partly = arrivals_.arrived(id) > 0;
    auto const& adopted = specs_[id.index].gradients;
    if (!partly) backend_.zero(slot, bytes, stream);
    if (partly && adopted) backend_.copy(slot, adopted->data, bytes, stream);
    arrivals_.give_up(id);
    seal({&id, 1}, stream);
    reduce_complete_buckets();
  }

  // The producer's stream is noted for every bucket that the gradient is part of: a bucket is reduced only after all.
  void seal(std::span<ParameterId const> ids, Stream stream) {
    std::size_t noted = SIZE_MAX;
    for (auto id : ids) {
      auto const& place = layout_.places()[id.index];
      for (std::size_t b = place.first_bucket; b < place.first_bucket + place.bucket_count; ++b) {
        if (b != noted) producers_[b].note(backend_, stream);
        noted = b;
      }
    }
  }

  // All is checked before anything is entered. A refusal ends the lease.
  void check_ready(std::uint32_t record) {
    try {
      leases_.check(record);
      for (auto id : leases_.ids(record)) {
        arrivals_.expect(id);
        if (specs_[id.index].gradients) check_available(id);
      }
    } catch (Error const&) {
      leases_.end(record);
      throw;
    }
  }
  [[noreturn]] static void throw_missing(ParameterSpec const& spec) {
    throw GradientError(spec.name,
                        detail::sentence({"zero::Engine: no gradient of ", detail::quoted(spec.name), ", or not all ",
                                          spec.contributions,
                                          " of them, in this micro-batch: hand over each, freeze the parameter, or set "
                                          "missing_gradient = MissingGradient::zero"}));
  }

  void reduce_complete_buckets() {
    while (next_bucket_ < layout_.trainable_buckets() && arrivals_.bucket_complete(next_bucket_)) {
      std::size_t const b = next_bucket_++;
      producers_[b].join(backend_, communication_);
      producers_[b].clear();
      T* const gradients = slots_.bucket(b);
      if (sums_locally()) {
        reduce_local_sums(b, gradients);
      } else {
        reduce(b, gradients, first());
      }
      slots_.release(b, communication_);
    }
  }

  void reduce_local_sums(std::size_t b, T const* gradients) {
    Sum* const local = local_sums_.data() + layout_.buckets()[b].begin;
    backend_.accumulate(local, gradients, layout_.buckets()[b].elements, first(), communication_);
    if (last()) reduce(b, local, true);
  }

  template <class Addend>
  void reduce(std::size_t b, Addend const* send, bool from_nothing) {
    std::size_t const n = layout_.slice_elements(b);
    std::size_t const own = sums_whole() ? rank() * n : 0;
    Sum* const into =
        offloaded_ ? offloaded_->acquire(sum_offset(b) + own, n, own, !from_nothing, communication_) + own : own_sum(b);
    communicator_.reduce_scatter_add(send, into, n, from_nothing, {"gradients", b}, communication_);
    traffic_.gradients += n * (world() - 1);
    ++traffic_.collectives;
    if (last()) complete_sum(b, into, n);
    if (offloaded_) store(b, own, n);
  }

  void complete_sum(std::size_t b, Sum* own, std::size_t n) {
    norm_.add(own_pieces(b), own, communication_);
    if (!sums_whole()) return;
    communicator_.all_gather(own, own - rank() * n, n, {"gradient sums", b}, communication_);
    traffic_.gradient_sums += n * (world() - 1);
    ++traffic_.collectives;
  }

  // Between micro-batches only the own slice goes on; at stage 0 the last one brings the whole bucket.
  void store(std::size_t b, std::size_t own, std::size_t n) {
    if (last()) {
      offloaded_->store(sum_offset(b), sum_elements(b), 0, communication_);
    } else {
      offloaded_->store(sum_offset(b) + own, n, own, communication_);
    }
  }

  Backend& backend_;
  Communicator& communicator_;
  FlatLayout const& layout_;
  std::vector<ParameterSpec> const& specs_;
  ReduceSettings settings_;
  Traffic& traffic_;
  GradientNorm<Backend>& norm_;
  Stream communication_;
  GradientArrivals arrivals_;
  GradientSlots<T, Backend> slots_;
  std::vector<StreamJoin<Backend>> producers_;
  StreamJoin<Backend> abandoned_;  // who may still write gradients that nobody will use
  std::vector<std::vector<Piece>> own_pieces_;
  Buffer<Sum, Backend> sums_;
  Buffer<Sum, Backend> local_sums_;
  std::optional<OffloadedSums<Sum, Backend>> offloaded_;
  Sum* sums_at_ = nullptr;
  bool indexed_whole_ = false;
  GradientLeases leases_;
  std::vector<std::uint8_t> zeroed_;
  std::vector<CopyRange> copies_;
  std::size_t next_bucket_ = 0;
  int index_ = 0;
};

}  // namespace zero
