// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "../random.hpp"
#include "../tokens.hpp"
#include "batch_source.hpp"
#include "data_identity.hpp"
#include "data_paths.hpp"
#include "open_files.hpp"
#include "text/tokenizer.hpp"
#include "windows.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace gpt2 {

/// Which data a command line asks for.
struct DataChoice {
  std::string option = "--data";      ///< by which `data` was said
  std::optional<std::string> data{};  ///< as parse_data_paths reads it; without it: the standard library's headers
  std::optional<std::string> validation{};  ///< as parse_plain_paths reads it: one for all data sets, or one for each
};

/// One of the sets that a run validates on.
struct ValidationSet {
  std::string label;    ///< its name's last part, or all of it where another set has the same
  double weight = 1.0;  ///< in the loss of the mixture
};

/// What a run trains and validates on: texts in memory, or shards of which only what is drawn is read. Several threads
/// may read at once.
///
/// The sequences of a micro-batch are a function of its key and of nothing else. Each takes one random number for its
/// window, and, of a mixture, another one for its data set; both depend on the seed, the step, the micro-batch's place
/// among all of the step, and the sequence's place in it.
class TrainingData {
 public:
  /// Opens what \p choice names and reads texts; of shards it reads the first and the last bytes. \p characters: those
  /// of an earlier text, in the order of their tokens, which texts then are to have. Shards are read by \p read_at.
  /// \throws UsageError, DataError.
  [[nodiscard]] static TrainingData open(DataChoice const& choice, DataRequirements const& requirements,
                                         std::string const& characters = {}, ReadAt read_at = {});

  [[nodiscard]] std::string const& name() const noexcept { return name_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  /// Of texts, FNV-1a of 64 bits over their bytes; of shards, over sizes and over what was read of them.
  [[nodiscard]] std::uint64_t hash() const noexcept { return hash_; }
  [[nodiscard]] std::size_t vocabulary() const noexcept { return vocabulary_; }
  [[nodiscard]] std::uint64_t train_tokens() const noexcept { return train_tokens_; }
  /// In files, whose reading may take time.
  [[nodiscard]] bool is_in_files() const noexcept { return in_files_; }
  /// For a line about each data set, and none for one that needs no more words than its name.
  [[nodiscard]] std::vector<std::string> const& details() const noexcept { return details_; }

  /// At least one.
  [[nodiscard]] std::vector<ValidationSet> const& validation_sets() const noexcept { return validation_sets_; }

  /// Fills \p tokens and \p targets, [sequences, context] each, with what \p request names and the tokens that follow.
  /// \throws DataError where that cannot be read any more, or has a token beyond the vocabulary.
  void sample(BatchRequest const& request, std::span<Token> tokens, std::span<Token> targets) const;
  /// The first token of the validation data.
  [[nodiscard]] Token first_token() const { return validation_.front().front(); }

  [[nodiscard]] std::string decode(std::span<Token const> tokens) const;

  [[nodiscard]] DataIdentity const& identity() const noexcept { return identity_; }
  /// How these data are other ones than those that a checkpoint was trained on, if they are. \p saved: the text of its
  /// identity of data; checkpoints of earlier versions have \p hash only. \throws DataError where that is damaged.
  [[nodiscard]] std::optional<std::string> difference_from(std::optional<std::string> const& saved,
                                                           std::uint64_t hash) const;
  /// What earlier versions took for the hash: FNV-1a over the bytes of one file, which is read whole for it. Nothing
  /// for data that they could not train on.
  [[nodiscard]] std::optional<std::uint64_t> hash_of_all_bytes() const;

 private:
  class Opener;
  explicit TrainingData(std::size_t context) : context_(context) {}

  [[nodiscard]] Windows const& windows_of(CounterRandom const& random, std::size_t sequence, BatchRequest const&) const;

  std::string name_;
  std::vector<std::string> details_;
  std::size_t context_, vocabulary_ = 0;
  std::uint64_t bytes_ = 0, hash_ = 0, train_tokens_ = 0;
  bool in_files_ = false;
  std::vector<Windows> train_, validation_;
  std::vector<double> shares_;  // of the data sets up to each; the last one is 1
  std::vector<ValidationSet> validation_sets_;
  std::shared_ptr<Corpus const> text_;  // decodes, or the tokenizer, or neither
  std::optional<zero_text::Tokenizer> tokenizer_;
  DataIdentity identity_;
  std::optional<std::string> only_file_;  // of one shard
  bool only_text_hash_ = false;           // of one text
};

}  // namespace gpt2
