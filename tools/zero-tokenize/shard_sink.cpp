// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "shard_sink.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace zero_tokenize {

namespace fs = std::filesystem;

ShardSink::ShardSink(fs::path folder, bool validation, zero_text::ShardEncoding encoding, std::uint64_t shard_tokens,
                     SinkState state)
    : folder_(std::move(folder)),
      validation_(validation),
      encoding_(encoding),
      shard_tokens_(shard_tokens),
      state_(std::move(state)) {
  for (auto const& shard : state_.shards) {
    std::error_code error;
    if (fs::file_size(folder_ / shard.file, error) != shard.bytes || error) {
      throw zero_text::DataError((folder_ / shard.file).string() +
                                 ": is not the shard that was written; give --overwrite to begin anew");
    }
  }
  if (state_.tokens == 0) return;
  // A shard may have been completed after its state was saved.
  std::error_code error;
  auto const shard = state_.shards.size();
  if (!fs::exists(path(shard, false), error)) fs::rename(path(shard, true), path(shard, false), error);
  if (!fs::exists(path(shard, false), error)) {
    throw zero_text::DataError(path(shard, false).string() + ": is missing; give --overwrite to begin anew");
  }
  open();
}

std::string ShardSink::name(std::size_t shard) const {
  char text[40];
  std::snprintf(text, sizeof text, "%s_%06zu.bin", validation_ ? "val" : "train", shard);
  return text;
}

fs::path ShardSink::path(std::size_t shard, bool complete) const {
  return folder_ / (name(shard) + (complete ? "" : ".part"));
}

void ShardSink::open() {
  auto const held = state_.tokens == 0 ? 0 : header_bytes(encoding_) + state_.tokens * token_bytes(encoding_);
  file_.open(path(state_.shards.size(), false), held);
  if (state_.tokens == 0) file_.write(std::string(header_bytes(encoding_), '\0'));
}

void ShardSink::append(std::span<zero_text::TokenId const> tokens) {
  while (!tokens.empty()) {
    if (!file_.is_open()) open();
    auto const count = static_cast<std::size_t>(std::min<std::uint64_t>(tokens.size(), shard_tokens_ - state_.tokens));
    bytes_.clear();
    for (auto const token : tokens.first(count)) {
      for (std::size_t i = 0; i < token_bytes(encoding_); ++i) {
        bytes_ += static_cast<char>(static_cast<std::uint8_t>(token >> (8 * i)));
      }
    }
    zero::Fingerprint hash(state_.hash);
    hash.add_text(bytes_);
    state_.hash = hash.value();
    file_.write(bytes_);
    state_.tokens += count;
    tokens = tokens.subspan(count);
    if (state_.tokens == shard_tokens_) complete_shard();
  }
}

void ShardSink::complete_shard() {
  auto const shard = state_.shards.size();
  file_.overwrite_front(shard_header(encoding_, static_cast<std::uint32_t>(state_.tokens)));
  file_.sync();
  file_.close();
  rename_file(path(shard, false), path(shard, true));
  state_.shards.push_back({name(shard), validation_, state_.tokens,
                           header_bytes(encoding_) + state_.tokens * token_bytes(encoding_), state_.hash});
  state_.tokens = 0;
  state_.hash = SinkState{}.hash;
}

void ShardSink::sync() const {
  if (file_.is_open()) file_.sync();
}

void ShardSink::finish() {
  if (file_.is_open()) complete_shard();
}

std::uint64_t ShardSink::tokens() const noexcept {
  std::uint64_t sum = state_.tokens;
  for (auto const& shard : state_.shards) sum += shard.tokens;
  return sum;
}

}  // namespace zero_tokenize
