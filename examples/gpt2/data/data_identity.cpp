// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "data_identity.hpp"

#include "support/data_error.hpp"
#include "support/json_file.hpp"
#include "support/settings.hpp"

#include <zero/error.hpp>
#include <zero/utility/json.hpp>
#include <zero/utility/shortest_number.hpp>
#include <zero/utility/utf8.hpp>

#include <cmath>
#include <cstddef>

namespace gpt2 {
namespace {

zero::Json json_of(std::vector<SetIdentity> const& sets) {
  zero::Json::Array array;
  for (auto const& set : sets) {
    array.emplace_back(zero::Json::Object{{"name", as_text(set.name)},
                                          {"weight", zero::shortest_number(set.weight)},
                                          {"bytes", set.bytes},
                                          {"tokens", set.tokens},
                                          {"hash", set.hash}});
  }
  return array;
}

[[noreturn]] void refuse() {
  throw command_line::DataError("what the checkpoint says of its data is damaged; go on with --continue-with DATA");
}

template <class Type>
Type const& member(zero::Json const& json, char const* name) {
  auto const* const found = json.find(name);
  auto const* const value = found == nullptr ? nullptr : found->get<Type>();
  if (value == nullptr) refuse();
  return *value;
}

std::vector<SetIdentity> sets_of(zero::Json const& json, char const* name) {
  std::vector<SetIdentity> sets;
  for (auto const& set : member<zero::Json::Array>(json, name)) {
    auto const& text = member<std::string>(set, "weight");
    auto const weight = command_line::parse_number<double>("weight", text, "a number");
    if (!std::isfinite(weight)) refuse();
    sets.push_back({.name = member<std::string>(set, "name"),
                    .weight = weight,
                    .bytes = member<std::uint64_t>(set, "bytes"),
                    .tokens = member<std::uint64_t>(set, "tokens"),
                    .hash = member<std::uint64_t>(set, "hash")});
  }
  return sets;
}

std::string changed(std::string const& what, char const* unit, std::uint64_t then, std::uint64_t now) {
  return what + " had " + std::to_string(then) + " " + unit + ", and has " + std::to_string(now) + " now";
}

std::optional<std::string> difference_of(std::vector<SetIdentity> const& then, std::vector<SetIdentity> const& now,
                                         std::string const& use) {
  if (then.size() != now.size()) {
    return "there were " + std::to_string(then.size()) + " data sets " + use + ", and are " +
           std::to_string(now.size()) + " now";
  }
  for (std::size_t i = 0; i < now.size(); ++i) {
    auto const &a = then[i], &b = now[i];
    auto const what =
        as_text(b.name) + (a.name == as_text(b.name) ? std::string() : ", in the place of " + a.name + ",");
    if (a.bytes != b.bytes) return changed(what, "bytes", a.bytes, b.bytes);
    if (a.tokens != b.tokens) return changed(what, "tokens", a.tokens, b.tokens);
    if (a.hash != b.hash) return what + " has other content than it had";
    if (a.weight != b.weight) {
      return what + " had a weight of " + zero::shortest_number(a.weight) + ", and has " +
             zero::shortest_number(b.weight) + " now";
    }
  }
  return std::nullopt;
}

}  // namespace

std::string as_text(std::string const& name) {
  std::string text;
  for (std::size_t at = 0; at < name.size();) {
    auto const character = zero::first_utf8(std::string_view(name).substr(at));
    text += character ? name.substr(at, character->bytes) : "?";
    at += character ? character->bytes : 1;
  }
  return text;
}

std::string DataIdentity::to_text() const {
  zero::Json::Object object{{"order", order}, {"train", json_of(train)}, {"validation", json_of(validation)}};
  if (!characters.empty()) object.emplace_back("characters", characters);
  if (tokenizer != 0) object.emplace_back("tokenizer", tokenizer);
  return zero::to_text(zero::Json(std::move(object)));
}

DataIdentity DataIdentity::parse(std::string_view text) {
  try {
    auto const json = command_line::parse_json(text);
    DataIdentity identity{.order = member<std::uint64_t>(json, "order"),
                          .train = sets_of(json, "train"),
                          .validation = sets_of(json, "validation")};
    if (json.find("characters") != nullptr) identity.characters = member<std::string>(json, "characters");
    if (json.find("tokenizer") != nullptr) identity.tokenizer = member<std::uint64_t>(json, "tokenizer");
    return identity;
  } catch (zero::Error const&) {
    refuse();
  } catch (command_line::UsageError const&) {
    refuse();
  }
}

std::optional<std::string> DataIdentity::difference(DataIdentity const& now) const {
  if (order != now.order) {
    return "its sequences were drawn in order " + std::to_string(order) + ", and this program knows " +
           std::to_string(now.order);
  }
  if (auto found = difference_of(train, now.train, "to train on")) return found;
  if (auto found = difference_of(validation, now.validation, "for validation")) return found;
  if (speaks_otherwise(now)) return "they had another tokenizer";
  return std::nullopt;
}

bool DataIdentity::speaks_otherwise(DataIdentity const& now) const noexcept {
  if (!characters.empty() && !now.characters.empty()) return characters != now.characters;
  if (tokenizer != 0 && now.tokenizer != 0) return tokenizer != now.tokenizer;
  return knows_tokens() && now.knows_tokens();
}

}  // namespace gpt2
