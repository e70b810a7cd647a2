// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "text/bpe_trainer.hpp"

#include "support/data_error.hpp"
#include "support/json_file.hpp"
#include "text/byte_alphabet.hpp"

#include <zero/utility/json.hpp>
#include <zero/utility/split_mix.hpp>

#include <algorithm>
#include <array>
#include <queue>
#include <tuple>

namespace zero_text {
namespace {

using Pair = std::pair<std::uint32_t, std::uint32_t>;

struct PairHash {
  std::size_t operator()(Pair const& pair) const noexcept {
    return zero::SplitMix64::mix(std::uint64_t{pair.first} << 32U | pair.second);
  }
};

// A pair, as often as it was there when this was queued, and the words that it came into then.
struct Candidate {
  std::int64_t count;
  Pair pair;
  std::vector<std::uint32_t> words;
};
struct ComesLater {
  bool operator()(Candidate const& a, Candidate const& b) const noexcept {
    return std::tuple(a.count, b.pair) < std::tuple(b.count, a.pair);
  }
};

class Trainer {
 public:
  Trainer(WordCounts const& counts, std::size_t size, std::vector<std::string> const& special) : size_(size) {
    made_.special = special;
    std::array<std::uint32_t, 256> id_of_byte{};
    std::vector<std::pair<char32_t, int>> alphabet;
    alphabet.reserve(256);
    for (int byte = 0; byte < 256; ++byte) {
      alphabet.emplace_back(byte_alphabet.character_of(static_cast<std::uint8_t>(byte)), byte);
    }
    std::sort(alphabet.begin(), alphabet.end());
    for (auto const& entry : alphabet) {
      id_of_byte[static_cast<std::size_t>(entry.second)] = add_token(std::string(1, static_cast<char>(entry.second)));
    }
    take_words(counts, id_of_byte);
  }

  TrainedBpe train() {
    count_pairs();
    while (made_.special.size() + made_.tokens.size() < size_ && !queue_.empty()) {
      Candidate top = pop();
      auto const now = pair_counts_[top.pair];
      if (top.count != now) {  // others have taken of it since
        top.count = now;
        push(std::move(top));
        continue;
      }
      if (top.count < 1) break;
      merge(top);
    }
    return std::move(made_);
  }

 private:
  std::uint32_t add_token(std::string bytes) {
    auto const id = static_cast<std::uint32_t>(made_.special.size() + made_.tokens.size());
    auto const [place, is_new] = ids_.emplace(std::move(bytes), id);
    if (is_new) made_.tokens.push_back(place->first);
    return place->second;
  }
  [[nodiscard]] std::string const& bytes_of(std::uint32_t id) const { return made_.tokens[id - made_.special.size()]; }

  // Sorted, so that no order of a hash table decides anything.
  void take_words(WordCounts const& counts, std::array<std::uint32_t, 256> const& id_of_byte) {
    std::vector<std::pair<std::string_view, std::uint64_t>> words(counts.counts().begin(), counts.counts().end());
    std::sort(words.begin(), words.end());
    for (auto const& [word, count] : words) {
      std::vector<std::uint32_t> parts;
      for (char const c : word) parts.push_back(id_of_byte[static_cast<unsigned char>(c)]);
      words_.push_back(std::move(parts));
      word_counts_.push_back(static_cast<std::int64_t>(count));
    }
  }

  void count_pairs() {
    std::unordered_map<Pair, std::vector<std::uint32_t>, PairHash> places;
    for (std::uint32_t w = 0; w < words_.size(); ++w) {
      for (std::size_t i = 0; i + 1 < words_[w].size(); ++i) note(places, {words_[w][i], words_[w][i + 1]}, w, 1);
    }
    queue_places(places);
  }

  using Places = std::unordered_map<Pair, std::vector<std::uint32_t>, PairHash>;

  void note(Places& places, Pair pair, std::uint32_t word, int change) {
    pair_counts_[pair] += change * word_counts_[word];
    if (change < 0) return;
    auto& words = places[pair];
    if (words.empty() || words.back() != word) words.push_back(word);
  }

  void queue_places(Places& places) {
    for (auto& [pair, words] : places) {
      if (auto const count = pair_counts_[pair]; count > 0) push({count, pair, std::move(words)});
    }
  }

  void merge(Candidate const& top) {
    auto const id = add_token(bytes_of(top.pair.first) + bytes_of(top.pair.second));
    made_.merges.push_back(top.pair);
    Places places;
    for (auto const word : top.words) merge_in(word, top.pair, id, places);
    queue_places(places);
  }

  void merge_in(std::uint32_t word, Pair pair, std::uint32_t id, Places& places) {
    auto& parts = words_[word];
    std::size_t kept = 0;  // parts before it are done
    for (std::size_t at = 0; at < parts.size(); ++at) {
      if (at + 1 == parts.size() || parts[at] != pair.first || parts[at + 1] != pair.second) {
        parts[kept++] = parts[at];
        continue;
      }
      if (kept > 0) {
        note(places, {parts[kept - 1], pair.first}, word, -1);
        note(places, {parts[kept - 1], id}, word, 1);
      }
      if (at + 2 < parts.size()) {
        note(places, {pair.second, parts[at + 2]}, word, -1);
        note(places, {id, parts[at + 2]}, word, 1);
      }
      parts[kept++] = id;
      ++at;
    }
    parts.resize(kept);
  }

  void push(Candidate candidate) {
    queue_.push_back(std::move(candidate));
    std::push_heap(queue_.begin(), queue_.end(), ComesLater{});
  }
  Candidate pop() {
    std::pop_heap(queue_.begin(), queue_.end(), ComesLater{});
    Candidate top = std::move(queue_.back());
    queue_.pop_back();
    return top;
  }

  std::size_t size_;
  TrainedBpe made_;
  std::unordered_map<std::string, std::uint32_t> ids_;
  std::vector<std::vector<std::uint32_t>> words_;
  std::vector<std::int64_t> word_counts_;
  std::unordered_map<Pair, std::int64_t, PairHash> pair_counts_;
  std::vector<Candidate> queue_;  // a heap
};

void write_special(std::string& out, std::vector<std::string> const& special, std::uint64_t first) {
  zero::Json::Array list;
  for (std::size_t i = 0; i < special.size(); ++i) {
    list.emplace_back(zero::Json::Object{{"id", first + i},
                                         {"content", special[i]},
                                         {"single_word", false},
                                         {"lstrip", false},
                                         {"rstrip", false},
                                         {"normalized", false},
                                         {"special", true}});
  }
  zero::write_json(out, zero::Json(std::move(list)));
}

// What is before and behind the vocabulary and the merges.
std::string head_of_json(std::string const& added_tokens, Pattern pattern) {
  std::string out = R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":)" + added_tokens;
  out += R"(,"normalizer":)";
  out += pattern == Pattern::qwen2 ? R"({"type":"NFC"})" : "null";
  out += R"(,"pre_tokenizer":)";
  if (pattern == Pattern::gpt2) {
    out += R"({"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true})";
  } else {
    out += R"({"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":)";
    zero::write_json_string(out, regex_of(pattern));
    out += R"(},"behavior":"Isolated","invert":false},)";
    out += R"({"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}]})";
  }
  out += R"(,"post_processor":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":false,"use_regex":true})";
  out += R"(,"decoder":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true})";
  out += R"(,"model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,)";
  return out + R"("end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":false,"ignore_merges":false,"vocab":)";
}

}  // namespace

void WordCounts::add(std::string_view text) {
  std::string composed;
  if (pattern_ == Pattern::qwen2 && may_need_nfc(text)) {  // as its tokenizer.json will say
    composed = to_nfc(text);
    text = composed;
  }
  WordSplitter words(text, pattern_);
  for (auto word = words.next(); !word.empty(); word = words.next()) ++counts_[std::string(word)];
}

void WordCounts::add(WordCounts const& other) {
  for (auto const& [word, count] : other.counts_) counts_[word] += count;
}

TrainedBpe train_bpe(WordCounts const& counts, std::size_t size, std::vector<std::string> const& special) {
  return Trainer(counts, size, special).train();
}

std::string to_json(TrainedBpe const& trained, Pattern pattern) {
  std::string added;
  write_special(added, trained.special, 0);
  std::string out = head_of_json(added, pattern);
  char separator = '{';
  std::size_t id = 0;
  auto const spelled = [&](std::size_t token) {
    auto const first = trained.special.size();
    return token < first ? trained.special[token] : byte_alphabet.spell(trained.tokens[token - first]);
  };
  for (; id < trained.special.size() + trained.tokens.size(); ++id) {
    out += std::exchange(separator, ',');
    zero::write_json_string(out, spelled(id));
    out += ':';
    out += std::to_string(id);
  }
  out += "},\"merges\":[";
  for (std::size_t i = 0; i < trained.merges.size(); ++i) {
    out += i == 0 ? "[" : ",[";
    zero::write_json_string(out, spelled(trained.merges[i].first));
    out += ',';
    zero::write_json_string(out, spelled(trained.merges[i].second));
    out += ']';
  }
  return out + "]}}\n";
}

std::string to_tokenizer_json(std::string_view vocabulary, std::string_view merges, std::string const& name) {
  zero::Json entries;
  try {
    entries = command_line::parse_json(vocabulary);
  } catch (zero::Error const&) {
    throw command_line::DataError(name + ": its vocabulary is no JSON");
  }
  std::string added = "[]";
  if (auto const* const end = entries.find("<|endoftext|>"); end != nullptr && end->get<std::uint64_t>() != nullptr) {
    added.clear();
    write_special(added, {"<|endoftext|>"}, *end->get<std::uint64_t>());
  }
  std::string out = head_of_json(added, Pattern::gpt2);
  zero::write_json(out, entries);
  out += ",\"merges\":";
  zero::Json::Array lines;
  while (!merges.empty()) {
    auto const end = std::min(merges.find('\n'), merges.size());
    auto line = merges.substr(0, end);
    merges.remove_prefix(std::min(end + 1, merges.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty() && !line.starts_with("#version")) lines.emplace_back(line);
  }
  zero::write_json(out, zero::Json(std::move(lines)));
  return out + "}}\n";
}

}  // namespace zero_text
