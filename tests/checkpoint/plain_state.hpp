// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/communicators/self.hpp>
#include <zero/engine_state.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace checkpoint_test {

/// The states of no engine: what a checkpoint holds, in plain vectors, so that the ways in which files fail can be
/// tried by the thousand. Each rank owns an equal part of every parameter.
template <class Communicator = zero::SelfCommunicator>
class PlainState final : public zero::EngineState {
 public:
  using Elements = std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<std::byte>>;  // by parameter and kind

  /// All elements follow from \p seed; 0 leaves them 0.
  PlainState(Communicator& ranks, std::uint64_t seed) : ranks_(ranks) {
    traits_ = {.rule = "AdamW",
               .states = {"exp_avg", "exp_avg_sq"},
               .scaler = "DynamicScale",
               .scaler_bytes = 16,
               .compute = zero::ElementType::bf16};
    parameters_ = {
        {.name = "a", .shape = {5, 3}}, {.name = "b", .shape = {}}, {.name = "c", .shape = {11}, .frozen = true}};
    progress_ = {
        .steps = seed, .skipped = seed / 2, .scaler = std::vector<std::byte>(16, static_cast<std::byte>(seed))};
    for (std::uint32_t p = 0; p < parameters_.size(); ++p) {
      for (std::uint32_t kind = 0; kind < (parameters_[p].frozen ? 1U : 3U); ++kind) {
        auto& bytes = elements_[{p, kind}];
        bytes.resize(count(p) * size(p));
        std::uint64_t x = seed * 64 + p * 8 + kind + 1;
        for (auto& byte : bytes)
          byte = seed == 0 ? std::byte{} : static_cast<std::byte>((x = x * 25214903917U + 11) >> 16U);
      }
    }
  }

  [[nodiscard]] int rank() const override { return ranks_.rank(); }
  [[nodiscard]] int size() const override { return ranks_.size(); }
  void exchange(std::span<std::byte const> mine, std::span<std::byte> all) override { ranks_.exchange(mine, all); }
  [[nodiscard]] zero::EngineTraits const& traits() const override { return traits_; }
  [[nodiscard]] std::vector<zero::ParameterSpec> const& parameters() const override { return parameters_; }
  [[nodiscard]] std::vector<zero::StateRange> share() const override {
    return ranges([&](std::uint64_t n) {
      auto const world = static_cast<std::uint64_t>(size()), r = static_cast<std::uint64_t>(rank());
      return std::pair(n * r / world, n * (r + 1) / world);
    });
  }
  [[nodiscard]] std::vector<zero::StateRange> holdings() const override {
    return ranges([](std::uint64_t n) { return std::pair(std::uint64_t{0}, n); });
  }
  void read(zero::StateRange const& range, std::uint64_t first, std::span<std::byte> into) override {
    std::memcpy(into.data(), at(range, first), into.size());
  }
  [[nodiscard]] zero::StepProgress progress() const override { return progress_; }
  void begin_load() override { half_loaded = true; }
  void write(zero::StateRange const& range, std::uint64_t first, std::span<std::byte const> from) override {
    std::memcpy(at(range, first), from.data(), from.size());
  }
  void set_progress(zero::StepProgress const& progress) override { progress_ = progress; }
  void finish_load() override { half_loaded = false; }

  [[nodiscard]] bool same(PlainState const& other) const {
    return elements_ == other.elements_ && progress_.steps == other.progress_.steps &&
           progress_.skipped == other.progress_.skipped && progress_.scaler == other.progress_.scaler;
  }
  [[nodiscard]] Elements const& elements() const noexcept { return elements_; }

  bool half_loaded = false;
  zero::EngineTraits traits_;  // a test changes what it likes
  std::vector<zero::ParameterSpec> parameters_;

 private:
  [[nodiscard]] std::uint64_t count(std::uint32_t p) const {
    return zero::ParameterList::element_count(parameters_[p].shape);
  }
  [[nodiscard]] std::size_t size(std::uint32_t p) const { return parameters_[p].frozen ? 2 : 4; }
  std::byte* at(zero::StateRange const& range, std::uint64_t first) {
    return elements_.at({range.parameter, range.kind}).data() + (range.begin + first) * size(range.parameter);
  }

  template <class F>
  std::vector<zero::StateRange> ranges(F&& part) const {
    std::vector<zero::StateRange> ranges;
    for (auto const& [key, bytes] : elements_) {
      auto const [begin, end] = part(bytes.size() / size(key.first));
      if (begin == end) continue;
      ranges.push_back({.parameter = key.first,
                        .kind = key.second,
                        .begin = begin,
                        .count = end - begin,
                        .type = parameters_[key.first].frozen ? zero::ElementType::bf16 : zero::ElementType::fp32});
    }
    return ranges;
  }

  Communicator& ranks_;
  zero::StepProgress progress_;
  Elements elements_;
};

}  // namespace checkpoint_test
