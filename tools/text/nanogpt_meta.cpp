// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "text/nanogpt_meta.hpp"

#include "support/data_error.hpp"
#include "text/unicode.hpp"

#include <zero/utility/utf8.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <utility>
#include <variant>
#include <vector>

namespace zero_text {
namespace {

using command_line::DataError;

struct Dictionary {
  std::size_t index;  // among the reader's dictionaries
};
using Value = std::variant<std::uint64_t, std::string, Dictionary>;
using Entries = std::vector<std::pair<Value, Value>>;

// The machine of a pickle, without calls: a stack of values, marks in it, and a memory of values that come again.
class PickleReader {
 public:
  PickleReader(std::string_view bytes, std::string const& name) : bytes_(bytes), name_(name) {}

  // The members of the outermost dictionary.
  Entries const& read() {
    while (step()) {
    }
    if (stack_.size() != 1 || !std::holds_alternative<Dictionary>(stack_[0])) fail("is no pickled dictionary");
    return dictionaries_[std::get<Dictionary>(stack_[0]).index];
  }

  [[nodiscard]] Entries const& members(Value const& value) const {
    auto const* const dictionary = std::get_if<Dictionary>(&value);
    if (dictionary == nullptr) fail("has no dictionaries itos and stoi");
    return dictionaries_[dictionary->index];
  }

  [[noreturn]] void fail(std::string const& problem) const { throw DataError(name_ + ": " + problem); }

 private:
  // One instruction; false at the end.
  bool step() {
    auto const place = at_;
    auto const code = static_cast<unsigned char>(take(1)[0]);
    switch (code) {
      case 0x80:  // PROTO
        if (auto const protocol = number(1); protocol < 2 || protocol > 5) fail("is a pickle of an unknown protocol");
        return true;
      case 0x95:  // FRAME
        take(8);
        return true;
      case '}':  // EMPTY_DICT
        push(Dictionary{dictionaries_.size()});
        dictionaries_.emplace_back();
        return true;
      case '(':  // MARK
        marks_.push_back(stack_.size());
        return true;
      case 'K':  // BININT1
        push(number(1));
        return true;
      case 'M':  // BININT2
        push(number(2));
        return true;
      case 'J':  // BININT, which has a sign
        if (auto const value = number(4); value <= INT32_MAX) {
          push(value);
          return true;
        }
        fail("has a negative number");
      case 0x8C:  // SHORT_BINUNICODE
        push_text(number(1));
        return true;
      case 'X':  // BINUNICODE
        push_text(number(4));
        return true;
      case 's':  // SETITEM
        set_items(stack_.size() < 2 ? 0 : stack_.size() - 2);
        return true;
      case 'u':  // SETITEMS
        if (marks_.empty()) fail("is a damaged pickle");
        set_items(std::exchange(marks_.back(), 0));
        marks_.pop_back();
        return true;
      case '.':  // STOP
        if (at_ != bytes_.size()) fail("has something behind its end");
        return false;
      default:
        return memory(code, place);
    }
  }

  bool memory(unsigned char code, std::size_t place) {
    switch (code) {
      case 0x94:  // MEMOIZE
        memory_.push_back(top());
        return true;
      case 'q':  // BINPUT
        return put(number(1));
      case 'r':  // LONG_BINPUT
        return put(number(4));
      case 'h':  // BINGET
        return get(number(1));
      case 'j':  // LONG_BINGET
        return get(number(4));
      default:
        break;
    }
    char text[8];
    std::snprintf(text, sizeof text, "0x%02X", static_cast<unsigned>(code));
    fail("is no meta.pkl of characters: byte " + std::to_string(place) + " is the pickle instruction " + text +
         ", which is not run here");
  }

  bool put(std::uint64_t index) {
    if (index > memory_.size()) fail("is a damaged pickle");  // they are numbered in a row
    if (index == memory_.size()) memory_.emplace_back();
    memory_[static_cast<std::size_t>(index)] = top();
    return true;
  }
  bool get(std::uint64_t index) {
    if (index >= memory_.size()) fail("is a damaged pickle");
    push(memory_[static_cast<std::size_t>(index)]);
    return true;
  }

  void set_items(std::size_t begin) {
    if (begin == 0 || begin > stack_.size() || (stack_.size() - begin) % 2 != 0) fail("is a damaged pickle");
    auto const* const dictionary = std::get_if<Dictionary>(&stack_[begin - 1]);
    if (dictionary == nullptr) fail("is a damaged pickle");
    for (std::size_t i = begin; i < stack_.size(); i += 2) {
      dictionaries_[dictionary->index].emplace_back(std::move(stack_[i]), std::move(stack_[i + 1]));
    }
    stack_.resize(begin);
  }

  void push_text(std::uint64_t size) {
    std::string text(take(static_cast<std::size_t>(size)));
    if (!zero::is_utf8(text)) fail("has a text that is not UTF-8");
    push(std::move(text));
  }

  Value const& top() const {
    if (stack_.empty()) fail("is a damaged pickle");
    return stack_.back();
  }
  void push(Value value) { stack_.push_back(std::move(value)); }
  std::string_view take(std::size_t count) {
    if (bytes_.size() - at_ < count) fail("is cut off");
    at_ += count;
    return bytes_.substr(at_ - count, count);
  }
  std::uint64_t number(std::size_t size) {
    auto const bytes = take(size);
    std::uint64_t value = 0;
    for (std::size_t i = size; i-- != 0;) value = value << 8U | static_cast<unsigned char>(bytes[i]);
    return value;
  }

  std::string_view bytes_;
  std::string const& name_;
  std::size_t at_ = 0;
  std::vector<Value> stack_, memory_;
  std::vector<std::size_t> marks_;
  std::vector<Entries> dictionaries_;
};

Value const* find(Entries const& members, std::string_view name) {
  for (auto const& [key, value] : members) {
    if (auto const* const text = std::get_if<std::string>(&key); text != nullptr && *text == name) return &value;
  }
  return nullptr;
}

}  // namespace

std::u32string read_nanogpt_meta(std::string_view pickle, std::string const& name) {
  PickleReader reader(pickle, name);
  Entries const root = reader.read();
  auto const *const itos = find(root, "itos"), *const stoi = find(root, "stoi"), *const size = find(root, "vocab_size");
  if (itos == nullptr || stoi == nullptr) reader.fail("has no dictionaries itos and stoi");
  auto const& characters = reader.members(*itos);
  std::u32string codes(characters.size(), U'\0');
  std::vector<bool> seen(characters.size());
  for (auto const& [key, value] : characters) {
    auto const* const id = std::get_if<std::uint64_t>(&key);
    auto const* const text = std::get_if<std::string>(&value);
    if (id == nullptr || text == nullptr || *id >= codes.size() || seen[*id]) {
      reader.fail("its itos is not a list of characters from 0 on");
    }
    if (text->empty() || code_point_at(*text, 0).bytes != text->size()) {
      reader.fail("token " + std::to_string(*id) + " is not one character");
    }
    seen[*id] = true;
    codes[*id] = code_point_at(*text, 0).code;
  }
  auto const* const count = size == nullptr ? nullptr : std::get_if<std::uint64_t>(size);
  bool const agrees = (size == nullptr || (count != nullptr && *count == codes.size())) && !codes.empty();
  if (!agrees) reader.fail("its vocab_size is not the number of its characters");
  auto const& numbers = reader.members(*stoi);
  bool same = numbers.size() == codes.size();
  for (auto const& [key, value] : numbers) {
    auto const* const text = std::get_if<std::string>(&key);
    auto const* const id = std::get_if<std::uint64_t>(&value);
    same = same && text != nullptr && id != nullptr && *id < codes.size() && !text->empty() &&
           code_point_at(*text, 0).code == codes[*id] && code_point_at(*text, 0).bytes == text->size();
  }
  if (!same) reader.fail("its stoi and itos do not agree");
  auto sorted = codes;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) reader.fail("has a character twice");
  return codes;
}

}  // namespace zero_text
