// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/support/fixed_array.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>
#include <zero/utility/fingerprint.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace zero::detail {

template <class Type>
auto* bytes_of(Type* data) noexcept {
  return reinterpret_cast<std::conditional_t<std::is_const_v<Type>, std::byte const, std::byte>*>(data);
}

/// Every rank's \p mine, in rank order. Blocks.
template <class Communicator>
FixedArray<std::uint64_t> exchange_words(Communicator& communicator, std::uint64_t mine) {
  FixedArray<std::uint64_t> all(static_cast<std::size_t>(communicator.size()));
  communicator.exchange({bytes_of(&mine), sizeof mine}, {bytes_of(all.begin()), all.size() * sizeof mine});
  return all;
}

[[nodiscard]] inline std::uint64_t next_engine_number() noexcept {
  static std::atomic<std::uint64_t> made{0};
  return ++made;
}

/// A number that all ranks of \p communicator have in common, and no other engine or joint step of it: rank 0 counts
/// for all, from 1. Blocks.
template <class Communicator>
std::uint64_t agree_on_engine_number(Communicator& communicator) {
  return exchange_words(communicator, next_engine_number())[0];
}

/// A text of every rank, and a code below 256. Texts may differ in length.
class RankTexts {
 public:
  /// Blocks.
  template <class Communicator>
  ZERO_OUT_OF_LINE RankTexts(Communicator& communicator, std::string_view mine, std::uint8_t code = 0)
      : words_(exchange_words(communicator, std::uint64_t{mine.size()} << 8U | code)) {
    for (std::size_t r = 0; r < size(); ++r) longest_ = (std::max)(longest_, length(r));
    if (longest_ == 0) return;
    FixedArray<std::byte> padded(longest_);
    std::memcpy(padded.begin(), mine.data(), mine.size());
    all_ = FixedArray<std::byte>(longest_ * size());
    communicator.exchange({padded.begin(), padded.size()}, {all_.begin(), all_.size()});
  }
  [[nodiscard]] std::size_t size() const noexcept { return words_.size(); }
  [[nodiscard]] std::string_view operator[](std::size_t rank) const noexcept {
    return {reinterpret_cast<char const*>(all_.begin() + rank * longest_), length(rank)};
  }
  [[nodiscard]] std::uint8_t code(std::size_t rank) const noexcept { return static_cast<std::uint8_t>(words_[rank]); }
  /// The first rank whose code is not 0; `size()` where there is none.
  [[nodiscard]] std::size_t first_failed() const noexcept {
    std::size_t r = 0;
    while (r < size() && code(r) == 0) ++r;
    return r;
  }

 private:
  [[nodiscard]] std::size_t length(std::size_t rank) const noexcept {
    return static_cast<std::size_t>(words_[rank] >> 8U);
  }

  FixedArray<std::uint64_t> words_;  // length and code
  std::size_t longest_ = 0;
  FixedArray<std::byte> all_;
};

/// Cuts the first line off \p text; "nothing" where there is none.
ZERO_OUT_OF_LINE inline std::string_view cut_line(std::string_view& text) {
  auto const end = (std::min)(text.find('\n'), text.size());
  auto const line = text.substr(0, end);
  text.remove_prefix((std::min)(end + 1, text.size()));
  return line.empty() ? "nothing" : line;
}

[[noreturn]] ZERO_OUT_OF_LINE inline void fail_different(std::string_view first, std::string_view other,
                                                         std::size_t rank) {
  for (;;) {
    auto const mine = cut_line(first);
    auto const theirs = cut_line(other);
    if (mine == theirs && !(first.empty() && other.empty())) continue;
    fail<MismatchError>({"zero::Engine: ranks were set up differently: rank 0 has \"", mine, "\", rank ", rank,
                         " has \"", theirs, "\": give every rank the same"});
  }
}

/// The first rank whose value differs from rank 0's; 0 where none does.
inline std::size_t first_different(FixedArray<std::uint64_t> const& all) noexcept {
  for (std::size_t r = 1; r < all.size(); ++r) {
    if (all[r] != all[0]) return r;
  }
  return 0;
}

/// Makes sure that \p settings, one per line, are the same on every rank. Blocks.
/// \throws MismatchError on every rank, which names the first difference and both ranks.
template <class Communicator>
ZERO_OUT_OF_LINE void agree_on_settings(Communicator& communicator, std::string const& settings) {
  if (first_different(exchange_words(communicator, fingerprint_of(settings))) == 0) return;
  RankTexts const texts(communicator, settings);
  for (std::size_t r = 1; r < texts.size(); ++r) {
    if (texts[r] != texts[0]) fail_different(texts[0], texts[r], r);
  }
}

/// Makes sure that every rank has the same values. \throws MismatchError on every rank.
template <class Communicator>
ZERO_OUT_OF_LINE void agree_on_values(Communicator& communicator, std::string_view what, std::uint64_t fingerprint) {
  auto const rank = first_different(exchange_words(communicator, fingerprint));
  if (rank == 0) return;
  fail<MismatchError>({"zero::Engine: ", what, " differ between rank 0 and rank ", rank,
                       ": give every rank the same values, from the same file or the same seed; ranks that are threads "
                       "need a generator each, since one that they share gives each of them other numbers"});
}

/// What an error says; never empty.
inline std::string text_of(std::exception_ptr const& error) {
  try {
    std::rethrow_exception(error);
  } catch (std::exception const& known) {
    if (*known.what() != 0) return known.what();
  } catch (...) {  // says nothing
  }
  return "unknown";
}

/// How a call ended on one rank, in a form that travels: with 0 and its result, or with what went wrong and why.
struct LocalOutcome {
  std::uint8_t failure = 0;
  std::string text{};
};

/// How setting up an engine fails: the rank that failed throws what it threw, the others say which one it was.
struct SetupFailure {
  static LocalOutcome outcome_of(std::exception_ptr const& error) { return {1, text_of(error)}; }
  [[noreturn]] ZERO_OUT_OF_LINE static void raise(std::exception_ptr const& mine, RankTexts const& outcomes,
                                                  std::size_t failed) {
    if (mine) std::rethrow_exception(mine);
    fail<ConfigurationError>({"zero::Engine: rank ", failed, " could not be set up: ", outcomes[failed]});
  }
};

/// Every rank's \p text. Throws on every rank, as `Failure` has it, where one of them has an \p error, which may be
/// null. Blocks.
template <class Failure, class Communicator>
ZERO_OUT_OF_LINE RankTexts propagate_failure(Communicator& communicator, std::exception_ptr const& error,
                                             std::string_view text = {}) {
  LocalOutcome const mine = error ? Failure::outcome_of(error) : LocalOutcome{0, std::string(text)};
  RankTexts outcomes(communicator, mine.text, mine.failure);
  auto const failed = outcomes.first_failed();
  if (failed < outcomes.size()) Failure::raise(error, outcomes, failed);
  return outcomes;
}

/// What \p f throws; null where it does not.
template <class Function>
std::exception_ptr attempt(Function&& f) {
  try {
    f();
    return nullptr;
  } catch (...) {
    return std::current_exception();
  }
}

/// Runs \p f on every rank and returns every rank's result, a text or nothing. Where it throws on one, every rank
/// throws before any of them goes on to a collective that the failed one would never reach.
template <class Failure = SetupFailure, class Communicator, class Function>
RankTexts run_on_all_ranks(Communicator& communicator, Function&& f) {
  std::string text;
  auto const error = attempt([&] {
    if constexpr (std::is_void_v<decltype(f())>) {
      f();
    } else {
      text = f();
    }
  });
  return propagate_failure<Failure>(communicator, error, text);
}

}  // namespace zero::detail
