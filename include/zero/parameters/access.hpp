// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/context.hpp>
#include <zero/engine/element_buffer.hpp>
#include <zero/engine/rank_agreement.hpp>
#include <zero/error.hpp>
#include <zero/gradients/reducer.hpp>
#include <zero/kernels/double.hpp>
#include <zero/parameters/gatherer.hpp>
#include <zero/parameters/updater.hpp>
#include <zero/support/fixed_array.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace zero::detail {

/// Reads and writes one whole parameter, or what belongs to it, across the slices of all ranks. Host code outside of
/// the hot path: blocks, and uses one bucket of staging at most. Every rank calls it for the same parameter.
template <class Backend>
class ParameterAccess {
 public:
  ParameterAccess(EngineContext<Backend> const& engine, ParameterGatherer<Backend>& gatherer,
                  GradientReducer<Backend>& reducer, ParameterUpdater<Backend>& updater)
      : engine_(engine), gatherer_(gatherer), reducer_(reducer), updater_(updater) {}

  /// The master value where there is one.
  [[nodiscard]] std::vector<float> read_parameter(ParameterId id) {
    return read(id, has_master(id) ? Quantity::master : Quantity::value);
  }

  /// Leaves the caller's adopted buffers as they are.
  void write_parameter(ParameterId id, std::span<float const> values) {
    check_values(id, values, "values");
    write(id, Quantity::value, values);
    if (has_master(id)) write(id, Quantity::master, values);
  }

  /// \p average is 1 / (micro-batches of all ranks x loss scale).
  [[nodiscard]] std::vector<float> read_gradient(ParameterId id, double average) {
    check_trainable(id);
    reducer_.join(engine_.communication);
    auto gradient = read(id, Quantity::sum);
    for (auto& g : gradient) g = (Double(g) * Double(average)).to_float();
    return gradient;
  }

  void write_gradient(ParameterId id, std::span<float const> values, double average) {
    check_trainable(id);
    check_values(id, values, "gradient");
    reducer_.join(engine_.communication);
    std::vector<float> sums(values.size());
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] = (Double(values[i]) / Double(average)).to_float();
    write(id, Quantity::sum, sums);
    reducer_.retake_norm();
  }

  [[nodiscard]] std::vector<float> read_state(ParameterId id, std::size_t k) {
    check_state(id, k);
    return read(id, Quantity::state, k);
  }

  void write_state(ParameterId id, std::size_t k, std::span<float const> values) {
    check_state(id, k);
    check_values(id, values, "state");
    write(id, Quantity::state, values, k);
  }

 private:
  enum class Quantity : std::uint8_t { value, sum, master, state };

  [[nodiscard]] bool has_master(ParameterId id) const noexcept {
    return engine_.policies.traits().has_master() && !engine_.specs[id.index].frozen;
  }

  ZERO_OUT_OF_LINE void check_values(ParameterId id, std::span<float const> values, char const* what) {
    auto const name = quote(engine_.specs[id.index].name);
    if (values.size() != engine_.layout.extents()[id.index].count) {
      fail<ConfigurationError>({"zero::Engine: parameter ", name, " has ",
                                counted(engine_.layout.extents()[id.index].count, "element"), ", but ", values.size(),
                                values.size() == 1 ? " was" : " were", " given: pass all of them"});
    }
    Fingerprint fingerprint;
    fingerprint.add(std::as_bytes(values));
    agree_on_values(engine_.collectives, concat({what, " of parameter ", name}), fingerprint.value());
  }
  ZERO_OUT_OF_LINE void check_trainable(ParameterId id) const {
    auto const& spec = engine_.specs[id.index];
    if (!spec.frozen) return;
    fail<ConfigurationError>(
        {"zero::Engine: parameter ", quote(spec.name), " is frozen: it has no gradient and no states, only values"});
  }
  void check_state(ParameterId id, std::size_t k) const {
    check_trainable(id);
    std::size_t const count = engine_.policies.traits().state_count;
    if (k < count) return;
    fail<ConfigurationError>(
        {"zero::Engine: the rule has ", counted(count, "state"), ", there is no state ", k, ": count them from 0"});
  }

  // Whether every rank holds all of the bucket, or its own slice.
  [[nodiscard]] bool is_whole(Quantity quantity, std::size_t b) const noexcept {
    return quantity == Quantity::value ? gatherer_.is_whole(b) : engine_.owns_whole();
  }
  // Element \p at of what this rank holds of bucket \p b. Neighbours up to where the device's share ends.
  [[nodiscard]] std::byte* held(Quantity quantity, std::size_t k, std::size_t b, std::size_t at) const noexcept {
    switch (quantity) {
      case Quantity::value:
        return (gatherer_.is_whole(b) ? gatherer_.whole_bucket(b) : gatherer_.slice(b)) + at * bytes(quantity);
      case Quantity::sum:
        return reducer_.sum(b, at);
      case Quantity::master:
        return reinterpret_cast<std::byte*>(updater_.master(b, at));
      default:
        return reinterpret_cast<std::byte*>(updater_.state(k, b, at));
    }
  }
  // Calls `f(address, n)` for the parts of \p count elements that are neighbours.
  template <class Function>
  void for_each_part(Quantity quantity, std::size_t k, std::size_t b, std::size_t at, std::size_t count,
                     Function&& f) const {
    if (quantity == Quantity::value) return f(held(quantity, k, b, at), count);
    std::size_t const owned = engine_.owned_offset(b);
    engine_.offload_split.for_each_part(
        owned + at, count, [&](std::size_t first, std::size_t n) { f(held(quantity, k, b, first - owned), n); });
  }
  ZERO_OUT_OF_LINE void copy_out(Quantity quantity, std::size_t k, std::size_t b, std::size_t at, std::size_t count,
                                 std::byte* to) {
    for_each_part(quantity, k, b, at, count, [&](std::byte const* from, std::size_t n) {
      (engine_.backend.copy)(to, from, n * bytes(quantity), engine_.communication);
      to += n * bytes(quantity);
    });
  }
  ZERO_OUT_OF_LINE void copy_in(Quantity quantity, std::size_t k, std::size_t b, std::size_t at, std::size_t count,
                                std::byte const* from) {
    for_each_part(quantity, k, b, at, count, [&](std::byte* to, std::size_t n) {
      (engine_.backend.copy)(to, from, n * bytes(quantity), engine_.communication);
      from += n * bytes(quantity);
    });
  }
  [[nodiscard]] static ElementRole role(Quantity quantity) noexcept {
    return quantity == Quantity::value ? ElementRole::value
           : quantity == Quantity::sum ? ElementRole::sum
                                       : ElementRole::state;
  }

  [[nodiscard]] std::size_t bytes(Quantity quantity) const noexcept { return engine_.policies.bytes(role(quantity)); }

  [[nodiscard]] ZERO_OUT_OF_LINE std::vector<float> read(ParameterId id, Quantity quantity, std::size_t k = 0) {
    auto const& extent = engine_.layout.extents()[id.index];
    FixedArray<std::byte> elements(extent.count * bytes(quantity));
    bool const whole = is_whole(quantity, extent.first_bucket);
    for (std::size_t b = extent.first_bucket; b < extent.first_bucket + extent.bucket_count; ++b) {
      auto const& part = part_of(id, b);
      auto* const to = elements.begin() + part.in_parameter * bytes(quantity);
      if (whole) {
        copy_out(quantity, k, b, part.offset, part.count, to);
      } else {
        read_slices(quantity, k, b, part, to);
      }
    }
    if (whole) finish_reading(elements.begin(), elements.size());
    std::vector<float> wide(extent.count);
    engine_.policies.widen(role(quantity), wide.data(), elements.begin(), wide.size());
    return wide;
  }

  ZERO_OUT_OF_LINE void read_slices(Quantity quantity, std::size_t k, std::size_t b, Segment const& part,
                                    std::byte* to) {
    std::size_t const n = engine_.layout.slice_elements(b);
    ElementBuffer<Backend> const whole(engine_, role(quantity), MemoryKind::device, MemoryPurpose::staging,
                                       n * engine_.world());
    auto* const own = whole.at(engine_.rank * n);
    copy_out(quantity, k, b, 0, n, own);
    engine_.collectives.all_gather(role(quantity), own, whole.at(0), n, {"access", b}, engine_.communication);
    ++engine_.traffic.collectives;
    engine_.traffic.access += n * (engine_.world() - 1);
    (engine_.backend.copy)(to, whole.at(part.offset), part.count * bytes(quantity), engine_.communication);
    finish_reading(to, part.count * bytes(quantity));
  }
  void finish_reading(void const* from, std::size_t bytes) {
    engine_.backend.synchronize(engine_.communication);
    engine_.backend.host_reads(from, bytes);
  }

  ZERO_OUT_OF_LINE void write(ParameterId id, Quantity quantity, std::span<float const> values, std::size_t k = 0) {
    auto const& extent = engine_.layout.extents()[id.index];
    FixedArray<std::byte> elements(values.size() * bytes(quantity));
    engine_.policies.narrow(role(quantity), elements.begin(), values.data(), values.size());
    for (std::size_t b = extent.first_bucket; b < extent.first_bucket + extent.bucket_count; ++b) {
      auto const& part = part_of(id, b);
      bool const whole = is_whole(quantity, b);
      std::size_t const n = whole ? engine_.layout.buckets()[b].elements : engine_.layout.slice_elements(b);
      std::size_t const begin = whole ? 0 : engine_.rank * n;
      std::size_t const from = (std::max)(begin, part.offset);
      std::size_t const to = (std::min)(begin + n, part.offset + part.count);
      if (from >= to) continue;
      copy_in(quantity, k, b, from - begin, to - from,
              elements.begin() + (part.in_parameter + (from - part.offset)) * bytes(quantity));
    }
    engine_.backend.synchronize(engine_.communication);
    engine_.backend.host_writes(elements.begin(), elements.size());  // the memory is the host's again
  }

  [[nodiscard]] Segment const& part_of(ParameterId id, std::size_t b) const noexcept {
    auto const& segments = engine_.layout.buckets()[b].segments;
    std::size_t i = 0;
    while (segments[i].parameter != id.index) ++i;
    return segments[i];
  }

  EngineContext<Backend> const& engine_;
  ParameterGatherer<Backend>& gatherer_;
  GradientReducer<Backend>& reducer_;
  ParameterUpdater<Backend>& updater_;
};

}  // namespace zero::detail
