// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "shard.hpp"

#include "support/data_error.hpp"

#include <zero/utility/fingerprint.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>

namespace gpt2 {
namespace {

using command_line::refuse_data;

std::uint64_t size_of(std::string const& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) refuse_data(path, "no such file; give the path of a text or of a token file (.bin)");
    refuse_data(path, std::string("cannot be read: ") + std::strerror(errno));
  }
  if (S_ISDIR(status.st_mode)) refuse_data(path, "is a folder; give the path of a file in it");
  if (!S_ISREG(status.st_mode)) refuse_data(path, "is not a regular file; copy its content to one");
  return static_cast<std::uint64_t>(status.st_size);
}

/// Tokens of 16 or 32 bits, little-endian.
void decode(std::span<unsigned char const> bytes, std::size_t token_bytes, std::span<Token> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    auto const* const at = bytes.data() + i * token_bytes;
    Token token = static_cast<Token>(at[0]) | static_cast<Token>(at[1]) << 8;
    if (token_bytes == 4) token |= static_cast<Token>(at[2]) << 16 | static_cast<Token>(at[3]) << 24;
    out[i] = token;
  }
}

}  // namespace

Shard::Shard(std::shared_ptr<OpenFiles> files, std::string const& path)
    : files_(std::move(files)), path_(path), bytes_(size_of(path)), number_(files_->add(path, bytes_)) {
  constexpr std::size_t end_bytes = 4096;
  std::string head(static_cast<std::size_t>(std::min<std::uint64_t>(bytes_, ShardLayout::head_bytes)), '\0');
  files_->read(number_, 0, head.data(), head.size());
  layout_ = ShardLayout::parse(path_, head, bytes_);
  std::string tail(static_cast<std::size_t>(std::min<std::uint64_t>(bytes_, end_bytes)), '\0');
  files_->read(number_, bytes_ - tail.size(), tail.data(), tail.size());
  zero::Fingerprint fingerprint;
  fingerprint.add(bytes_);
  fingerprint.add_text(head);
  fingerprint.add_text(tail);
  fingerprint_ = fingerprint.value();
}

void Shard::require_vocabulary(std::uint64_t first, std::span<Token const> tokens) const {
  auto const worst = std::max_element(tokens.begin(), tokens.end());
  if (worst == tokens.end() || *worst < vocabulary_) return;
  auto const bad = std::find_if(tokens.begin(), tokens.end(), [&](Token token) { return token >= vocabulary_; });
  refuse_data(path_, "token " + std::to_string(*bad) + " at position " +
                         std::to_string(first + static_cast<std::uint64_t>(bad - tokens.begin())) +
                         " is beyond the vocabulary of " + std::to_string(vocabulary_) +
                         "; give a larger vocabulary or other data");
}

void Shard::read(std::uint64_t first, std::span<Token> out) const {
  thread_local std::vector<unsigned char> bytes;
  bytes.resize(out.size() * layout_.token_bytes);
  files_->read(number_, layout_.header_bytes + first * layout_.token_bytes, bytes.data(), bytes.size());
  decode(bytes, layout_.token_bytes, out);
  require_vocabulary(first, out);
}

}  // namespace gpt2
