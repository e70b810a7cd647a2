// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/communicator.hpp>
#include <zero/engine/context.hpp>
#include <zero/engine/rank_agreement.hpp>
#include <zero/error.hpp>
#include <zero/memory/buffer.hpp>
#include <zero/memory_report.hpp>
#include <zero/support/fixed_array.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace zero::detail {

/// What ranks call beside the step, so that they can tell when they call something else.
enum class SideCall : std::uint64_t { mean = 1, broadcast = 2, broadcast_on_host = 3 };

/// One rank's call: which one, and what of it must or may differ.
struct SideMessage {
  SideCall call = SideCall::mean;
  std::uint64_t first = 0;   ///< mean: bits of the value; broadcast: bytes
  std::uint64_t second = 0;  ///< mean: bits of the weight; broadcast: the root
  std::uint64_t third = 0;   ///< broadcast: bytes of an element

  [[nodiscard]] ZERO_OUT_OF_LINE std::string text() const {
    if (call == SideCall::mean) return "mean_over_ranks";
    return concat({"broadcast of ", third == 0 ? first : first / third, " elements of ", third, " bytes from rank ",
                   static_cast<std::int64_t>(second), call == SideCall::broadcast ? "" : " in host memory"});
  }
};

/// Every rank's \p mine. Blocks. \throws MismatchError on every rank where they are not the same call.
template <class Communicator>
ZERO_OUT_OF_LINE FixedArray<SideMessage> exchange_calls(Communicator& communicator, SideMessage const& mine) {
  FixedArray<SideMessage> all(static_cast<std::size_t>(communicator.size()));
  communicator.exchange({bytes_of(&mine), sizeof mine}, {bytes_of(all.begin()), all.size() * sizeof mine});
  for (std::size_t r = 1; r < all.size(); ++r) {
    auto const &one = all[0], &other = all[r];
    bool const same = one.call == other.call &&
                      (one.call == SideCall::mean ||
                       (one.first == other.first && one.second == other.second && one.third == other.third));
    if (same) continue;
    fail<MismatchError>({"zero::Engine: ranks called different collectives: rank 0 called ", one.text(), ", rank ", r,
                         " ", other.text(), ": make the same calls in the same order on every rank"});
  }
  return all;
}

template <class To, class From>
[[nodiscard]] To bits_as(From const& from) noexcept {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

/// The mean of every rank's \p value, added in the order of ranks in double. Blocks. \throws ConfigurationError on
/// every rank for a \p weight that is negative or not finite, and where all are 0; MismatchError.
template <class Communicator>
[[nodiscard]] ZERO_OUT_OF_LINE double mean_over_ranks(Communicator& communicator, double value, double weight) {
  auto const all =
      exchange_calls(communicator, {SideCall::mean, bits_as<std::uint64_t>(value), bits_as<std::uint64_t>(weight), 0});
  double sum = 0.0, weights = 0.0;
  for (std::size_t r = 0; r < all.size(); ++r) {
    auto const of_rank = bits_as<double>(all[r].second);
    if (!is_finite(of_rank) || of_rank < 0.0) {
      fail<ConfigurationError>({"zero::Engine: mean_over_ranks: the weight of rank ", r,
                                " is negative or not finite: give a number of samples, or 0 for a rank without any"});
    }
    weights += of_rank;
    if (of_rank > 0.0) sum += of_rank == 1.0 ? bits_as<double>(all[r].first) : of_rank * bits_as<double>(all[r].first);
  }
  enforce(weights > 0.0,
          "zero::Engine: mean_over_ranks: the weight is 0 on every rank: one at least must have a value");
  return sum / weights;
}

/// Copies of one rank's bytes for all others. One per engine; keeps some memory from the first broadcast on.
template <class Backend>
class Broadcast {
 public:
  using Stream = typename Backend::Stream;

  explicit Broadcast(EngineContext<Backend> const& engine) : engine_(engine) {}

  /// Sets \p bytes of device memory on all ranks to those of \p root, in the order of \p stream. The ranks' agreement
  /// blocks the host; the bytes do not. \throws MismatchError, ConfigurationError, CommunicationError.
  ZERO_OUT_OF_LINE void on_device(std::span<std::byte> bytes, std::size_t element, int root, Stream stream) {
    agree(SideCall::broadcast, bytes.size(), element, root);
    if (engine_.world() == 1 || bytes.empty()) return;
    auto& backend = engine_.backend;
    auto const communication = engine_.communication;
    if (!words_) words_.emplace(backend, engine_.memory_report, MemoryKind::device, MemoryPurpose::staging, at_once);
    backend.record(written_, stream);
    backend.wait(communication, written_);
    for (std::size_t done = 0; done < bytes.size(); done += at_once * sizeof(std::uint64_t)) {
      auto const part = bytes.subspan(done, (std::min)(bytes.size() - done, at_once * sizeof(std::uint64_t)));
      std::size_t const words = (part.size() + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t);
      // All others add 0 to the root's bits, whatever these stand for.
      backend.zero(words_->data(), words * sizeof(std::uint64_t), communication);
      if (is(root)) (backend.copy)(words_->data(), part.data(), part.size(), communication);
      engine_.collectives.all_reduce(words_->data(), words, {.what = "broadcast"}, communication);
      if (!is(root)) (backend.copy)(part.data(), words_->data(), part.size(), communication);
      ++engine_.traffic.collectives;
      engine_.traffic.control_words += words;
    }
    backend.record(sent_, communication);
    backend.wait(stream, sent_);
  }

  /// The same of host memory. Blocks.
  ZERO_OUT_OF_LINE void on_host(std::span<std::byte> bytes, std::size_t element, int root) {
    agree(SideCall::broadcast_on_host, bytes.size(), element, root);
    if (engine_.world() == 1) return;
    constexpr std::size_t largest = at_once * sizeof(std::uint64_t);
    FixedArray<std::byte> all(engine_.world() * (std::min)(bytes.size(), largest));
    for (std::size_t done = 0; done < bytes.size(); done += largest) {
      auto const part = bytes.subspan(done, (std::min)(bytes.size() - done, largest));
      engine_.collectives.exchange(part, {all.begin(), engine_.world() * part.size()});
      std::memcpy(part.data(), all.begin() + static_cast<std::size_t>(root) * part.size(), part.size());
    }
  }

 private:
  static constexpr std::size_t at_once = 8192;  // words

  [[nodiscard]] bool is(int rank) const noexcept { return engine_.rank == static_cast<std::size_t>(rank); }
  ZERO_OUT_OF_LINE void agree(SideCall call, std::size_t bytes, std::size_t element, int root) {
    auto const number = static_cast<std::uint64_t>(static_cast<std::int64_t>(root));
    (void)exchange_calls(engine_.collectives, {call, bytes, number, element});
    if (root >= 0 && static_cast<std::size_t>(root) < engine_.world()) return;
    fail<ConfigurationError>({"zero::Engine: broadcast: there is no rank ", root, " of ", engine_.world(),
                              " to take the values from: ranks are numbered from 0"});
  }

  EngineContext<Backend> const& engine_;
  std::optional<Buffer<std::uint64_t, Backend>> words_;
  typename Backend::Event written_{}, sent_{};
};

}  // namespace zero::detail
