// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "shard_set.hpp"

#include "data_paths.hpp"
#include "support/data_error.hpp"

#include <zero/utility/fingerprint.hpp>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace gpt2 {
namespace {

using command_line::refuse_data;

namespace fs = std::filesystem;

bool is_shard(fs::path const& file) { return file.extension() == ".bin"; }

/// Whether one of the words of a file's name says so, such as fineweb_val_000000.bin.
bool is_for_validation(fs::path const& file) {
  std::string word;
  for (char const c : file.stem().string() + ".") {
    if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
      word += c;
      continue;
    }
    if (word == "val" || word == "validation") return true;
    word.clear();
  }
  return false;
}

std::vector<ShardFile> as_shards(std::vector<std::string> const& paths) {
  std::vector<ShardFile> shards;
  shards.reserve(paths.size());
  for (auto const& path : paths) shards.push_back({path});
  return shards;
}

/// A manifest that names shards for validation names all of them.
ShardFiles shards_of_manifest(fs::path const& folder) {
  ShardFiles found{.manifest = zero_text::read_manifest(folder)};
  std::vector<ShardFile> validation;
  for (auto const& shard : found.manifest->shards) {
    (shard.validation ? validation : found.train).push_back({(folder / shard.file).string(), shard});
  }
  if (!validation.empty()) found.validation = std::move(validation);
  return found;
}

void require_as_expected(Shard const& shard, ShardFile const& file) {
  if (!file.expected) return;
  auto const& said = *file.expected;
  if (shard.bytes() == said.bytes && shard.tokens() == said.tokens) return;
  refuse_data(file.path, "has " + std::to_string(shard.bytes()) + " bytes and " + std::to_string(shard.tokens()) +
                             " tokens, but the manifest of its folder says " + std::to_string(said.bytes) + " and " +
                             std::to_string(said.tokens) + "; prepare the folder again");
}

std::vector<std::string> shards_of_folder(std::string const& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (is_shard(at->path())) files.push_back(at->path().string());
  }
  if (error) refuse_data(folder, "cannot be read: " + error.message());
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<std::string> shards_of_pattern(std::string const& pattern) {
  auto files = files_of_pattern(pattern);
  if (files.empty()) refuse_data(pattern, "no file has such a name; look where the pattern leads to, and quote it");
  for (auto const& file : files) {
    if (!is_shard(file))
      refuse_data(file, "is no shard, though the pattern fits it: shards end in .bin; give a narrower one");
  }
  return files;
}

}  // namespace

bool names_shards(std::string const& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return true;
  return is_shard(path) || (is_pattern(path) && !fs::exists(path, error));
}

ShardFiles find_shards(std::string const& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    bool const has_manifest = zero_text::has_manifest(path);
    ShardFiles found = has_manifest ? shards_of_manifest(path) : ShardFiles{};
    std::vector<ShardFile> validation = found.validation.value_or(std::vector<ShardFile>());
    if (!has_manifest) {
      for (auto& file : shards_of_folder(path)) (is_for_validation(file) ? validation : found.train).push_back({file});
    }
    if (found.train.empty()) {
      refuse_data(path, validation.empty()
                            ? "is a folder without a shard (.bin); give a file, a pattern or another folder"
                            : "is a folder with shards for validation only; give one with shards to train on");
    }
    if (!validation.empty()) found.validation = std::move(validation);
    return found;
  }
  if (is_pattern(path) && !fs::exists(path, error)) {
    auto const files = shards_of_pattern(path);
    ShardFiles found{.train = as_shards(files)};
    auto const first = std::find_if(files.begin(), files.end(), is_for_validation);
    if (first != files.end() && !std::all_of(files.begin(), files.end(), is_for_validation)) found.doubtful = *first;
    return found;
  }
  return {.train = {{path}}};
}

ShardSet::ShardSet(std::shared_ptr<OpenFiles> const& files, std::vector<ShardFile> const& shards) {
  zero::Fingerprint fingerprint;
  for (auto const& file : shards) {
    shards_.push_back(std::make_shared<Shard>(files, file.path));
    auto const& shard = *shards_.back();
    require_as_expected(shard, file);
    tokens_ += shard.tokens();
    bytes_ += shard.bytes();
    usual_vocabulary_ = std::max(usual_vocabulary_, shard.layout().usual_vocabulary);
    fingerprint.add(shard.fingerprint());
    if (file.expected) fingerprint.add(file.expected->hash);
  }
  fingerprint_ = fingerprint.value();
}

void ShardSet::set_vocabulary(std::size_t vocabulary) {
  for (auto const& shard : shards_) shard->set_vocabulary(vocabulary);
}

std::vector<Piece> ShardSet::pieces(std::uint64_t first, std::uint64_t count) const {
  std::vector<Piece> pieces;
  std::uint64_t begin = 0;
  for (auto const& shard : shards_) {
    auto const end = begin + shard->tokens();
    auto const from = std::max(begin, first), to = std::min(end, first + count);
    if (from < to) pieces.push_back({shard, from - begin, to - from});
    begin = end;
  }
  return pieces;
}

}  // namespace gpt2
