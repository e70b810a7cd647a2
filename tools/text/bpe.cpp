// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "text/bpe.hpp"

#include <zero/utility/split_mix.hpp>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>
#include <queue>
#include <tuple>

namespace zero_text {
namespace {

constexpr std::uint32_t no_rank = UINT32_MAX;
constexpr std::size_t most_short = 48;  // bytes of a word that is searched as a whole for each merge

}  // namespace

std::uint32_t WordMerger::rank(std::size_t left, std::size_t right) const noexcept {
  auto const* const merge = vocabulary_.merges.find(parts_[left], parts_[right]);
  return merge == nullptr ? no_rank : merge->rank;
}

void WordMerger::merge(std::string_view word, std::vector<TokenId>& out) {
  if (vocabulary_.takes_whole_words) {
    if (auto const found = vocabulary_.ids.find(word); found != vocabulary_.ids.end()) {
      out.push_back(found->second);
      return;
    }
  }
  parts_.clear();
  for (char const c : word) {
    auto const byte = static_cast<unsigned char>(c);
    if (vocabulary_.byte_tokens[byte] == no_token) {
      char text[8];
      std::snprintf(text, sizeof text, "0x%02X", static_cast<unsigned>(byte));
      throw DataError("the text has the byte " + std::string(text) +
                      ", for which the vocabulary has no token; train one that has all bytes");
    }
    parts_.push_back(vocabulary_.byte_tokens[byte]);
  }
  if (parts_.size() <= most_short) {
    merge_short(out);
  } else {
    merge_long(out);
  }
}

void WordMerger::merge_short(std::vector<TokenId>& out) {
  std::size_t size = parts_.size();
  ranks_.assign(size, no_rank);
  for (std::size_t i = 0; i + 1 < size; ++i) ranks_[i] = rank(i, i + 1);
  while (size > 1) {
    auto const begin = ranks_.begin();
    auto const least = std::min_element(begin, begin + static_cast<std::ptrdiff_t>(size - 1));
    if (*least == no_rank) break;
    auto const at = static_cast<std::size_t>(least - begin);
    parts_[at] = vocabulary_.merges.find(parts_[at], parts_[at + 1])->id;
    auto const close = [&](auto& list) {
      auto const hole = list.begin() + static_cast<std::ptrdiff_t>(at + 1);
      std::copy(hole + 1, list.begin() + static_cast<std::ptrdiff_t>(size), hole);
    };
    close(parts_);
    close(ranks_);
    --size;
    ranks_[at] = at + 1 < size ? rank(at, at + 1) : no_rank;
    if (at > 0) ranks_[at - 1] = rank(at - 1, at);
  }
  out.insert(out.end(), parts_.begin(), parts_.begin() + static_cast<std::ptrdiff_t>(size));
}

// A list of parts and a heap of merges, of which those whose parts have changed since are skipped.
void WordMerger::merge_long(std::vector<TokenId>& out) {
  std::size_t const size = parts_.size();
  std::vector<std::size_t> next(size), previous(size);
  for (std::size_t i = 0; i < size; ++i) next[i] = i + 1, previous[i] = i - 1;
  using Candidate = std::tuple<std::uint32_t, std::size_t, TokenId, TokenId>;  // rank, place, the two parts
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> heap;
  auto const offer = [&](std::size_t left, std::size_t right) {
    if (auto const found = rank(left, right); found != no_rank) heap.emplace(found, left, parts_[left], parts_[right]);
  };
  for (std::size_t i = 0; i + 1 < size; ++i) offer(i, i + 1);
  while (!heap.empty()) {
    auto const [rank_here, at, left, right] = heap.top();
    heap.pop();
    auto const behind = next[at];
    if (parts_[at] != left || behind >= size || parts_[behind] != right) continue;
    parts_[at] = vocabulary_.merges.find(left, right)->id;
    parts_[behind] = no_token;
    next[at] = next[behind];
    if (next[at] < size) previous[next[at]] = at, offer(at, next[at]);
    if (at != 0) offer(previous[at], at);
  }
  for (std::size_t i = 0; i < size; i = next[i]) out.push_back(parts_[i]);
}

WordCache::Entry& WordCache::place(std::string_view word) noexcept {
  std::uint64_t hash = word.size(), eight = 0;
  std::size_t at = 0;
  for (; at + 8 <= word.size(); at += 8) {
    std::memcpy(&eight, word.data() + at, 8);
    hash = zero::SplitMix64::mix(hash ^ eight);
  }
  eight = 0;
  if (at < word.size()) std::memcpy(&eight, word.data() + at, word.size() - at);
  return entries_[zero::SplitMix64::mix(hash ^ eight) & (entries_.size() - 1)];
}

}  // namespace zero_text
