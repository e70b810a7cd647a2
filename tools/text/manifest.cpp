// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "text/manifest.hpp"

#include "support/json_file.hpp"
#include "text/text_file.hpp"

#include <zero/utility/fingerprint.hpp>
#include <zero/utility/json.hpp>

#include <array>
#include <charconv>
#include <cstdio>
#include <utility>

namespace zero_text {
namespace {

namespace fs = std::filesystem;
using zero::Json;

constexpr std::string_view manifest_format = "zero-tokens";
constexpr std::array<std::pair<ShardEncoding, std::string_view>, 3> encodings{
    {{ShardEncoding::uint16, "uint16"},
     {ShardEncoding::llm_c_uint16, "llm.c-uint16"},
     {ShardEncoding::llm_c_uint32, "llm.c-uint32"}}};
constexpr std::size_t header_integers = 256;

std::string hash_text(std::uint64_t hash) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

// Members of one object; errors name the file and where in it.
class Members {
 public:
  Members(Json const& object, std::string name) : object_(object), name_(std::move(name)) {
    if (object.get<Json::Object>() == nullptr) fail("is no object");
  }

  [[noreturn]] void fail(std::string const& problem) const { throw DataError(name_ + ": " + problem); }
  [[nodiscard]] Json const& at(std::string_view member) const {
    auto const* const found = object_.find(member);
    if (found == nullptr) fail("has no \"" + std::string(member) + "\"");
    return *found;
  }
  [[nodiscard]] std::string const& text(std::string_view member) const {
    auto const* const value = at(member).get<std::string>();
    if (value == nullptr) fail("\"" + std::string(member) + "\" is no text");
    return *value;
  }
  [[nodiscard]] std::uint64_t number(std::string_view member) const {
    auto const* const value = at(member).get<std::uint64_t>();
    if (value == nullptr) fail("\"" + std::string(member) + "\" is no whole number");
    return *value;
  }
  [[nodiscard]] std::uint64_t hash(std::string_view member) const {
    auto const& value = text(member);
    std::uint64_t hash = 0;
    auto const [end, error] = std::from_chars(value.data(), value.data() + value.size(), hash, 16);
    if (value.size() != 16 || error != std::errc() || end != value.data() + 16) {
      fail("\"" + std::string(member) + "\" is no hash of 16 hexadecimal digits");
    }
    return hash;
  }
  [[nodiscard]] std::string const& file(std::string_view member) const {
    auto const& value = text(member);
    if (value.empty() || value == "." || value == ".." || value.find('/') != std::string::npos ||
        value.find('\0') != std::string::npos) {
      fail("\"" + std::string(member) + "\" is no name of a file in this folder");
    }
    return value;
  }

 private:
  Json const& object_;
  std::string name_;
};

ManifestShard parse_shard(Members const& members, ShardEncoding encoding) {
  ManifestShard shard;
  shard.file = members.file("file");
  auto const& split = members.text("split");
  if (split != "train" && split != "validation") members.fail("\"split\" is neither train nor validation");
  shard.validation = split == "validation";
  shard.tokens = members.number("tokens");
  shard.bytes = members.number("bytes");
  shard.hash = members.hash("hash");
  if (shard.tokens > (std::uint64_t{1} << 56U) ||
      shard.bytes != header_bytes(encoding) + shard.tokens * token_bytes(encoding)) {
    members.fail("has " + std::to_string(shard.tokens) + " tokens, which do not take " + std::to_string(shard.bytes) +
                 " bytes");
  }
  return shard;
}

ManifestTokenizer parse_tokenizer(Members const& members) {
  auto const& kind = members.text("kind");
  if (kind != "bpe" && kind != "characters") members.fail("\"kind\" is neither bpe nor characters");
  return {members.file("file"), kind == "bpe" ? TokenizerKind::bpe : TokenizerKind::characters, members.number("bytes"),
          members.hash("hash")};
}

void put_integer(std::string& out, std::uint32_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) out += static_cast<char>(value >> shift & 0xFFU);
}

}  // namespace

std::string_view name_of(ShardEncoding encoding) noexcept {
  for (auto const& [each, name] : encodings) {
    if (each == encoding) return name;
  }
  return {};
}

std::optional<ShardEncoding> shard_encoding_of(std::string_view name) noexcept {
  for (auto const& [encoding, each] : encodings) {
    if (each == name) return encoding;
  }
  return std::nullopt;
}

std::string shard_header(ShardEncoding encoding, std::uint32_t tokens) {
  std::string header;
  if (encoding == ShardEncoding::uint16) return header;
  bool const wide = encoding == ShardEncoding::llm_c_uint32;
  put_integer(header, wide ? 20240801 : 20240520);
  put_integer(header, wide ? 7 : 1);
  put_integer(header, tokens);
  header.resize(header_integers * 4);
  return header;
}

std::uint64_t Manifest::tokens(bool validation) const noexcept {
  std::uint64_t sum = 0;
  for (auto const& shard : shards) sum += shard.validation == validation ? shard.tokens : 0;
  return sum;
}

bool has_manifest(fs::path const& folder) {
  std::error_code error;
  return fs::is_regular_file(folder / manifest_file, error);
}

bool is_folder_of_shards(fs::path const& folder) {
  if (!has_manifest(folder)) return false;
  try {
    return command_line::has_text(command_line::read_json((folder / manifest_file).string()), {"format"},
                                  manifest_format);
  } catch (DataError const&) {
    return false;
  }
}

Manifest parse_manifest(std::string_view text, std::string const& name) {
  Json root;
  try {
    root = command_line::parse_json(text);
  } catch (zero::Error const&) {
    throw DataError(name + ": is no JSON, or cut off; prepare the folder again");
  }
  Members const members(root, name);
  if (members.text("format") != manifest_format) members.fail("is no manifest of a folder of shards");
  if (members.number("version") != 1) {
    members.fail("is of version " + std::to_string(members.number("version")) + ", but version 1 is read here");
  }
  Manifest manifest;
  auto const& encoding = members.text("encoding");
  auto const known = shard_encoding_of(encoding);
  if (!known) members.fail("the encoding \"" + encoding + "\" is not read here");
  manifest.encoding = *known;
  manifest.vocabulary = members.number("vocabulary");
  std::uint64_t const most = token_bytes(*known) == 2 ? std::uint64_t{1} << 16U : std::uint64_t{1} << 32U;
  if (manifest.vocabulary == 0 || manifest.vocabulary > most) members.fail("the vocabulary does not fit its encoding");
  if (!members.at("separator").is_null()) {
    auto const separator = members.number("separator");
    if (separator >= manifest.vocabulary) members.fail("the separator is not in the vocabulary");
    manifest.separator = static_cast<TokenId>(separator);
  }
  if (auto const& tokenizer = members.at("tokenizer"); !tokenizer.is_null()) {
    manifest.tokenizer = parse_tokenizer(Members(tokenizer, name + ": tokenizer"));
  }
  if (auto const* const made_by = root.find("made_by")) manifest.made_by = zero::to_text(*made_by);
  auto const* const shards = members.at("shards").get<Json::Array>();
  if (shards == nullptr || shards->empty()) members.fail("names no shards");
  for (std::size_t i = 0; i < shards->size(); ++i) {
    manifest.shards.push_back(parse_shard(Members((*shards)[i], name + ": shard " + std::to_string(i)), *known));
  }
  return manifest;
}

Manifest read_manifest(fs::path const& folder) {
  auto const file = folder / manifest_file;
  return parse_manifest(read_text_file(file, "a folder that zero-tokenize has made"), file.string());
}

std::string to_json(Manifest const& manifest) {
  std::string out = "{\n  \"format\": \"" + std::string(manifest_format) +
                    "\",\n  \"version\": 1,\n  \"encoding\": \"" + std::string(name_of(manifest.encoding)) +
                    "\",\n  \"vocabulary\": " + std::to_string(manifest.vocabulary) +
                    ",\n  \"separator\": " + (manifest.separator ? std::to_string(*manifest.separator) : "null") +
                    ",\n  \"tokenizer\": ";
  auto const add = [&](Json::Object object) { zero::write_json(out, Json(std::move(object))); };
  if (manifest.tokenizer) {
    auto const& tokenizer = *manifest.tokenizer;
    add({{"file", tokenizer.file},
         {"kind", tokenizer.kind == TokenizerKind::bpe ? "bpe" : "characters"},
         {"bytes", tokenizer.bytes},
         {"hash", hash_text(tokenizer.hash)}});
  } else {
    out += "null";
  }
  out += ",\n  \"shards\": [";
  std::string_view separator = "\n    ";
  for (auto const& shard : manifest.shards) {
    out += std::exchange(separator, ",\n    ");
    add({{"file", shard.file},
         {"split", shard.validation ? "validation" : "train"},
         {"tokens", shard.tokens},
         {"bytes", shard.bytes},
         {"hash", hash_text(shard.hash)}});
  }
  out += "\n  ]";
  if (!manifest.made_by.empty()) {
    out += ",\n  \"made_by\": ";
    out += manifest.made_by;
  }
  return out + "\n}\n";
}

std::optional<Tokenizer> read_tokenizer(fs::path const& folder, Manifest const& manifest) {
  if (!manifest.tokenizer) return std::nullopt;
  auto const file = folder / manifest.tokenizer->file;
  auto const text = read_text_file(file, "the tokenizer that its manifest names");
  if (text.size() != manifest.tokenizer->bytes || zero::fingerprint_of(text) != manifest.tokenizer->hash) {
    throw DataError(file.string() + ": is not the tokenizer that made these shards; prepare the folder again");
  }
  auto tokenizer = Tokenizer::from_json(text, file.string());
  if (tokenizer.kind() != manifest.tokenizer->kind || tokenizer.vocabulary() > manifest.vocabulary) {
    throw DataError(file.string() + ": has another vocabulary than the manifest says; prepare the folder again");
  }
  return tokenizer;
}

}  // namespace zero_text
