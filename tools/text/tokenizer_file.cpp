// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support/json_file.hpp"
#include "text/byte_alphabet.hpp"
#include "text/model.hpp"

#include <zero/utility/json.hpp>

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace zero_text {
namespace {

using zero::Json;

constexpr TokenId most_ids = 1U << 24U;  // an id is an index

// Whether an id leaves more free than its file's size explains, since each takes memory.
bool has_gaps(TokenId highest, std::size_t tokens) { return highest > 2 * tokens + (1U << 17U); }

// Reads one file; every error names it and the member.
class TokenizerFile {
 public:
  explicit TokenizerFile(std::string const& name) : name_(name) {}

  Vocabulary read(std::string_view text) {
    Json const root = parse(text);
    if (root.get<Json::Object>() == nullptr) fail("is no tokenizer.json: it is no object");
    Json const* const model = root.find("model");
    if (model == nullptr || model->get<Json::Object>() == nullptr) fail("is no tokenizer.json: it has no model");
    require_null(root, "truncation", "cuts texts off");
    require_null(root, "padding", "puts tokens behind a text");
    read_model(*model);
    read_normalizer(member(root, "normalizer"));
    read_pre_tokenizer(member(root, "pre_tokenizer"));
    read_decoder(member(root, "decoder"));
    read_added_tokens(member(root, "added_tokens"));
    read_post_processor(member(root, "post_processor"));
    return indexed();
  }

  Vocabulary read_pair(std::string_view vocabulary, std::string_view merges) {
    read_vocabulary(parse(vocabulary));
    std::vector<std::pair<std::string, std::string>> pairs;
    std::size_t line = 0;
    while (!merges.empty()) {
      auto const end = std::min(merges.find('\n'), merges.size());
      auto row = merges.substr(0, end);
      merges.remove_prefix(std::min(end + 1, merges.size()));
      ++line;
      if (row.ends_with('\r')) row.remove_suffix(1);
      if (row.empty() || row.starts_with("#version")) continue;
      pairs.push_back(parse_merge(row, "line " + std::to_string(line) + " of its merges"));
    }
    add_merges(pairs);
    std::string const end_of_text = "<|endoftext|>";
    if (auto const found = spelled_.find(end_of_text); found != spelled_.end()) {
      add({.content = end_of_text, .id = found->second, .special = true});
    }
    return indexed();
  }

 private:
  [[noreturn]] void fail(std::string const& problem) const { throw DataError(name_ + ": " + problem); }
  [[noreturn]] void refuse(std::string const& what) const { fail(what + " is not computed here"); }

  Json parse(std::string_view text) const {
    if (text.empty()) fail("is empty; give a tokenizer.json");
    try {
      return command_line::parse_json(text, 16);
    } catch (zero::Error const& error) {
      std::string const why = error.what();
      auto const at = why.find("invalid JSON");
      fail("is no JSON, or cut off: " + (at == std::string::npos ? why : why.substr(at)));
    }
  }

  static Json const& member(Json const& object, std::string_view name) {
    static Json const null;
    Json const* const found = object.find(name);
    return found == nullptr ? null : *found;
  }
  std::string text_in(Json const& object, std::string_view name, std::string_view where) const {
    auto const* const text = member(object, name).get<std::string>();
    if (text == nullptr) fail(std::string(where) + " has no text \"" + std::string(name) + "\"");
    return *text;
  }
  bool flag_in(Json const& object, std::string_view name, bool usual) const {
    Json const& value = member(object, name);
    if (value.is_null()) return usual;
    auto const* const flag = value.get<bool>();
    if (flag == nullptr) fail("\"" + std::string(name) + "\" is neither true nor false");
    return *flag;
  }
  void require_null(Json const& object, std::string_view name, std::string_view what) const {
    if (member(object, name).is_null()) return;
    fail("\"" + std::string(name) + "\" " + std::string(what) + ", which is not done here; set it to null");
  }
  TokenId id_of(Json const& value, std::string const& what) const {
    auto const* const number = value.get<std::uint64_t>();
    if (number == nullptr || *number >= most_ids) {
      fail("the id of " + what + " is no whole number below " + std::to_string(most_ids));
    }
    return static_cast<TokenId>(*number);
  }

  // ------------------------------------------------------------------------------------------------------- the model

  void read_model(Json const& model) {
    Json const& type = member(model, "type");
    auto const* const type_name = type.get<std::string>();
    bool const is_bpe =
        type.is_null() ? !member(model, "merges").is_null() : type_name != nullptr && *type_name == "BPE";
    if (!is_bpe) refuse("the model " + (type_name == nullptr ? "without a type" : quoted(*type_name)));
    for (auto const* const text : {"continuing_subword_prefix", "end_of_word_suffix"}) {
      Json const& value = member(model, text);
      auto const* const set = value.get<std::string>();
      if (!value.is_null() && (set == nullptr || !set->empty())) refuse("\"" + std::string(text) + "\" of the model");
    }
    if (flag_in(model, "byte_fallback", false)) refuse("\"byte_fallback\" of the model");
    Json const& dropout = member(model, "dropout");
    auto const* const share = dropout.get<double>();
    auto const* const whole = dropout.get<std::uint64_t>();
    if (!dropout.is_null() && !(share != nullptr && *share == 0) && !(whole != nullptr && *whole == 0)) {
      refuse("\"dropout\" of the model");
    }
    made_.takes_whole_words = flag_in(model, "ignore_merges", false);
    read_vocabulary(member(model, "vocab"));
    auto const* const merges = member(model, "merges").get<Json::Array>();
    if (merges == nullptr) fail("the model has no list \"merges\"");
    std::vector<std::pair<std::string, std::string>> pairs;
    pairs.reserve(merges->size());
    for (std::size_t i = 0; i < merges->size(); ++i) {
      std::string const where = "merge " + std::to_string(i);
      auto const* const line = (*merges)[i].get<std::string>();
      auto const* const pair = (*merges)[i].get<Json::Array>();
      bool const is_pair = pair != nullptr && pair->size() == 2 && (*pair)[0].get<std::string>() != nullptr &&
                           (*pair)[1].get<std::string>() != nullptr;
      if (line == nullptr && !is_pair) fail(where + " is no pair of texts");
      pairs.push_back(is_pair ? std::pair(*(*pair)[0].get<std::string>(), *(*pair)[1].get<std::string>())
                              : parse_merge(*line, where));
    }
    add_merges(pairs);
  }

  std::pair<std::string, std::string> parse_merge(std::string_view line, std::string const& where) const {
    auto const space = line.find(' ');
    if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos) {
      fail(where + " is no pair of texts with a space between them");
    }
    return {std::string(line.substr(0, space)), std::string(line.substr(space + 1))};
  }

  void read_vocabulary(Json const& vocabulary) {
    auto const* const entries = vocabulary.get<Json::Object>();
    if (entries == nullptr || entries->empty()) fail("has no vocabulary: an object of texts and their ids");
    TokenId highest = 0;
    for (auto const& [spelled, id] : *entries) highest = std::max(highest, id_of(id, quoted(spelled)));
    if (has_gaps(highest, entries->size())) fail("its ids have more gaps than a vocabulary's");
    made_.tokens.resize(std::size_t{highest} + 1);
    for (auto const& [spelled, id] : *entries) {
      auto const number = static_cast<TokenId>(*id.get<std::uint64_t>());
      auto& token = made_.tokens[number];
      if (token.exists) fail("two tokens have the id " + std::to_string(number));
      token.bytes = byte_alphabet.bytes_of(spelled).value_or(spelled);
      token.exists = true;
      spelled_.emplace(spelled, number);
    }
  }

  // Once all tokens are there: the keys are views of their bytes.
  Vocabulary indexed() {
    made_.byte_tokens.fill(no_token);
    made_.ids.reserve(spelled_.size());
    for (auto const& [spelled, id] : spelled_) {
      if (!byte_alphabet.bytes_of(spelled)) continue;  // no word is spelled so
      std::string_view const bytes = made_.tokens[id].bytes;
      made_.ids.emplace(bytes, id);
      if (bytes.size() == 1) made_.byte_tokens[static_cast<unsigned char>(bytes[0])] = id;
    }
    return std::move(made_);
  }

  void add_merges(std::vector<std::pair<std::string, std::string>> const& pairs) {
    made_.merges = PairTable(pairs.size());
    for (std::size_t rank = 0; rank < pairs.size(); ++rank) {
      auto const& [left, right] = pairs[rank];
      auto const id = [&](std::string const& spelled) {
        auto const found = spelled_.find(spelled);
        if (found == spelled_.end()) {
          fail("merge " + std::to_string(rank) + " needs " + quoted(spelled) + ", which the vocabulary does not have");
        }
        return found->second;
      };
      auto const first = id(left), second = id(right), both = id(left + right);
      made_.merges.set(first, second, {static_cast<std::uint32_t>(rank), both});
    }
  }

  // --------------------------------------------------------------------------------------------- what is around it

  void read_normalizer(Json const& normalizer) {
    if (normalizer.is_null()) return;
    auto const type = text_in(normalizer, "type", "the normalizer");
    if (type == "Sequence") {
      auto const* const parts = member(normalizer, "normalizers").get<Json::Array>();
      if (parts == nullptr) fail("the normalizer has no list \"normalizers\"");
      for (auto const& part : *parts) read_normalizer(part);
    } else if (type == "NFC") {
      made_.composes = true;
    } else {
      refuse("the normalizer " + quoted(type));
    }
  }

  void read_pre_tokenizer(Json const& pre) {
    if (pre.is_null()) refuse("a model of whole texts (\"pre_tokenizer\" is null)");
    std::vector<Json const*> parts{&pre};
    if (text_in(pre, "type", "the pre-tokenizer") == "Sequence") {
      parts.clear();
      auto const* const list = member(pre, "pretokenizers").get<Json::Array>();
      if (list == nullptr) fail("the pre-tokenizer has no list \"pretokenizers\"");
      for (auto const& part : *list) parts.push_back(&part);
    }
    if (parts.empty() || parts.size() > 2) refuse("a pre-tokenizer of " + std::to_string(parts.size()) + " parts");
    made_.pattern = Pattern::none;
    if (parts.size() == 2) read_split(*parts[0]);
    read_byte_level(*parts.back(), parts.size() == 2);
  }

  void read_split(Json const& split) {
    auto const type = text_in(split, "type", "the pre-tokenizer");
    if (type != "Split") refuse("the pre-tokenizer " + quoted(type) + " before another");
    auto const* const regex = member(member(split, "pattern"), "Regex").get<std::string>();
    if (regex == nullptr) refuse("a pre-tokenizer that splits without a regular expression");
    auto const pattern = pattern_of(*regex);
    if (!pattern) refuse("the pre-tokenizer's regular expression " + quoted(*regex));
    auto const behavior = text_in(split, "behavior", "the pre-tokenizer");
    if (behavior != "Isolated") refuse("the behavior " + quoted(behavior) + " of the pre-tokenizer");
    if (flag_in(split, "invert", false)) refuse("\"invert\" of the pre-tokenizer");
    made_.pattern = *pattern;
  }

  void read_byte_level(Json const& part, bool behind_split) {
    auto const type = text_in(part, "type", "the pre-tokenizer");
    if (type != "ByteLevel") refuse("the pre-tokenizer " + quoted(type));
    made_.begins_with_space = flag_in(part, "add_prefix_space", true);
    bool const splits = flag_in(part, "use_regex", true);
    if (behind_split && made_.begins_with_space) refuse("\"add_prefix_space\" behind a split");
    if (behind_split && splits) refuse("\"use_regex\" behind a split");
    if (splits) made_.pattern = Pattern::gpt2;
  }

  void read_decoder(Json const& decoder) const {
    if (decoder.is_null()) refuse("decoding with spaces between the tokens (\"decoder\" is null)");
    auto const type = text_in(decoder, "type", "the decoder");
    if (type != "ByteLevel") refuse("the decoder " + quoted(type));
  }

  // --------------------------------------------------------------------------------------------- added tokens

  void read_added_tokens(Json const& added) {
    if (added.is_null()) return;
    auto const* const list = added.get<Json::Array>();
    if (list == nullptr) fail("\"added_tokens\" is no list");
    for (auto const& entry : *list) {
      AddedToken token;
      token.content = text_in(entry, "content", "an added token");
      if (token.content.empty()) fail("an added token is empty");
      std::string const what = "the added token " + quoted(token.content);
      token.id = id_of(member(entry, "id"), what);
      token.special = flag_in(entry, "special", false);
      token.normalized = flag_in(entry, "normalized", !token.special);
      token.strips_left = flag_in(entry, "lstrip", false);
      token.strips_right = flag_in(entry, "rstrip", false);
      if (flag_in(entry, "single_word", false)) refuse("\"single_word\" of " + what);
      add(std::move(token));
    }
  }

  void add(AddedToken token) {
    auto const of_model = spelled_.find(token.content);
    std::string const what = "the added token " + quoted(token.content);
    if (of_model != spelled_.end() && of_model->second != token.id) {
      fail(what + " has the id " + std::to_string(token.id) + ", and in the vocabulary " +
           std::to_string(of_model->second));
    }
    // The package numbers what the vocabulary does not have, whatever the file says.
    auto const next = static_cast<TokenId>(std::max(spelled_.size(), behind_added_));
    if (of_model == spelled_.end() && token.id != next) {
      fail(what + " has the id " + std::to_string(token.id) + ", but is the token " + std::to_string(next) +
           " to the tokenizers package; save the file with that package");
    }
    if (!contents_.insert(token.content).second) fail(what + " is there twice");
    behind_added_ = std::max(behind_added_, std::size_t{token.id} + 1);
    if (made_.tokens.size() <= token.id) made_.tokens.resize(std::size_t{token.id} + 1);
    auto& place = made_.tokens[token.id];
    if (of_model == spelled_.end() && place.exists) {
      fail(what + " has the id " + std::to_string(token.id) + " of another token");
    }
    if (!place.exists) place.bytes = byte_alphabet.bytes_of(token.content).value_or(token.content);
    place.exists = true;
    place.special = place.special || token.special;
    auto& list = token.normalized ? made_.normalized_added : made_.added;
    if (token.normalized && made_.composes) token.content = to_nfc(token.content);
    list.add(std::move(token));
  }

  void read_post_processor(Json const& post) {
    if (post.is_null()) return;
    auto const type = text_in(post, "type", "the post-processor");
    if (type == "ByteLevel") return;  // offsets, which are not computed
    if (type == "Sequence") {
      auto const* const parts = member(post, "processors").get<Json::Array>();
      if (parts == nullptr) fail("the post-processor has no list \"processors\"");
      for (auto const& part : *parts) read_post_processor(part);
    } else if (type == "TemplateProcessing") {
      read_template(post);
    } else {
      refuse("the post-processor " + quoted(type));
    }
  }

  void read_template(Json const& post) {
    if (!made_.before.empty() || !made_.after.empty()) refuse("a post-processor with two templates");
    auto const* const pieces = member(post, "single").get<Json::Array>();
    if (pieces == nullptr) fail("the post-processor's template \"single\" is no list");
    bool behind = false;
    for (auto const& piece : *pieces) {
      if (!member(piece, "Sequence").is_null()) {
        if (std::exchange(behind, true)) refuse("a template that has the text twice");
        continue;
      }
      auto const id = text_in(member(piece, "SpecialToken"), "id", "the post-processor's template");
      auto const* const ids = member(member(member(post, "special_tokens"), id), "ids").get<Json::Array>();
      if (ids == nullptr) fail("the post-processor does not say what " + quoted(id) + " is");
      for (auto const& number : *ids) {
        auto const token = id_of(number, quoted(id));
        if (token >= made_.tokens.size() || !made_.tokens[token].exists) {
          fail("the post-processor's " + quoted(id) + " has an id that no token has");
        }
        (behind ? made_.after : made_.before).push_back(token);
      }
    }
    if (!behind) refuse("a template without the text");
  }

  static std::string quoted(std::string_view text) {
    std::string out;
    zero::write_json_string(out, text);
    return out;
  }

  std::string const& name_;
  Vocabulary made_;
  std::unordered_map<std::string, TokenId> spelled_;  // the model's tokens as its file spells them
  std::unordered_set<std::string> contents_;          // of added tokens
  std::size_t behind_added_ = 0;                      // the highest id of them, and one
};

}  // namespace

Vocabulary read_tokenizer_json(std::string_view text, std::string const& name) {
  return TokenizerFile(name).read(text);
}

Vocabulary read_vocabulary_and_merges(std::string_view vocabulary, std::string_view merges, std::string const& name) {
  return TokenizerFile(name).read_pair(vocabulary, merges);
}

}  // namespace zero_text
