// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "text/tokenizer.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zero_text {

/// How a shard holds its tokens. All are little-endian.
enum class ShardEncoding : std::uint8_t {
  uint16,        ///< bare, as nanoGPT writes them
  llm_c_uint16,  ///< behind llm.c's header 20240520, version 1 (GPT-2)
  llm_c_uint32,  ///< behind llm.c's header 20240801, version 7 (Llama 3)
};

/// Its name in a manifest and on command lines.
[[nodiscard]] std::string_view name_of(ShardEncoding encoding) noexcept;
[[nodiscard]] std::optional<ShardEncoding> shard_encoding_of(std::string_view name) noexcept;

/// Bytes of one token: 2 or 4.
[[nodiscard]] constexpr std::size_t token_bytes(ShardEncoding encoding) noexcept {
  return encoding == ShardEncoding::llm_c_uint32 ? 4 : 2;
}
/// Bytes before the first token: 0 or 1024.
[[nodiscard]] constexpr std::size_t header_bytes(ShardEncoding encoding) noexcept {
  return encoding == ShardEncoding::uint16 ? 0 : 1024;
}
/// The 1024 bytes of llm.c's header; empty where there is none.
[[nodiscard]] std::string shard_header(ShardEncoding encoding, std::uint32_t tokens);

/// One file of tokens.
struct ManifestShard {
  std::string file;  ///< in the folder
  bool validation = false;
  std::uint64_t tokens = 0;
  std::uint64_t bytes = 0;  ///< of the file
  std::uint64_t hash = 0;   ///< FNV-1a, 64 bits, of the tokens' bytes
};

/// The tokenizer's file.
struct ManifestTokenizer {
  std::string file;  ///< in the folder
  TokenizerKind kind = TokenizerKind::bpe;
  std::uint64_t bytes = 0;
  std::uint64_t hash = 0;  ///< FNV-1a, 64 bits, of the file
};

/// What a folder of shards holds: docs/data.md.
struct Manifest {
  ShardEncoding encoding = ShardEncoding::llm_c_uint16;
  std::uint64_t vocabulary = 0;
  std::optional<TokenId> separator{};
  std::optional<ManifestTokenizer> tokenizer{};
  std::vector<ManifestShard> shards{};
  std::string made_by{};  ///< JSON of what zero-tokenize was asked for; empty: it is not said

  [[nodiscard]] std::uint64_t tokens(bool validation) const noexcept;
};

inline constexpr std::string_view manifest_file = "manifest.json";

/// Whether \p folder has a manifest.
[[nodiscard]] bool has_manifest(std::filesystem::path const& folder);
/// Whether the manifest that \p folder has says that it is one of shards; checkpoints have another of the same name.
[[nodiscard]] bool is_folder_of_shards(std::filesystem::path const& folder);

/// Reads and checks the manifest of \p folder: its members, and that sizes and numbers of tokens go together. Opens no
/// shard. \throws DataError.
[[nodiscard]] Manifest read_manifest(std::filesystem::path const& folder);

/// As read_manifest, from its text; \p name stands in errors. \throws DataError.
[[nodiscard]] Manifest parse_manifest(std::string_view text, std::string const& name);

/// The text of a manifest.
[[nodiscard]] std::string to_json(Manifest const& manifest);

/// The tokenizer of a folder; nothing where its manifest names none. \throws DataError where its file is missing, or
/// is not the one that made the shards.
[[nodiscard]] std::optional<Tokenizer> read_tokenizer(std::filesystem::path const& folder, Manifest const& manifest);

}  // namespace zero_text
