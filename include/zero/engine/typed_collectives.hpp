// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/collectives.hpp>
#include <zero/error.hpp>
#include <zero/support/fixed_array.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>
#include <zero/utility/fingerprint.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace zero::detail {

/// The collectives of engines with these types and this communicator. Out of line: see ZERO_OUT_OF_LINE.
template <class Prec, class Backend, class Communicator>
class TypedCollectives final : public Collectives<Backend> {
 public:
  using Value = typename Prec::compute::type;
  using Sum = typename Prec::sum::type;
  using Stream = typename Backend::Stream;

  /// \p communicator is borrowed.
  explicit TypedCollectives(Communicator& communicator) : communicator_(communicator) {
    note_made();  // by others, before the first
  }

  [[nodiscard]] int rank() const override { return communicator_.rank(); }
  [[nodiscard]] int size() const override { return communicator_.size(); }
  [[nodiscard]] int local_size() const override { return communicator_.local_size(); }

  ZERO_OUT_OF_LINE void reduce_scatter_add(ElementRole addends, void* send, void* into, std::size_t count,
                                           SumRange range, CollectivePurpose purpose, Stream stream) override {
    purpose.engine = engine_;
    note(range.first ? "reduce_scatter" : "reduce_scatter_add", count, purpose, range.addends);
    auto const typed = [&](auto* from) {
      auto* const sums = static_cast<Sum*>(into);
      if constexpr (facts.needs_staging) {
        communicator_.reduce_scatter_add(from, sums, count, range, purpose, stream, staging_);
      } else {
        communicator_.reduce_scatter_add(from, sums, count, range, purpose, stream);
      }
      note_made();
    };
    if (addends == ElementRole::sum) return typed(static_cast<Sum*>(send));
    typed(static_cast<Value*>(send));
  }
  ZERO_OUT_OF_LINE void all_gather(ElementRole role, void const* own, void* full, std::size_t count,
                                   CollectivePurpose purpose, Stream stream) override {
    purpose.engine = engine_;
    note("all_gather", count, purpose);
    auto const typed = [&]<class Element>(Element* to) {
      communicator_.all_gather(static_cast<Element const*>(own), to, count, purpose, stream);
      note_made();
    };
    if (role == ElementRole::value) return typed(static_cast<Value*>(full));
    if (role == ElementRole::sum) return typed(static_cast<Sum*>(full));
    typed(static_cast<float*>(full));
  }
  void all_reduce(std::uint64_t* words, std::size_t count, CollectivePurpose purpose, Stream stream) override {
    purpose.engine = engine_;
    note("all_reduce", count, purpose);
    communicator_.all_reduce(words, count, purpose, stream);
    note_made();
  }
  // Behind the number of the engine, so that those of two engines do not meet.
  ZERO_OUT_OF_LINE void exchange(std::span<std::byte const> mine, std::span<std::byte> all) override {
    std::size_t const ranks = static_cast<std::size_t>(communicator_.size());
    std::size_t const bytes = sizeof engine_ + mine.size();
    FixedArray<std::byte> sent(bytes), received(ranks * bytes);
    std::memcpy(sent.begin(), &engine_, sizeof engine_);
    if (!mine.empty()) std::memcpy(sent.begin() + sizeof engine_, mine.data(), mine.size());
    communicator_.exchange({sent.begin(), bytes}, {received.begin(), received.size()});
    expect_same_engine(received, bytes);
    for (std::size_t r = 0; r < ranks && !mine.empty(); ++r) {
      std::memcpy(all.data() + r * mine.size(), received.begin() + r * bytes + sizeof engine_, mine.size());
    }
  }
  void check_peers() const override {
    if constexpr (facts.reports_failures) (communicator_.check)();
  }
  [[nodiscard]] std::size_t staging_bytes(std::size_t count, SumOrder order) const override {
    if constexpr (facts.needs_staging) {
      return (std::max)(communicator_.template staging_bytes<Sum, Value>(count, order),
                        communicator_.template staging_bytes<Sum, Sum>(count, order));
    } else {
      return 0;
    }
  }
  [[nodiscard]] bool adds_by_rank([[maybe_unused]] ElementRole addends,
                                  [[maybe_unused]] SumOrder order) const override {
    if constexpr (facts.has_sum_orders) {
      if (addends == ElementRole::sum) return communicator_.template adds_by_rank<Sum>(order);
      return communicator_.template adds_by_rank<Value>(order);
    } else {
      return true;
    }
  }
  [[nodiscard]] std::uint64_t* calls() noexcept override {
    if constexpr (facts.counts_calls) return &communicator_.calls();
    return nullptr;
  }
  void set_engine(std::uint64_t number) override {
    engine_ = number;
    this->history.add(number);
  }
  void set_staging(std::span<std::byte> staging) override { staging_ = staging; }
  [[nodiscard]] std::optional<Stream> communication_stream([[maybe_unused]] Backend const& backend) const override {
    if constexpr (facts.has_stream) return communicator_.communication_stream(backend.device());
    return std::nullopt;
  }
  void prepare_memory(Backend& backend) const override {
    if constexpr (facts.registers_memory) backend.allocate_for_collectives_from(communicator_.collective_memory());
  }
  [[nodiscard]] std::shared_ptr<void> register_memory(Backend& backend) override {
    if constexpr (facts.registers_memory) return communicator_.register_buffers(backend.close_collective_memory());
    return nullptr;
  }
  void watch(Stream stream) override {
    if constexpr (facts.watches_replays) communicator_.watch({.what = "step"}, stream);
  }
  [[nodiscard]] bool can_be_captured() const override { return facts.can_be_captured || communicator_.size() == 1; }

 private:
  static constexpr CommunicatorFacts facts = communicator_facts<Communicator>();

  // Every rank compares what all have sent, so that all throw.
  void expect_same_engine(FixedArray<std::byte> const& received, std::size_t bytes) const {
    std::uint64_t first = 0;
    std::memcpy(&first, received.begin(), sizeof first);
    for (std::size_t r = 1; r * bytes < received.size(); ++r) {
      std::uint64_t other = 0;
      std::memcpy(&other, received.begin() + r * bytes, sizeof other);
      if (other == first) continue;
      throw CommunicationError(CommunicationFailure::mismatch, {.rank = static_cast<int>(r), .operation = "exchange"},
                               concat({"zero: ranks called different engines: rank 0 engine ", first, ", rank ", r,
                                       " engine ", other, ": make the same calls in the same order on every rank"}));
    }
  }
  ZERO_OUT_OF_LINE void note(std::string_view operation, std::size_t count, CollectivePurpose purpose,
                             int addends = 0) noexcept {
    Fingerprint call;
    call.add_text(operation);
    call.add_text(purpose.what);
    call.add(purpose.bucket);
    call.add(count);
    call.add(addends);
    this->history_now().add(call.value());
  }
  // What was noted has been put on the communicator.
  void note_made() noexcept {
    if (auto const* const all = calls()) this->seen = *all;
  }

  Communicator& communicator_;
  std::span<std::byte> staging_{};
  std::uint64_t engine_ = 0;
};

}  // namespace zero::detail
