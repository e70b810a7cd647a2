// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/agreement.hpp>
#include <zero/backend.hpp>
#include <zero/buffer.hpp>
#include <zero/communicator.hpp>
#include <zero/error.hpp>
#include <zero/flat_layout.hpp>
#include <zero/gradient_reducer.hpp>
#include <zero/kernels/cast.hpp>
#include <zero/parameter_gatherer.hpp>
#include <zero/parameter_updater.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace zero {

/// Reads and writes one whole parameter, or what belongs to it, across the slices of all ranks. Host code outside of
/// the hot path: blocks, and uses one bucket of staging at most. Every rank calls it for the same parameter.
template <class Rule, class Offload, class T, class Sum, class Backend, class Communicator>
class ParameterAccess {
 public:
  using Gatherer = ParameterGatherer<T, Backend, Communicator>;
  using Reducer = GradientReducer<T, Sum, Backend, Communicator>;
  using Updater = ParameterUpdater<Rule, Offload, T, Sum, Backend, Communicator>;
  using Stream = typename Backend::Stream;

  ParameterAccess(Backend& backend, Communicator& communicator, MemoryReport& books, FlatLayout const& layout,
                  std::vector<ParameterSpec> const& specs, Gatherer& gatherer, Reducer& reducer, Updater& updater,
                  Traffic& traffic, Stream communication)
      : backend_(backend),
        communicator_(communicator),
        books_(books),
        layout_(layout),
        specs_(specs),
        gatherer_(gatherer),
        reducer_(reducer),
        updater_(updater),
        traffic_(traffic),
        communication_(communication) {}

  [[nodiscard]] std::vector<float> read_parameter(ParameterId id) {
    if (Updater::has_master && !specs_[id.index].frozen) {
      return read_owned<float>(id, [this](std::size_t b) { return updater_.master(b); });
    }
    std::vector<T> values(layout_.places()[id.index].count);
    if (layout_.blocks()[layout_.places()[id.index].block].whole) {
      read_whole<T>(id, values, [this](std::size_t b) { return gatherer_.whole_bucket(b); });
    } else {
      read_slices<T>(id, values, [this](std::size_t b) { return gatherer_.slice(b); });
    }
    return widened(values);
  }

  /// Leaves the caller's adopted buffers as they are.
  void write_parameter(ParameterId id, std::span<float const> values) {
    check(id, values, "values");
    std::vector<T> narrowed(values.size());
    cast(InstructionSet::baseline, narrowed.data(), values.data(), values.size());
    if (layout_.blocks()[layout_.places()[id.index].block].whole) {
      write_whole<T>(id, narrowed, [this](std::size_t b) { return gatherer_.whole_bucket(b); });
    } else {
      write_slice<T>(id, narrowed, [this](std::size_t b) { return gatherer_.slice(b); });
    }
    if (Updater::has_master && !specs_[id.index].frozen) {
      write_owned<float>(id, values, [this](std::size_t b) { return updater_.master(b); });
    }
  }

  /// \p average is 1 / (world x accumulation x loss scale).
  [[nodiscard]] std::vector<float> read_gradient(ParameterId id, double average) {
    check_trainable(id);
    reducer_.join(communication_);
    auto const sums = read_owned<Sum>(id, [this](std::size_t b) { return reducer_.sum(b); });
    auto gradient = widened(sums);
    for (auto& g : gradient) g = (Double(g) * Double(average)).to_float();
    return gradient;
  }

  void write_gradient(ParameterId id, std::span<float const> values, double average) {
    check_trainable(id);
    check(id, values, "gradient");
    reducer_.join(communication_);
    std::vector<Sum> sums(values.size());
    for (std::size_t i = 0; i < sums.size(); ++i) {
      sums[i] = narrow<Sum>((Double(values[i]) / Double(average)).to_float());
    }
    write_owned<Sum>(id, sums, [this](std::size_t b) { return reducer_.sum(b); });
    reducer_.retake_norm();
  }

  [[nodiscard]] std::vector<float> read_state(ParameterId id, std::size_t k) {
    check_state(id, k);
    return read_owned<float>(id, [&](std::size_t b) { return updater_.state(k, b); });
  }

  void write_state(ParameterId id, std::size_t k, std::span<float const> values) {
    check_state(id, k);
    check(id, values, "state");
    write_owned<float>(id, values, [&](std::size_t b) { return updater_.state(k, b); });
  }

 private:
  [[nodiscard]] std::size_t rank() const noexcept { return static_cast<std::size_t>(communicator_.rank()); }
  // What a rank owns of a bucket: all of it at stage 0, else its slice.
  [[nodiscard]] bool owns_whole() const noexcept { return layout_.settings().stage == Stage::none; }
  [[nodiscard]] std::string quoted(ParameterId id) const { return detail::quoted(specs_[id.index].name); }

  void check(ParameterId id, std::span<float const> values, char const* what) {
    if (values.size() != layout_.places()[id.index].count) {
      throw ConfigurationError(
          detail::sentence({"zero::Engine: parameter ", quoted(id), " has ", layout_.places()[id.index].count,
                            " elements, but ", values.size(), " were given"}));
    }
    Fingerprint fingerprint;
    fingerprint.add(std::as_bytes(values));
    detail::agree_on_values(communicator_, std::string(what) + " of parameter " + quoted(id), fingerprint.value());
  }
  void check_trainable(ParameterId id) const {
    if (specs_[id.index].frozen) {
      throw ConfigurationError(
          detail::sentence({"zero::Engine: parameter ", quoted(id), " is frozen: it has no gradient and no states"}));
    }
  }
  void check_state(ParameterId id, std::size_t k) const {
    check_trainable(id);
    if (k >= Rule::state_count) {
      throw ConfigurationError(
          detail::sentence({"zero::Engine: the rule has ", Rule::state_count, " states, there is no state ", k}));
    }
  }

  template <class X>
  static std::vector<float> widened(std::vector<X> const& values) {
    std::vector<float> wide(values.size());
    cast(InstructionSet::baseline, wide.data(), values.data(), values.size());
    return wide;
  }

  template <class X, class Owned>
  std::vector<X> read_owned(ParameterId id, Owned&& owned) {
    std::vector<X> out(layout_.places()[id.index].count);
    if (owns_whole()) {
      read_whole<X>(id, out, owned);
    } else {
      read_slices<X>(id, out, owned);
    }
    return out;
  }
  template <class X, class Owned>
  void write_owned(ParameterId id, std::span<X const> values, Owned&& owned) {
    if (owns_whole()) {
      write_whole<X>(id, values, owned);
    } else {
      write_slice<X>(id, values, owned);
    }
  }

  template <class X, class Bucket>
  void read_whole(ParameterId id, std::span<X> out, Bucket&& bucket) {
    for_parts(id, [&](std::size_t b, Piece const& part) {
      backend_.copy(out.data() + part.in_parameter, bucket(b) + part.offset, part.count * sizeof(X), communication_);
    });
    backend_.synchronize(communication_);
    backend_.host_reads(out.data(), out.size_bytes());
  }

  template <class X, class Slice>
  void read_slices(ParameterId id, std::span<X> out, Slice&& slice) {
    for_parts(id, [&](std::size_t b, Piece const& part) {
      std::size_t const n = layout_.slice_elements(b);
      Buffer<X, Backend> whole(backend_, books_, MemoryKind::device, MemoryPurpose::staging,
                               layout_.buckets()[b].elements);
      X* const own = whole.data() + rank() * n;
      backend_.copy(own, slice(b), n * sizeof(X), communication_);
      communicator_.all_gather(own, whole.data(), n, {"access", b}, communication_);
      ++traffic_.collectives;
      traffic_.access += n * (static_cast<std::size_t>(communicator_.size()) - 1);
      backend_.copy(out.data() + part.in_parameter, whole.data() + part.offset, part.count * sizeof(X), communication_);
      backend_.synchronize(communication_);
      backend_.host_reads(out.data() + part.in_parameter, part.count * sizeof(X));
    });
  }

  template <class X, class Bucket>
  void write_whole(ParameterId id, std::span<X const> values, Bucket&& bucket) {
    for_parts(id, [&](std::size_t b, Piece const& part) {
      backend_.copy(bucket(b) + part.offset, values.data() + part.in_parameter, part.count * sizeof(X), communication_);
    });
    give_back(values);
  }

  template <class X, class Slice>
  void write_slice(ParameterId id, std::span<X const> values, Slice&& slice) {
    for_parts(id, [&](std::size_t b, Piece const& part) {
      std::size_t const begin = rank() * layout_.slice_elements(b);
      std::size_t const from = std::max(begin, part.offset);
      std::size_t const to = std::min(begin + layout_.slice_elements(b), part.offset + part.count);
      if (from >= to) return;
      backend_.copy(slice(b) + (from - begin), values.data() + part.in_parameter + (from - part.offset),
                    (to - from) * sizeof(X), communication_);
    });
    give_back(values);
  }

  // The values are the caller's again, who may overwrite them.
  template <class X>
  void give_back(std::span<X const> values) {
    backend_.synchronize(communication_);
    backend_.host_writes(values.data(), values.size_bytes());
  }

  template <class F>
  void for_parts(ParameterId id, F&& f) const {
    auto const& place = layout_.places()[id.index];
    for (std::size_t b = place.first_bucket; b < place.first_bucket + place.bucket_count; ++b) {
      for (auto const& piece : layout_.buckets()[b].pieces) {
        if (piece.parameter == id.index) f(b, piece);
      }
    }
  }

  Backend& backend_;
  Communicator& communicator_;
  MemoryReport& books_;
  FlatLayout const& layout_;
  std::vector<ParameterSpec> const& specs_;
  Gatherer& gatherer_;
  Reducer& reducer_;
  Updater& updater_;
  Traffic& traffic_;
  Stream communication_;
};

}  // namespace zero
