// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "text/unicode.hpp"

#include <zero/utility/utf8.hpp>

#include <algorithm>
#include <cstring>
#include <unordered_map>

namespace zero_text {
namespace {

struct CodeRange {
  char32_t first, last;
};
struct LetterFold {
  char32_t code;
  char letter;
};
struct CombiningRange {
  char32_t first, last;
  std::uint8_t combining_class;
};
struct Decomposition {
  char32_t code, first, second;
  bool composes;
};

#include "text/unicode_tables.inc"

// Hangul syllables, which are computed (The Unicode Standard 15, section 3.12).
constexpr char32_t first_syllable = 0xAC00, lead = 0x1100, vowel = 0x1161, tail = 0x11A7;
constexpr char32_t leads = 19, vowels = 21, tails = 28, syllables = leads * vowels * tails;

// How many bytes at `at` begin a character, as far as they do: all of it, or its longest part; at least 1.
struct Prefix {
  std::size_t bytes;
  bool complete;
  bool at_end;  // the text ends within it
};

Prefix longest_prefix(std::string_view text, std::size_t at) noexcept {
  if (auto const whole = zero::first_utf8(text.substr(at))) return {whole->bytes, true, false};
  auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  unsigned const first = byte(0);
  if (first < 0xC2 || first > 0xF4) return {1, false, false};
  std::size_t const bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  unsigned const low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  unsigned const high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  std::size_t n = 1;
  while (n < bytes && at + n < text.size()) {
    unsigned const next = byte(n);
    if (next < (n == 1 ? low : 0x80U) || next > (n == 1 ? high : 0xBFU)) break;
    ++n;
  }
  return {n, false, at + n == text.size()};
}

constexpr std::string_view replacement = "\xEF\xBF\xBD";

std::string replace(std::string_view text, bool keeps_end, std::size_t& used) {
  std::string out;
  out.reserve(text.size());
  for (used = 0; used < text.size();) {
    auto const prefix = longest_prefix(text, used);
    if (!prefix.complete && prefix.at_end && keeps_end) break;
    out += prefix.complete ? text.substr(used, prefix.bytes) : replacement;
    used += prefix.bytes;
  }
  return out;
}

// ------------------------------------------------------------------------------------------------------------- NFC

class Composer {
 public:
  static Composer const& get() {
    static Composer const made;
    return made;
  }

  void decompose(char32_t code, std::u32string& out) const {
    if (code - first_syllable < syllables) {
      char32_t const index = code - first_syllable;
      out.push_back(static_cast<char32_t>(lead + index / (vowels * tails)));
      out.push_back(static_cast<char32_t>(vowel + index % (vowels * tails) / tails));
      if (index % tails != 0) out.push_back(static_cast<char32_t>(tail + index % tails));
      return;
    }
    auto const* const end = std::end(decompositions);
    auto const* const found =
        std::lower_bound(std::begin(decompositions), end, code,
                         [](Decomposition const& entry, char32_t wanted) { return entry.code < wanted; });
    if (found == end || found->code != code) {
      out += code;
      return;
    }
    decompose(found->first, out);
    if (found->second != 0) decompose(found->second, out);
  }

  [[nodiscard]] char32_t compose(char32_t first, char32_t second) const {
    if (first - lead < leads && second - vowel < vowels) {
      return first_syllable + ((first - lead) * vowels + (second - vowel)) * tails;
    }
    if (first - first_syllable < syllables && (first - first_syllable) % tails == 0 &&
        second - (tail + 1) < tails - 1) {
      return first + (second - tail);
    }
    auto const found = pairs_.find(key(first, second));
    return found == pairs_.end() ? 0 : found->second;
  }

  [[nodiscard]] static std::uint8_t combining_class(char32_t code) {
    auto const* const end = std::end(combining);
    auto const* const found =
        std::lower_bound(std::begin(combining), end, code,
                         [](CombiningRange const& range, char32_t wanted) { return range.last < wanted; });
    return found != end && found->first <= code ? found->combining_class : std::uint8_t{0};
  }

 private:
  Composer() {
    for (auto const& entry : decompositions) {
      if (entry.composes) pairs_.emplace(key(entry.first, entry.second), entry.code);
    }
  }
  static std::uint64_t key(char32_t first, char32_t second) { return std::uint64_t{first} << 32U | second; }

  std::unordered_map<std::uint64_t, char32_t> pairs_;
};

// Marks in a row go by their class, those of one class as they came.
void put_in_order(std::u32string& text) {
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && Composer::combining_class(text[end]) != 0) ++end;
    auto const place = [&](std::size_t i) { return text.begin() + static_cast<std::ptrdiff_t>(i); };
    if (end - at > 1) {
      std::stable_sort(place(at), place(end), [](char32_t a, char32_t b) {
        return Composer::combining_class(a) < Composer::combining_class(b);
      });
    }
    at = end + 1;
  }
}

std::u32string composed(std::u32string const& text) {
  auto const& composer = Composer::get();
  std::u32string out;
  std::size_t starter = 0;
  bool has_starter = false;
  std::uint8_t last = 0;  // class of what stands behind the starter, of what was not composed
  for (char32_t const code : text) {
    auto const own = Composer::combining_class(code);
    bool const adjacent = has_starter && starter + 1 == out.size();
    if (has_starter && (adjacent || (last != 0 && last < own))) {
      if (char32_t const both = composer.compose(out[starter], code); both != 0) {
        out[starter] = both;
        continue;
      }
    }
    if (own == 0) starter = out.size(), has_starter = true;
    last = own;
    out += code;
  }
  return out;
}

}  // namespace

CharacterClasses const& CharacterClasses::get() {
  static CharacterClasses const made;
  return made;
}

CharacterClasses::CharacterClasses() : classes_(0x110000) {
  auto const mark = [&](char32_t first, char32_t last, unsigned bits) {
    for (char32_t code = first; code <= last; ++code) classes_[code] = static_cast<std::uint8_t>(classes_[code] | bits);
  };
  for (auto const& [first, last] : letters) mark(first, last, is_letter);
  for (auto const& [first, last] : numbers) mark(first, last, is_number);
  for (auto const& [first, last] : spaces) mark(first, last, is_space);
  mark('\n', '\n', is_newline);
  mark('\r', '\r', is_newline);
  for (auto const& range : combining) mark(range.first, range.last, may_compose);
  for (auto const& entry : decompositions) {
    if (!entry.composes) mark(entry.code, entry.code, may_compose);
    if (entry.composes) mark(entry.second, entry.second, may_compose);
  }
  mark(vowel, vowel + vowels - 1, may_compose);
  mark(tail + 1, tail + tails - 1, may_compose);
}

char contraction_letter(char32_t code) noexcept {
  if (code < 0x80) return static_cast<char>(code >= 'A' && code <= 'Z' ? code + 32 : code);
  for (auto const& fold : folds) {
    if (fold.code == code) return fold.letter;
  }
  return 0;
}

std::size_t first_malformed(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    std::uint64_t eight = 0;
    if (at + 8 <= text.size()) {
      std::memcpy(&eight, text.data() + at, 8);
      if ((eight & 0x8080808080808080U) == 0) {
        at += 8;
        continue;
      }
    }
    auto const character = zero::first_utf8(text.substr(at));
    if (!character) return at;
    at += character->bytes;
  }
  return text.size();
}

std::string replace_malformed(std::string_view text) {
  std::size_t used = 0;
  return replace(text, false, used);
}

std::string take_complete(std::string& text) {
  std::size_t used = 0;
  std::string out = replace(text, true, used);
  text.erase(0, used);
  return out;
}

bool may_need_nfc(std::string_view text) noexcept {
  auto const& classes = CharacterClasses::get();
  for (std::size_t at = 0; at < text.size();) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    auto const [code, bytes] = code_point_at(text, at);
    if ((classes.of(code) & may_compose) != 0) return true;
    at += bytes;
  }
  return false;
}

std::string to_nfc(std::string_view text) {
  std::u32string characters;
  characters.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    auto const [code, bytes] = code_point_at(text, at);
    Composer::get().decompose(code, characters);
    at += bytes;
  }
  put_in_order(characters);
  std::string out;
  out.reserve(text.size());
  for (char32_t const code : composed(characters)) zero::append_utf8(out, code);
  return out;
}

}  // namespace zero_text
