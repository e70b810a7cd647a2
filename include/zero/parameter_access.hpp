// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/agreement.hpp>
#include <zero/engine_context.hpp>
#include <zero/error.hpp>
#include <zero/gradient_reducer.hpp>
#include <zero/kernels/double.hpp>
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
    check(id, values, "values");
    write(id, Quantity::value, values);
    if (has_master(id)) write(id, Quantity::master, values);
  }

  /// \p average is 1 / (world x accumulation x loss scale).
  [[nodiscard]] std::vector<float> read_gradient(ParameterId id, double average) {
    check_trainable(id);
    reducer_.join(engine_.communication);
    auto gradient = read(id, Quantity::sum);
    for (auto& g : gradient) g = (Double(g) * Double(average)).to_float();
    return gradient;
  }

  void write_gradient(ParameterId id, std::span<float const> values, double average) {
    check_trainable(id);
    check(id, values, "gradient");
    reducer_.join(engine_.communication);
    std::vector<float> sums(values.begin(), values.end());
    for (auto& sum : sums) sum = (Double(sum) / Double(average)).to_float();
    write(id, Quantity::sum, sums);
    reducer_.retake_norm();
  }

  [[nodiscard]] std::vector<float> read_state(ParameterId id, std::size_t k) {
    check_state(id, k);
    return read(id, Quantity::state, k);
  }

  void write_state(ParameterId id, std::size_t k, std::span<float const> values) {
    check_state(id, k);
    check(id, values, "state");
    write(id, Quantity::state, values, k);
  }

 private:
  enum class Quantity : std::uint8_t { value, sum, master, state };

  [[nodiscard]] bool has_master(ParameterId id) const noexcept {
    return engine_.operations.facts().has_master() && !engine_.specs[id.index].frozen;
  }

  void check(ParameterId id, std::span<float const> values, char const* what) {
    auto const name = detail::quoted(engine_.specs[id.index].name);
    if (values.size() != engine_.layout.places()[id.index].count) {
      detail::fail<ConfigurationError>({"zero::Engine: parameter ", name, " has ",
                                        engine_.layout.places()[id.index].count, " elements, but ", values.size(),
                                        " were given"});
    }
    Fingerprint fingerprint;
    fingerprint.add(std::as_bytes(values));
    detail::agree_on_values(engine_.operations, detail::sentence({what, " of parameter ", name}), fingerprint.value());
  }
  void check_trainable(ParameterId id) const {
    auto const& spec = engine_.specs[id.index];
    if (!spec.frozen) return;
    detail::fail<ConfigurationError>(
        {"zero::Engine: parameter ", detail::quoted(spec.name), " is frozen: it has no gradient and no states"});
  }
  void check_state(ParameterId id, std::size_t k) const {
    check_trainable(id);
    std::size_t const count = engine_.operations.facts().state_count;
    if (k < count) return;
    detail::fail<ConfigurationError>({"zero::Engine: the rule has ", count, " states, there is no state ", k});
  }

  // Whether every rank holds all of the bucket, or its own slice.
  [[nodiscard]] bool is_whole(Quantity quantity, std::size_t b) const noexcept {
    return quantity == Quantity::value ? gatherer_.is_whole(b) : engine_.owns_whole();
  }
  [[nodiscard]] void* held(Quantity quantity, std::size_t k, std::size_t b) const noexcept {
    switch (quantity) {
      case Quantity::value:
        return gatherer_.is_whole(b) ? gatherer_.whole_bucket(b) : gatherer_.slice(b);
      case Quantity::sum:
        return reducer_.sum(b);
      case Quantity::master:
        return updater_.master(b);
      default:
        return updater_.state(k, b);
    }
  }
  [[nodiscard]] static ElementRole role(Quantity quantity) noexcept {
    return quantity == Quantity::value ? ElementRole::value
           : quantity == Quantity::sum ? ElementRole::sum
                                       : ElementRole::state;
  }

  [[nodiscard]] std::vector<float> read(ParameterId id, Quantity quantity, std::size_t k = 0) {
    auto const& place = engine_.layout.places()[id.index];
    std::size_t const bytes = engine_.operations.bytes(role(quantity));
    std::vector<std::byte> elements(place.count * bytes);
    bool const whole = is_whole(quantity, place.first_bucket);
    for (std::size_t b = place.first_bucket; b < place.first_bucket + place.bucket_count; ++b) {
      auto const& part = part_of(id, b);
      auto* const to = elements.data() + part.in_parameter * bytes;
      auto const* const from = static_cast<std::byte*>(held(quantity, k, b));
      if (whole) {
        engine_.backend.copy(to, from + part.offset * bytes, part.count * bytes, engine_.communication);
      } else {
        read_slices(b, part, role(quantity), to, from);
      }
    }
    if (whole) finish_reading(elements.data(), elements.size());
    std::vector<float> wide(place.count);
    engine_.operations.widen(role(quantity), wide.data(), elements.data(), wide.size());
    return wide;
  }

  void read_slices(std::size_t b, Piece const& part, ElementRole role, void* to, void const* from) {
    std::size_t const n = engine_.layout.slice_elements(b);
    ElementBuffer<Backend> const whole(engine_, role, MemoryKind::device, MemoryPurpose::staging, n * engine_.world());
    std::size_t const bytes = whole.element_bytes();
    auto* const own = whole.at(engine_.rank * n);
    engine_.backend.copy(own, from, n * bytes, engine_.communication);
    engine_.operations.all_gather(role, own, whole.at(0), n, {"access", b}, engine_.communication);
    ++engine_.traffic.collectives;
    engine_.traffic.access += n * (engine_.world() - 1);
    engine_.backend.copy(to, whole.at(part.offset), part.count * bytes, engine_.communication);
    finish_reading(to, part.count * bytes);
  }
  void finish_reading(void const* from, std::size_t bytes) {
    engine_.backend.synchronize(engine_.communication);
    engine_.backend.host_reads(from, bytes);
  }

  void write(ParameterId id, Quantity quantity, std::span<float const> values, std::size_t k = 0) {
    auto const& place = engine_.layout.places()[id.index];
    std::size_t const bytes = engine_.operations.bytes(role(quantity));
    std::vector<std::byte> elements(values.size() * bytes);
    engine_.operations.narrow(role(quantity), elements.data(), values.data(), values.size());
    for (std::size_t b = place.first_bucket; b < place.first_bucket + place.bucket_count; ++b) {
      auto const& part = part_of(id, b);
      bool const whole = is_whole(quantity, b);
      std::size_t const n = whole ? engine_.layout.buckets()[b].elements : engine_.layout.slice_elements(b);
      std::size_t const begin = whole ? 0 : engine_.rank * n;
      std::size_t const from = std::max(begin, part.offset);
      std::size_t const to = std::min(begin + n, part.offset + part.count);
      if (from >= to) continue;
      engine_.backend.copy(static_cast<std::byte*>(held(quantity, k, b)) + (from - begin) * bytes,
                           elements.data() + (part.in_parameter + (from - part.offset)) * bytes, (to - from) * bytes,
                           engine_.communication);
    }
    engine_.backend.synchronize(engine_.communication);
    engine_.backend.host_writes(elements.data(), elements.size());  // the memory is the host's again
  }

  [[nodiscard]] Piece const& part_of(ParameterId id, std::size_t b) const noexcept {
    auto const& pieces = engine_.layout.buckets()[b].pieces;
    std::size_t i = 0;
    while (pieces[i].parameter != id.index) ++i;
    return pieces[i];
  }

  EngineContext<Backend> const& engine_;
  ParameterGatherer<Backend>& gatherer_;
  GradientReducer<Backend>& reducer_;
  ParameterUpdater<Backend>& updater_;
};

}  // namespace zero
