// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "chunk.hpp"

#include "support/data_error.hpp"
#include "text/unicode.hpp"

#include <zero/utility/fingerprint.hpp>
#include <zero/utility/utf8.hpp>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace zero_tokenize {
namespace {

using command_line::refuse_data;

namespace fs = std::filesystem;

constexpr std::size_t sample_bytes = std::size_t{64} << 10U;

std::string read_at(std::ifstream& file, std::string const& path, std::uint64_t offset, std::size_t bytes) {
  std::string text(bytes, '\0');
  file.seekg(static_cast<std::streamoff>(offset));
  if (!file.read(text.data(), static_cast<std::streamsize>(bytes)))
    refuse_data(path, "cannot be read; check its permissions");
  return text;
}

Input look_at(std::string const& path, Options const& options, bool validation) {
  std::error_code error;
  auto const status = fs::status(path, error);
  if (!fs::exists(status)) refuse_data(path, "no such file; give the path of a text");
  if (fs::is_directory(status)) refuse_data(path, "is a folder; give the files in it");
  if (!fs::is_regular_file(status)) refuse_data(path, "is not a regular file; copy its content to one");
  Input input{path, options.json_key || path.ends_with(".jsonl") || path.ends_with(".ndjson"), validation, 0, 0};
  input.bytes = fs::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  if (error || !file) refuse_data(path, "cannot be read; check its permissions");
  auto const sample = static_cast<std::size_t>(std::min<std::uint64_t>(sample_bytes, input.bytes));
  zero::Fingerprint fingerprint;
  fingerprint.add_text(read_at(file, path, 0, sample));
  fingerprint.add_text(read_at(file, path, input.bytes - sample, sample));
  input.fingerprint = fingerprint.value();
  return input;
}

}  // namespace

std::vector<Input> look_at_inputs(Options const& options) {
  std::vector<Input> inputs;
  for (auto const& path : options.inputs) inputs.push_back(look_at(path, options, false));
  for (auto const& path : options.validation_inputs) inputs.push_back(look_at(path, options, true));
  bool const empty = std::all_of(inputs.begin(), inputs.end(), [](Input const& input) { return input.bytes == 0; });
  if (empty)
    refuse_data(inputs.front().path,
                inputs.size() == 1 ? "is empty; give a file with text" : "and all others are empty");
  return inputs;
}

void ChunkReader::open() {
  auto const& path = inputs_[at_.input].path;
  file_ = std::ifstream(path, std::ios::binary);
  file_.seekg(static_cast<std::streamoff>(at_.offset));
  if (!file_) refuse_data(path, "cannot be read; check its permissions");
  buffer_.clear();
  is_open_ = true;
}

// Reads until the buffer has so many bytes or the file ends, which is false.
bool ChunkReader::fill(std::size_t bytes) {
  auto const& input = inputs_[at_.input];
  auto const rest = input.bytes - at_.offset;
  auto const wanted = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, rest));
  if (buffer_.size() < wanted) {
    auto const held = buffer_.size();
    buffer_.resize(wanted);
    if (!file_.read(buffer_.data() + held, static_cast<std::streamsize>(wanted - held))) {
      refuse_data(input.path, "cannot be read to its end; was it changed meanwhile?");
    }
  }
  return wanted < rest;
}

std::size_t ChunkReader::last_document_end() const {
  auto const kind = inputs_[at_.input].json_lines ? Documents::line : documents_;
  if (kind == Documents::line) {
    auto const newline = buffer_.rfind('\n');
    return newline == std::string::npos ? 0 : newline + 1;
  }
  // From the front, because three line breaks have two places that look like an end.
  std::size_t end = 0;
  for (auto at = buffer_.find("\n\n"); at != std::string::npos; at = buffer_.find("\n\n", end)) end = at + 2;
  return end;
}

std::size_t ChunkReader::last_word_end() const {
  auto const& classes = zero_text::CharacterClasses::get();
  for (std::size_t at = buffer_.size() - 1; at > 0; --at) {
    char const c = buffer_[at];
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') continue;
    std::size_t begin = at - 1;
    while (begin > 0 && at - begin < 4 && (static_cast<unsigned char>(buffer_[begin]) & 0xC0U) == 0x80U) --begin;
    auto const before = zero::first_utf8(std::string_view(buffer_).substr(begin, at - begin));
    if (before && before->bytes == at - begin && (classes.of(before->code) & zero_text::is_letter) != 0) return at;
  }
  return 0;
}

// How much of the buffer is a chunk; 0: more must be read.
std::size_t ChunkReader::find_end(bool at_end_of_file) const {
  if (at_end_of_file) return buffer_.size();
  if (inputs_[at_.input].json_lines || documents_ != Documents::file) return last_document_end();
  if (cut_ == Cut::nowhere) return 0;
  if (cut_ == Cut::at_words) return last_word_end();
  auto end = buffer_.size();
  while (end > 0 && (static_cast<unsigned char>(buffer_[end - 1]) & 0xC0U) == 0x80U) --end;
  return end == 0 ? 0 : end - 1;  // the last character may not be whole
}

std::optional<Chunk> ChunkReader::next() {
  while (at_.input < inputs_.size() && at_.offset == inputs_[at_.input].bytes) {
    at_ = {at_.input + 1, 0, 1, false};
    is_open_ = false;
  }
  if (at_.input == inputs_.size()) return std::nullopt;
  if (!is_open_) open();
  std::size_t end = 0, wanted = chunk_bytes_;
  for (; end == 0; wanted *= 2) {
    bool const more = fill(wanted);
    end = find_end(!more);
  }
  Chunk chunk;
  chunk.begin = at_;
  chunk.text = buffer_.substr(0, end);
  buffer_.erase(0, end);
  at_.offset += end;
  at_.line += static_cast<std::uint64_t>(std::count(chunk.text.begin(), chunk.text.end(), '\n'));
  chunk.ends_document = at_.offset == inputs_[at_.input].bytes;
  at_.within_document = !chunk.ends_document;
  chunk.end = at_;
  return chunk;
}

}  // namespace zero_tokenize
