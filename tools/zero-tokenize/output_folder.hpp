// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "files.hpp"
#include "progress.hpp"
#include "text/manifest.hpp"
#include "text/tokenizer.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace zero_tokenize {

/// The folder that a preparation writes, which no other may write meanwhile.
class OutputFolder {
 public:
  /// Makes it where it is missing, and changes nothing else: what is to be overwritten is there until `begin_anew`.
  /// \throws UsageError, DataError, std::system_error.
  OutputFolder(std::filesystem::path path, bool overwrite);

  [[nodiscard]] std::filesystem::path const& path() const noexcept { return path_; }

  /// The manifest where a preparation of this \p request is complete. \throws UsageError where the folder has one of
  /// another request, or files that no preparation made.
  [[nodiscard]] std::optional<zero_text::Manifest> complete(std::string const& request) const;
  /// Where one of this request was begun; nothing also where one of another request has not saved a token.
  /// \throws UsageError as complete() does.
  [[nodiscard]] std::optional<Progress> begun(std::string const& request) const;

  /// Leaves \p tokenizer in the folder, unless it has no text, and nothing else. Call it once all that may be refused
  /// has been looked at: what was there is gone then. A process that is killed meanwhile leaves the tokenizer that was
  /// there, which may be the one that was read, or the new one. \throws UsageError where there is the tokenizer of
  /// something else that is not to be overwritten; std::system_error.
  void begin_anew(zero_text::TokenizerText const& tokenizer) const;

  /// Writes the manifest: from then on the folder is complete.
  void finish(zero_text::Manifest const& manifest) const;

 private:
  void require_ours(bool overwrite) const;
  void require_no_other(zero_text::TokenizerText const& tokenizer) const;
  void require_same(std::string const& request, std::string const& other) const;

  std::filesystem::path path_;
  bool overwrites_;
  std::optional<FolderLock> lock_;
};

}  // namespace zero_tokenize
