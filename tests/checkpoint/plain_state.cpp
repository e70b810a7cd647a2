// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "checkpoint/plain_state.hpp"

#include <algorithm>
#include <cstring>

namespace checkpoint_test {

PlainState::PlainState(zero::SelfCommunicator& alone, std::uint64_t seed, std::size_t rows)
    : rank_(0), size_(1), exchange_([&alone](auto mine, auto all) { alone.exchange(mine, all); }) {
  fill(seed, rows);
}

PlainState::PlainState(zero::ThreadCommunicator& ranks, std::uint64_t seed, std::size_t rows)
    : rank_(ranks.rank()),
      size_(ranks.size()),
      exchange_([&ranks](auto mine, auto all) { ranks.exchange(mine, all); }) {
  fill(seed, rows);
}

PlainState::~PlainState() = default;

void PlainState::fill(std::uint64_t seed, std::size_t rows) {
  traits_ = {.rule = "AdamW",
             .states = {"exp_avg", "exp_avg_sq"},
             .scaler = "DynamicScale",
             .scaler_bytes = 16,
             .compute = zero::ElementType::bf16};
  parameters_ = {
      {.name = "a", .shape = {rows, 3}}, {.name = "b", .shape = {}}, {.name = "c", .shape = {11}, .frozen = true}};
  progress_ = {.steps = seed, .skipped = seed / 2, .scaler = std::vector<std::byte>(16, static_cast<std::byte>(seed))};
  for (std::uint32_t p = 0; p < parameters_.size(); ++p) {
    for (std::uint32_t kind = 0; kind < (parameters_[p].frozen ? 1U : 3U); ++kind) {
      auto& bytes = elements_[{p, kind}];
      bytes.resize(zero::ParameterList::element_count(parameters_[p].shape) * element_bytes(p));
      std::uint64_t x = seed * 64 + std::uint64_t{p} * 8 + kind + 1;
      for (auto& byte : bytes) {
        byte = seed == 0 ? std::byte{} : static_cast<std::byte>((x = x * 25214903917U + 11) >> 16U);
      }
    }
  }
}

std::vector<zero::StateRange> PlainState::owned_ranges() const {
  return ranges([&](std::uint64_t n) {
    auto const world = static_cast<std::uint64_t>(size_), r = static_cast<std::uint64_t>(rank_);
    return Part(n * r / world, n * (r + 1) / world);
  });
}
std::vector<zero::StateRange> PlainState::resident_ranges() const {
  return ranges([](std::uint64_t n) { return Part(0, n); });
}

void PlainState::read(zero::StateRange const& range, std::uint64_t first, std::span<std::byte> into) {
  std::memcpy(into.data(), at(range, first), into.size());
}
void PlainState::write(zero::StateRange const& range, std::uint64_t first, std::span<std::byte const> from) {
  std::memcpy(at(range, first), from.data(), from.size());
}
zero::StepProgress PlainState::progress() const { return progress_; }
void PlainState::set_progress(zero::StepProgress const& progress) { progress_ = progress; }

bool PlainState::same(PlainState const& other) const {
  return elements_ == other.elements_ && progress_.steps == other.progress_.steps &&
         progress_.skipped == other.progress_.skipped && progress_.scaler == other.progress_.scaler;
}

std::byte* PlainState::at(zero::StateRange const& range, std::uint64_t first) {
  return elements_.at({range.parameter, range.kind}).data() + (range.begin + first) * element_bytes(range.parameter);
}

std::vector<zero::StateRange> PlainState::ranges(std::function<Part(std::uint64_t)> const& part) const {
  std::vector<zero::StateRange> ranges;
  for (auto const& [key, bytes] : elements_) {
    auto const [begin, end] = part(bytes.size() / element_bytes(key.first));
    if (begin == end) continue;
    ranges.push_back({.parameter = key.first,
                      .kind = key.second,
                      .begin = begin,
                      .count = end - begin,
                      .type = parameters_[key.first].frozen ? zero::ElementType::bf16 : zero::ElementType::fp32});
  }
  return ranges;
}

void lessen(PlainState& state) {
  for (auto const& range : state.owned_ranges()) {
    std::vector<std::byte> bytes(range.bytes());
    state.read(range, 0, bytes);
    auto const size = zero::element_size(range.type);
    for (std::size_t at = size - 1; at < bytes.size(); at += size) bytes[at] &= std::byte{0xBF};
    state.write(range, 0, bytes);
  }
}

}  // namespace checkpoint_test
