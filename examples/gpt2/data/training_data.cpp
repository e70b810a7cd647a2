// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "training_data.hpp"

#include "shard_set.hpp"
#include "support/counted.hpp"
#include "support/data_error.hpp"
#include "support/usage_error.hpp"

#include <zero/utility/fingerprint.hpp>
#include <zero/utility/shortest_number.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace gpt2 {

/// One data set of a mixture, or the only one.
struct OpenSet {
  std::string path;
  std::optional<double> weight{};
  std::size_t shards = 0;  // 0: it is a text
  std::vector<Piece> train{}, validation{};
  std::size_t validation_shards = 0;  // of its own
  SetIdentity train_identity{}, validation_identity{};
};

namespace {

using command_line::refuse_data;
using command_line::UsageError;

std::uint64_t tokens_of(std::vector<Piece> const& pieces) {
  std::uint64_t tokens = 0;
  for (auto const& piece : pieces) tokens += piece.tokens;
  return tokens;
}

/// The last parts of paths where they differ, or else the paths.
std::vector<std::string> labels_of(std::vector<std::string> const& paths) {
  std::vector<std::string> labels;
  for (auto const& path : paths) {
    std::filesystem::path place(path);
    if (!place.has_filename()) place = place.parent_path();
    labels.push_back(as_text(is_pattern(path) ? path : place.stem().string()));
  }
  auto const first = labels;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (first[i].empty() || std::count(first.begin(), first.end(), first[i]) > 1) labels[i] = as_text(paths[i]);
  }
  return labels;
}

}  // namespace

/// Opens data, step by step.
class TrainingData::Opener {
 public:
  Opener(DataChoice const& choice, DataRequirements const& requirements, std::string const& characters, ReadAt read_at)
      : requirements_(requirements),
        characters_(characters),
        files_(std::make_shared<OpenFiles>(64, std::move(read_at))),
        data_(requirements.context) {
    if (choice.data) paths_ = parse_data_paths(choice.option, *choice.data);
    if (choice.validation) validation_paths_ = parse_plain_paths("--val-data", *choice.validation);
    auto const many = std::max<std::size_t>(paths_.size(), 1);
    if (validation_paths_.size() > 1 && validation_paths_.size() != many) {
      throw UsageError("--val-data: names " + command_line::counted(validation_paths_.size(), "data set") + ", but " +
                       choice.option + " " + std::to_string(many) +
                       ": give one for all, or one for each in their order");
    }
  }

  TrainingData open() {
    bool const shards = !paths_.empty() && names_shards(paths_.front().path);
    for (auto const& [path, weight] : paths_) require_kind(path, shards);
    for (auto const& path : validation_paths_) require_kind(path, shards);
    if (shards) {
      open_shards();
    } else {
      open_texts();
    }
    take_names();
    take_windows();
    take_identity();
    return std::move(data_);
  }

 private:
  void require_kind(std::string const& path, bool shards) const {
    if (names_shards(path) == shards) return;
    std::error_code error;
    if (!std::filesystem::exists(path, error) && !names_shards(path)) {
      refuse_data(path, "no such file; give the path of a text or of a token file (.bin)");
    }
    auto const& other = paths_.empty() ? std::string("the standard library's headers") : paths_.front().path;
    refuse_data(
        other + " and " + path,
        "one is a token file (.bin) and one is text; give data of one kind: zero-tokenize makes shards of a text");
  }

  /// Whether set \p i has validation data of its own, and not a part of what it trains on or those of all.
  [[nodiscard]] std::optional<std::string> validation_of(std::size_t i) const {
    if (validation_paths_.empty()) return std::nullopt;
    return validation_paths_[validation_paths_.size() == 1 ? 0 : i];
  }
  [[nodiscard]] bool has_one_validation() const { return validation_paths_.size() == 1; }

  // ------------------------------------------------------------------------------------------------- shards

  void open_shards() {
    data_.in_files_ = true;
    std::vector<ShardSet> train, validation;
    for (std::size_t i = 0; i < paths_.size(); ++i) {
      auto const found = find_shards(paths_[i].path);
      take_manifest(paths_[i].path, found);
      if (found.doubtful) {
        data_.details_.push_back(paths_[i].path + ": trains on " + *found.doubtful +
                                 ", too, as the pattern fits it: name the folder, or give a narrower pattern");
      }
      train.emplace_back(files_, found.train);
      auto own = found.validation;
      if (auto const said = validation_of(i))
        own = i == 0 || !has_one_validation() ? files_for(*said) : std::vector<ShardFile>();
      validation.emplace_back(files_, own.value_or(std::vector<ShardFile>()));
    }
    take_vocabulary(train, validation);
    for (std::size_t i = 0; i < paths_.size(); ++i) add_shards(i, train[i], validation[i]);
    bool const is_one = train.size() == 1 && train[0].shards() == 1 && validation[0].shards() == 0;
    if (is_one && !sets_[0].train.empty()) {  // else it has no token, which take_windows says
      data_.only_file_ = sets_[0].train.front().source->name();
    }
  }

  /// All shards that are there: who says --val-data means all of it.
  std::vector<ShardFile> files_for(std::string const& path) {
    auto const found = find_shards(path);
    take_manifest(path, found);
    return found.validation ? *found.validation : found.train;
  }

  /// All data sets of a run have one tokenizer, as far as they say.
  void take_manifest(std::string const& path, ShardFiles const& found) {
    if (!found.manifest) return;
    manifest_vocabulary_ = std::max<std::uint64_t>(manifest_vocabulary_, found.manifest->vocabulary);
    bool const is_too_small = requirements_.vocabulary != 0 && requirements_.vocabulary < found.manifest->vocabulary;
    if (is_too_small) {
      refuse_data(path, "needs a vocabulary of at least " + std::to_string(found.manifest->vocabulary) + ", not " +
                            std::to_string(requirements_.vocabulary) + "; give a larger vocabulary or other data");
    }
    auto const& said = found.manifest->tokenizer;
    if (!said) return;
    if (tokenizer_hash_ && *tokenizer_hash_ != said->hash) {
      refuse_data(path, "has another tokenizer than " + tokenizer_of_ + "; prepare one of them with the other's");
    }
    if (tokenizer_hash_) return;
    tokenizer_hash_ = said->hash;
    tokenizer_of_ = path;
    data_.tokenizer_ = zero_text::read_tokenizer(path, *found.manifest);
  }

  void take_vocabulary(std::vector<ShardSet>& train, std::vector<ShardSet>& validation) {
    std::size_t usual = 0;
    for (auto const* sets : {&train, &validation}) {
      for (auto const& set : *sets) usual = std::max(usual, set.usual_vocabulary());
    }
    if (manifest_vocabulary_ != 0) usual = static_cast<std::size_t>(manifest_vocabulary_);
    data_.vocabulary_ = requirements_.vocabulary != 0 ? requirements_.vocabulary : usual;
    for (auto* sets : {&train, &validation}) {
      for (auto& set : *sets) set.set_vocabulary(data_.vocabulary_);
    }
  }

  void add_shards(std::size_t i, ShardSet const& train, ShardSet const& validation) {
    OpenSet set{.path = paths_[i].path, .weight = paths_[i].weight, .shards = train.shards()};
    set.validation_shards = validation.shards();
    bool const cuts = validation.shards() == 0 && validation_paths_.empty();
    auto const kept = cuts ? train.tokens() - train.tokens() / 10 : train.tokens();
    set.train = train.pieces(0, kept);
    set.validation = cuts ? train.pieces(kept, train.tokens() - kept) : validation.pieces(0, validation.tokens());
    set.train_identity = {.name = set.path, .bytes = train.bytes(), .tokens = kept, .hash = train.fingerprint()};
    set.validation_identity = {.name = set.path, .tokens = train.tokens() - kept, .hash = train.fingerprint()};
    if (!cuts) {
      set.validation_identity = {.name = validation_of(i).value_or(set.path),
                                 .bytes = validation.bytes(),
                                 .tokens = validation.tokens(),
                                 .hash = validation.fingerprint()};
    }
    data_.bytes_ += train.bytes() + validation.bytes();
    fingerprint_.add(train.fingerprint());
    if (validation.shards() > 0) fingerprint_.add(validation.fingerprint());
    sets_.push_back(std::move(set));
  }

  // ------------------------------------------------------------------------------------------------- texts

  void open_texts() {
    std::vector<std::shared_ptr<Corpus const>> texts;
    auto characters = characters_;
    if (characters.empty() && paths_.size() > 1) characters = characters_of_all();
    if (paths_.empty()) {
      if (!validation_paths_.empty()) {
        throw UsageError("--val-data: needs --data: the headers are their own validation data");
      }
      texts.push_back(std::make_shared<Corpus>(Corpus::of_standard_headers(requirements_of(characters))));
      sets_.push_back({.path = texts.front()->name()});
    }
    for (std::size_t i = 0; i < paths_.size(); ++i) {
      std::optional<std::filesystem::path> validation;
      if (auto const said = validation_of(i)) validation = *said;
      texts.push_back(std::make_shared<Corpus>(Corpus::load(paths_[i].path, requirements_of(characters), validation)));
      sets_.push_back({.path = paths_[i].path, .weight = paths_[i].weight});
    }
    for (std::size_t i = 0; i < texts.size(); ++i) add_text(sets_[i], texts[i]);
    data_.vocabulary_ = texts.front()->vocabulary();
    data_.text_ = texts.front();
    data_.only_text_hash_ = texts.size() == 1;
  }

  [[nodiscard]] DataRequirements requirements_of(std::string const& characters) const {
    auto requirements = requirements_;
    requirements.characters = characters;
    return requirements;
  }

  [[nodiscard]] std::string characters_of_all() const {
    std::vector<std::filesystem::path> files;
    for (auto const& data : paths_) files.emplace_back(data.path);
    for (auto const& path : validation_paths_) files.emplace_back(path);
    return characters_of(files);
  }

  void add_text(OpenSet& set, std::shared_ptr<Corpus const> const& text) {
    auto const pieces = [&](Split split) -> std::vector<Piece> {
      auto const tokens = text->tokens(split);
      return {{std::make_shared<TokensInMemory>(text->name(), tokens, text), 0, tokens.size()}};
    };
    set.train = pieces(Split::train);
    set.validation = pieces(Split::validation);
    set.train_identity = {
        .name = set.path, .bytes = text->bytes(), .tokens = tokens_of(set.train), .hash = text->hash()};
    set.validation_identity = {.name = set.path, .tokens = tokens_of(set.validation), .hash = text->hash()};
    data_.bytes_ += text->bytes();
    fingerprint_.add(text->hash());
    if (!text_hash_) text_hash_ = text->hash();
  }

  // ------------------------------------------------------------------------------------------------- all

  void take_names() {
    for (auto const& set : sets_) data_.name_ += (data_.name_.empty() ? "" : " and ") + set.path;
    for (auto const& path : validation_paths_) data_.name_.append(" and ").append(path);
    data_.hash_ = sets_.size() == 1 && text_hash_ ? *text_hash_ : fingerprint_.value();
  }

  void take_windows() {
    double sum = 0.0;
    for (std::size_t i = 0; i < sets_.size(); ++i) {
      auto const& set = sets_[i];
      bool const validates = !(has_one_validation() && !data_.validation_.empty());
      data_.train_.emplace_back(set.train, requirements_.context);
      require_windows(set.path, data_.train_.back(), "training");
      data_.train_tokens_ += data_.train_.back().tokens();
      data_.shares_.push_back(sum += set.weight.value_or(1.0));
      if (validates) {
        data_.validation_.emplace_back(set.validation, requirements_.context);
        require_windows(validation_of(i).value_or(set.path), data_.validation_.back(), "validation");
        data_.validation_sets_.push_back(
            {.label = {}, .weight = has_one_validation() ? 1.0 : set.weight.value_or(1.0)});
      }
      describe(set, validates);
    }
    data_.shares_.back() = 1.0;
    std::vector<std::string> paths;
    for (std::size_t i = 0; i < data_.validation_.size(); ++i) {
      paths.push_back(has_one_validation() ? validation_paths_.front() : sets_[i].path);
    }
    auto const labels = labels_of(paths);
    for (std::size_t i = 0; i < labels.size(); ++i) data_.validation_sets_[i].label = labels[i];
  }

  void require_windows(std::string const& name, Windows const& windows, std::string const& use) const {
    if (windows.count() > 0) return;
    auto const much = command_line::counted(windows.tokens(), "token") + " for " + use;
    auto const context = "but a context of " + std::to_string(requirements_.context) + " needs one more than that";
    if (windows.short_pieces() <= 1) {
      refuse_data(name, "has " + much + ", " + context + "; give more text or a shorter context");
    }
    refuse_data(name, "has " + much + " in " + std::to_string(windows.short_pieces()) + " shards, " + context +
                          " in one of them; give longer shards or a shorter context");
  }

  /// A line of what a name does not say.
  void describe(OpenSet const& set, bool validates) {
    if (set.shards <= 1 && set.validation_shards == 0 && !set.weight) return;
    std::string text = set.path + ": ";
    if (set.weight) text += "weight " + zero::shortest_number(*set.weight) + ", ";
    if (set.shards > 0) text += command_line::counted(set.shards, "shard") + ", ";
    auto const& train = data_.train_.back();
    text += std::to_string(train.tokens()) + " tokens to train on";
    if (validates) text += ", " + std::to_string(data_.validation_.back().tokens()) + " for validation";
    auto const left = train.short_pieces() + (validates ? data_.validation_.back().short_pieces() : 0);
    if (left > 0) text += ", " + std::to_string(left) + " of the pieces shorter than the context are left out";
    data_.details_.push_back(text);
  }

  void take_identity() {
    for (std::size_t i = 0; i < sets_.size(); ++i) {
      auto& identity = data_.identity_;
      identity.train.push_back(sets_[i].train_identity);
      identity.train.back().weight = sets_[i].weight.value_or(1.0);
      if (i >= data_.validation_.size()) continue;
      identity.validation.push_back(sets_[i].validation_identity);
      identity.validation.back().weight = data_.validation_sets_[i].weight;
    }
    if (data_.text_) data_.identity_.characters = data_.text_->characters();
    if (!data_.tokenizer_) return;
    if (data_.tokenizer_->kind() == zero_text::TokenizerKind::bpe) {
      data_.identity_.tokenizer = *tokenizer_hash_;
      return;
    }
    for (zero_text::TokenId token = 0; token < data_.tokenizer_->vocabulary(); ++token) {
      data_.identity_.characters += data_.tokenizer_->bytes_of(token);
    }
  }

  DataRequirements const& requirements_;
  std::string const& characters_;
  std::vector<DataPath> paths_;
  std::vector<std::string> validation_paths_;
  std::shared_ptr<OpenFiles> files_;
  std::vector<OpenSet> sets_;
  zero::Fingerprint fingerprint_;
  std::optional<std::uint64_t> text_hash_;
  std::uint64_t manifest_vocabulary_ = 0;  // 0: there is no manifest
  std::optional<std::uint64_t> tokenizer_hash_;
  std::string tokenizer_of_;  // the data set that was the first to have it
  TrainingData data_;
};

TrainingData TrainingData::open(DataChoice const& choice, DataRequirements const& requirements,
                                std::string const& characters, ReadAt read_at) {
  return Opener(choice, requirements, characters, std::move(read_at)).open();
}

Windows const& TrainingData::windows_of(CounterRandom const& random, std::size_t sequence,
                                        BatchRequest const& request) const {
  if (request.split == Split::validation) return validation_[request.set];
  if (train_.size() == 1) return train_.front();
  constexpr std::uint64_t of_sets = 0x73657473;  // another stream than that of the windows
  auto const place = random.with(of_sets).uniform(sequence);
  auto const found = std::upper_bound(shares_.begin(), shares_.end(), place);
  return train_[static_cast<std::size_t>(std::min(found, shares_.end() - 1) - shares_.begin())];
}

void TrainingData::sample(BatchRequest const& request, std::span<Token> tokens, std::span<Token> targets) const {
  if (tokens.size() % context_ != 0 || tokens.size() != targets.size()) {
    throw std::invalid_argument("gpt2::TrainingData::sample: tokens and targets must be [sequences, context] each");
  }
  auto const random = CounterRandom(request.key.seed)
                          .with(static_cast<std::uint64_t>(request.split))
                          .with(request.key.step)
                          .with(request.key.micro_batch);
  std::vector<Token> read(context_ + 1);
  for (std::size_t first = 0, sequence = 0; first < tokens.size(); first += context_, ++sequence) {
    auto const& windows = windows_of(random, sequence, request);
    windows.read(random.below(sequence, windows.count()), read);
    std::copy_n(read.begin(), context_, tokens.begin() + static_cast<std::ptrdiff_t>(first));
    std::copy_n(read.begin() + 1, context_, targets.begin() + static_cast<std::ptrdiff_t>(first));
  }
}

std::string TrainingData::decode(std::span<Token const> tokens) const {
  if (tokenizer_) return tokenizer_->decode(tokens);
  return text_ ? text_->decode(tokens) : numbers_of(tokens);
}

std::optional<std::string> TrainingData::difference_from(std::optional<std::string> const& saved,
                                                         std::uint64_t hash) const {
  if (saved) return DataIdentity::parse(*saved).difference(identity_);
  return hash_of_all_bytes() == hash ? std::nullopt : std::optional<std::string>("its bytes are other ones");
}

std::optional<std::uint64_t> TrainingData::hash_of_all_bytes() const {
  if (!only_file_) return only_text_hash_ ? std::optional(hash_) : std::nullopt;
  std::ifstream file(*only_file_, std::ios::binary);
  zero::Fingerprint fingerprint;
  std::vector<char> bytes(std::size_t{1} << 20);
  while (file) {
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    fingerprint.add_text({bytes.data(), static_cast<std::size_t>(file.gcount())});
  }
  if (file.bad() || !file.eof()) refuse_data(*only_file_, "cannot be read; check its permissions");
  return fingerprint.value();
}

}  // namespace gpt2
