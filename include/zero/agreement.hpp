// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace zero {

/// FNV-1a, 64 bits: Fowler, Noll and Vo. A fingerprint against mistakes, not against malice.
class Fingerprint {
 public:
  void add(std::span<std::byte const> bytes) noexcept {
    for (auto byte : bytes) value_ = (value_ ^ static_cast<std::uint64_t>(byte)) * 0x100000001B3U;
  }
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void add(T const& value) noexcept { add(std::as_bytes(std::span(&value, 1))); }
  [[nodiscard]] std::uint64_t value() const noexcept { return value_; }

 private:
  std::uint64_t value_ = 0xCBF29CE484222325U;
};

namespace detail {

/// Every rank's \p mine, in rank order. Blocks.
template <class T, class Communicator>
std::vector<T> exchange_values(Communicator& communicator, T const& mine) {
  std::vector<T> all(static_cast<std::size_t>(communicator.size()));
  communicator.exchange(std::as_bytes(std::span(&mine, 1)), std::as_writable_bytes(std::span(all)));
  return all;
}

/// Every rank's \p mine, in rank order; texts may differ in length. Blocks.
template <class Communicator>
std::vector<std::string> exchange_texts(Communicator& communicator, std::string const& mine) {
  auto const lengths = exchange_values(communicator, std::uint64_t{mine.size()});
  auto const longest = static_cast<std::size_t>(*std::max_element(lengths.begin(), lengths.end()));
  std::vector<std::byte> padded(longest);
  std::memcpy(padded.data(), mine.data(), mine.size());
  std::vector<std::byte> all(longest * lengths.size());
  if (longest > 0) communicator.exchange(padded, all);
  std::vector<std::string> texts;
  for (std::size_t r = 0; r < lengths.size(); ++r) {
    texts.emplace_back(reinterpret_cast<char const*>(all.data()) + r * longest, static_cast<std::size_t>(lengths[r]));
  }
  return texts;
}

inline std::pair<std::string, std::string> first_difference(std::string_view a, std::string_view b) {
  auto const line = [](std::string_view& text) {
    auto const end = std::min(text.find('\n'), text.size());
    auto const head = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return head.empty() ? std::string("nothing") : std::string(head);
  };
  for (;;) {
    auto mine = line(a);
    auto theirs = line(b);
    if (mine != theirs || (a.empty() && b.empty())) return {std::move(mine), std::move(theirs)};
  }
}

/// Makes sure that \p settings, one per line, are the same on every rank. Blocks.
/// \throws MismatchError on every rank, which names the first difference and both ranks.
template <class Communicator>
void agree_on_settings(Communicator& communicator, std::string const& settings) {
  Fingerprint fingerprint;
  fingerprint.add(std::as_bytes(std::span(settings)));
  auto const all = exchange_values(communicator, fingerprint.value());
  if (std::all_of(all.begin(), all.end(), [&](auto value) { return value == all.front(); })) return;
  auto const texts = exchange_texts(communicator, settings);
  for (std::size_t r = 1; r < texts.size(); ++r) {
    if (texts[r] == texts[0]) continue;
    auto const [first, other] = first_difference(texts[0], texts[r]);
    throw MismatchError(detail::sentence({"zero::Engine: ranks were set up differently: rank 0 has \"", first,
                                          "\", rank ", r, " has \"", other, "\": give every rank the same"}));
  }
}

/// Makes sure that every rank has the same values. \throws MismatchError on every rank.
template <class Communicator>
void agree_on_values(Communicator& communicator, std::string_view what, std::uint64_t fingerprint) {
  auto const all = exchange_values(communicator, fingerprint);
  for (std::size_t r = 1; r < all.size(); ++r) {
    if (all[r] == all[0]) continue;
    throw MismatchError(detail::sentence({"zero::Engine: ", what, " differ between rank 0 and rank ", r,
                                          ": give every rank the same values (the same seed, the same file)"}));
  }
}

/// Runs \p f on every rank; where it throws on one, every rank throws before any of them goes on to a collective that
/// the failed one would never reach.
template <class Communicator, class F>
void on_all_ranks_or_none(Communicator& communicator, F&& f) {
  std::exception_ptr mine;
  std::string reason;
  try {
    f();
  } catch (std::exception const& error) {
    mine = std::current_exception();
    reason = error.what();
    if (reason.empty()) reason = "unknown";
  }
  if (communicator.size() == 1 && mine) std::rethrow_exception(mine);
  auto const all = exchange_values(communicator, std::uint8_t{mine ? std::uint8_t{1} : std::uint8_t{0}});
  auto const failed = std::find(all.begin(), all.end(), std::uint8_t{1});
  if (failed == all.end()) return;
  auto const texts = exchange_texts(communicator, reason);
  if (mine) std::rethrow_exception(mine);
  auto const rank = failed - all.begin();
  throw ConfigurationError(
      detail::sentence({"zero::Engine: rank ", rank, " could not be set up: ", texts[static_cast<std::size_t>(rank)]}));
}

}  // namespace detail
}  // namespace zero
