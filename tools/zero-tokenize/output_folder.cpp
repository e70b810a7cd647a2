// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "output_folder.hpp"

#include "text/characters.hpp"
#include "text/text_file.hpp"

#include <zero/utility/fingerprint.hpp>

#include <algorithm>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace zero_tokenize {
namespace {

namespace fs = std::filesystem;

// `train_000012.bin`: six digits, or more where there are as many shards.
bool is_shard(std::string_view name) {
  if (!name.ends_with(".bin")) return false;
  name.remove_suffix(4);
  auto const digits = name.starts_with("train_") ? 6U : name.starts_with("val_") ? 4U : 0U;
  name.remove_prefix(digits);
  return digits != 0 && name.size() >= 6 &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Whether a preparation may have made a file of this name.
bool is_ours(std::string_view name) {
  if (name.ends_with(".part")) name.remove_suffix(5);
  return is_shard(name) || name == zero_text::manifest_file || name == progress_file || name == "tokenizer.json" ||
         name == zero_text::characters_file;
}

std::vector<fs::path> files_of(fs::path const& folder) {
  std::vector<fs::path> files;
  for (auto const& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  return files;
}

}  // namespace

OutputFolder::OutputFolder(fs::path path, bool overwrite) : path_(std::move(path)), overwrites_(overwrite) {
  std::error_code error;
  if (fs::exists(path_, error) && !fs::is_directory(path_, error)) {
    throw UsageError("--output " + path_.string() + ": is no folder; name another");
  }
  fs::create_directories(path_, error);
  if (error) throw std::system_error(error, path_.string() + ": cannot be made");
  lock_.emplace(path_);
  require_ours(overwrite);
}

void OutputFolder::require_ours(bool overwrite) const {
  std::error_code error;
  bool const was_made = fs::exists(path_ / progress_file, error) || zero_text::has_manifest(path_);
  bool const has_tokenizer =
      fs::exists(path_ / "tokenizer.json", error) || fs::exists(path_ / zero_text::characters_file, error);
  std::string orphan;
  for (auto const& file : files_of(path_)) {
    std::string const name = file.filename().string();
    // Before the first state is saved there may be a tokenizer, and nothing else.
    bool const early = name.ends_with(".part") || name == "tokenizer.json" || name == zero_text::characters_file;
    if (is_ours(name) && (was_made || early)) continue;
    if (!is_ours(name) || !has_tokenizer) {
      throw UsageError("--output " + path_.string() + ": has files that zero-tokenize has not made, such as " + name +
                       "; name another folder");
    }
    orphan = name;
  }
  if (orphan.empty() || overwrite) return;
  throw UsageError("--output " + path_.string() + ": has shards, such as " + orphan + ", but their " +
                   std::string(zero_text::manifest_file) +
                   " is missing; put it back, give --overwrite to begin anew, or name another folder");
}

// A vocabulary that nobody has begun to use here is the work of another command, and perhaps the only copy of it.
void OutputFolder::require_no_other(zero_text::TokenizerText const& tokenizer) const {
  for (auto const& name : {std::string("tokenizer.json"), std::string(zero_text::characters_file)}) {
    std::error_code error;
    if (!fs::exists(path_ / name, error)) continue;
    auto const there = zero_text::read_text_file(path_ / name, "");
    auto const progress = read_progress(path_);
    bool const is_begun = progress && progress->tokenizer == zero::fingerprint_of(there);
    if (is_begun || (name == tokenizer.name && there == tokenizer.text)) continue;
    throw UsageError("--output " + path_.string() + ": has a " + name +
                     " of another vocabulary; name another folder, or give --overwrite to replace it");
  }
}

void OutputFolder::begin_anew(zero_text::TokenizerText const& tokenizer) const {
  if (!overwrites_) require_no_other(tokenizer);
  auto const remove = [](fs::path const& file) {
    std::error_code error;
    fs::remove(file, error);
    if (error) throw std::system_error(error, file.string() + ": cannot be removed");
  };
  remove(path_ / zero_text::manifest_file);  // first: from here on it is not complete
  remove(path_ / progress_file);
  if (!tokenizer.text.empty()) write_file(path_ / tokenizer.name, tokenizer.text);
  for (auto const& file : files_of(path_)) {
    if (tokenizer.text.empty() || file.filename() != tokenizer.name) remove(file);
  }
}

void OutputFolder::require_same(std::string const& request, std::string const& other) const {
  auto const difference = first_difference(request, other);
  if (difference.empty()) return;
  throw UsageError("--output " + path_.string() + ": was begun with another \"" + difference +
                   "\"; name another folder, or give --overwrite to begin anew");
}

std::optional<zero_text::Manifest> OutputFolder::complete(std::string const& request) const {
  if (overwrites_ || !zero_text::has_manifest(path_)) return std::nullopt;
  auto manifest = zero_text::read_manifest(path_);
  require_same(request, manifest.made_by);
  std::error_code error;
  fs::remove(path_ / progress_file, error);
  for (auto const& shard : manifest.shards) {
    if (fs::file_size(path_ / shard.file, error) != shard.bytes || error) {
      throw DataError((path_ / shard.file).string() +
                      ": is not the shard that was written; give --overwrite to begin anew");
    }
  }
  return manifest;
}

std::optional<Progress> OutputFolder::begun(std::string const& request) const {
  if (overwrites_) return std::nullopt;
  auto progress = read_progress(path_);
  if (!progress) return std::nullopt;
  // The first error is often one of the options or of the first input: the command that is mended shall work.
  if (!progress->has_begun() && progress->request != request) return std::nullopt;
  require_same(request, progress->request);
  return progress;
}

void OutputFolder::finish(zero_text::Manifest const& manifest) const {
  write_file(path_ / zero_text::manifest_file, to_json(manifest));
  std::error_code error;
  fs::remove(path_ / progress_file, error);
}

}  // namespace zero_tokenize
