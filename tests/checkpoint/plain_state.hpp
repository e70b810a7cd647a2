// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/communicators/self.hpp>
#include <zero/communicators/thread.hpp>
#include <zero/engine_state.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace checkpoint_test {

/// The states of no engine: what a checkpoint holds, in plain vectors, so that the ways in which files fail can be
/// tried by the thousand. Each rank owns an equal part of every parameter.
class PlainState final : public zero::EngineState {
 public:
  using Elements = std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<std::byte>>;  // by parameter and kind

  /// All elements follow from \p seed; 0 leaves them 0. The parameter "a" has \p rows rows of three.
  PlainState(zero::SelfCommunicator& alone, std::uint64_t seed, std::size_t rows = 5);
  PlainState(zero::ThreadCommunicator& ranks, std::uint64_t seed, std::size_t rows = 5);
  ~PlainState() override;

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return size_; }
  void exchange(std::span<std::byte const> mine, std::span<std::byte> all) override { exchange_(mine, all); }
  [[nodiscard]] zero::EngineTraits const& traits() const override { return traits_; }
  [[nodiscard]] std::vector<zero::ParameterSpec> const& parameters() const override { return parameters_; }
  [[nodiscard]] std::vector<zero::StateRange> owned_ranges() const override;
  [[nodiscard]] std::vector<zero::StateRange> resident_ranges() const override;
  void read(zero::StateRange const& range, std::uint64_t first, std::span<std::byte> into) override;
  [[nodiscard]] zero::StepProgress progress() const override;
  void begin_load() override { half_loaded = true; }
  void write(zero::StateRange const& range, std::uint64_t first, std::span<std::byte const> from) override;
  void set_progress(zero::StepProgress const& progress) override;
  void finish_load() override { half_loaded = false; }

  [[nodiscard]] bool same(PlainState const& other) const;
  [[nodiscard]] Elements const& elements() const noexcept { return elements_; }

  [[nodiscard]] std::shared_ptr<void> pin(std::span<std::byte> memory) override {
    auto& pinned = *pinned_;
    pinned = memory;
    return {memory.data(), [keep = pinned_](void*) { *keep = {}; }};
  }
  /// What is pinned now.
  [[nodiscard]] std::shared_ptr<std::span<std::byte> const> pinned() const { return pinned_; }

  bool half_loaded = false;
  zero::EngineTraits traits_;  // a test changes what it likes
  std::vector<zero::ParameterSpec> parameters_;

 private:
  using Part = std::pair<std::uint64_t, std::uint64_t>;  // elements [begin, end)

  void fill(std::uint64_t seed, std::size_t rows);
  [[nodiscard]] std::size_t element_bytes(std::uint32_t p) const { return parameters_[p].frozen ? 2 : 4; }
  std::byte* at(zero::StateRange const& range, std::uint64_t first);
  [[nodiscard]] std::vector<zero::StateRange> ranges(std::function<Part(std::uint64_t)> const& part) const;

  std::shared_ptr<std::span<std::byte>> pinned_ = std::make_shared<std::span<std::byte>>();
  int rank_;
  int size_;
  std::function<void(std::span<std::byte const>, std::span<std::byte>)> exchange_;
  zero::StepProgress progress_;
  Elements elements_;
};

/// Makes every element of this rank's, of whatever type, less than 2, so that no type is too small for it.
void lessen(PlainState& state);

}  // namespace checkpoint_test
