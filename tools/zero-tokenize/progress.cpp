// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "progress.hpp"

#include "support/json_file.hpp"
#include "text/text_file.hpp"

#include <string_view>
#include <utility>

namespace zero_tokenize {
namespace {

using zero::Json;
namespace fs = std::filesystem;

Json to_json(SinkState const& state) {
  Json::Array shards;
  for (auto const& shard : state.shards) {
    shards.emplace_back(Json::Object{{"file", shard.file},
                                     {"validation", shard.validation},
                                     {"tokens", shard.tokens},
                                     {"bytes", shard.bytes},
                                     {"hash", shard.hash}});
  }
  return Json::Object{{"shards", std::move(shards)}, {"tokens", state.tokens}, {"hash", state.hash}};
}

template <class Type>
Type const& get(Json const& object, std::string_view name) {
  auto const* const member = object.find(name);
  auto const* const value = member == nullptr ? nullptr : member->get<Type>();
  if (value == nullptr) throw DataError(std::string(name) + " is missing");
  return *value;
}

SinkState sink_of(Json const& object) {
  SinkState state;
  for (auto const& shard : get<Json::Array>(object, "shards")) {
    auto const& file = get<std::string>(shard, "file");
    if (file.find('/') != std::string::npos) throw DataError("a shard is in another folder");
    state.shards.push_back({file, get<bool>(shard, "validation"), get<std::uint64_t>(shard, "tokens"),
                            get<std::uint64_t>(shard, "bytes"), get<std::uint64_t>(shard, "hash")});
  }
  state.tokens = get<std::uint64_t>(object, "tokens");
  state.hash = get<std::uint64_t>(object, "hash");
  return state;
}

}  // namespace

void save_progress(fs::path const& folder, Progress const& progress) {
  Json::Object const object{{"format", "zero-tokens-progress"},
                            {"version", std::uint64_t{1}},
                            {"request", progress.request},
                            {"tokenizer", progress.tokenizer},
                            {"input", std::uint64_t{progress.position.input}},
                            {"offset", progress.position.offset},
                            {"line", progress.position.line},
                            {"within_document", progress.position.within_document},
                            {"train", to_json(progress.sinks[0])},
                            {"validation", to_json(progress.sinks[1])}};
  write_file(folder / progress_file, zero::to_text(Json(object)) + "\n");
}

std::optional<Progress> read_progress(fs::path const& folder) {
  auto const file = folder / progress_file;
  std::error_code error;
  if (!fs::exists(file, error)) return std::nullopt;
  try {
    Json const root = command_line::parse_json(zero_text::read_text_file(file, ""));
    if (get<std::string>(root, "format") != "zero-tokens-progress" || get<std::uint64_t>(root, "version") != 1) {
      throw DataError("it is of another kind");
    }
    return Progress{get<std::string>(root, "request"),
                    get<std::uint64_t>(root, "tokenizer"),
                    {static_cast<std::size_t>(get<std::uint64_t>(root, "input")), get<std::uint64_t>(root, "offset"),
                     get<std::uint64_t>(root, "line"), get<bool>(root, "within_document")},
                    {sink_of(get<Json::Object>(root, "train")), sink_of(get<Json::Object>(root, "validation"))}};
  } catch (std::exception const& problem) {
    throw DataError(file.string() + ": is damaged (" + problem.what() + "); give --overwrite to begin anew");
  }
}

std::string first_difference(std::string const& ours, std::string const& theirs) {
  if (ours == theirs) return {};
  Json const mine = command_line::parse_json(ours);
  Json other;
  try {
    other = command_line::parse_json(theirs);
  } catch (zero::Error const&) {
    return "request";
  }
  for (auto const& [name, value] : *mine.get<Json::Object>()) {
    auto const* const same = other.find(name);
    if (same == nullptr || zero::to_text(value) != zero::to_text(*same)) return name;
  }
  return "request";
}

}  // namespace zero_tokenize
