// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// zero-consolidate: one file of whole parameters out of the files of all ranks.

#include "support/command_line.hpp"

#include <zero/checkpoint/consolidate.hpp>
#include <zero/checkpoint/locate.hpp>

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr char const* usage =
    "usage: zero-consolidate DIR OUT.safetensors [--dtype fp32|bf16|fp16] [--max-shard-size SIZE]\n"
    "  DIR               a checkpoint, or a folder of checkpoints: then the latest valid one\n"
    "  --dtype           type of the parameters; default: as saved, fp32 (frozen ones in the compute type)\n"
    "  --max-shard-size  several files of at most so many bytes of data, with suffix K, M or G, and an index\n";

using command_line::UsageError;

zero::ElementType parse_type(std::string_view text) {
  for (auto const type : {zero::ElementType::fp32, zero::ElementType::bf16, zero::ElementType::fp16}) {
    if (zero::name(type) == text) return type;
  }
  throw UsageError("--dtype must be fp32, bf16 or fp16, not '" + std::string(text) + "'");
}

std::uint64_t parse_size(std::string_view text) {
  std::uint64_t number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  auto const suffix = std::string_view(end, static_cast<std::size_t>(text.data() + text.size() - end));
  constexpr std::string_view letters = "KMG";
  std::size_t const power = suffix.size() == 1 ? letters.find(suffix.front()) + 1 : 0;
  bool const known = suffix.empty() || power > 0;
  if (error != std::errc() || !known || number == 0 || number > (std::uint64_t{1} << 62U) >> (10 * power)) {
    throw UsageError("--max-shard-size must be a number of bytes such as 5G, not '" + std::string(text) + "'");
  }
  return number << (10 * power);
}

struct Arguments {
  std::vector<std::string> paths;
  zero::ConsolidateOptions options;
};

Arguments parse(command_line::Words words) {
  using View = std::string_view;
  command_line::Table<Arguments> const table{
      {"--dtype", "TYPE", "", [](Arguments& a, View, View v) { a.options.type = parse_type(v); }},
      {"--max-shard-size", "SIZE", "", [](Arguments& a, View, View v) { a.options.max_shard_bytes = parse_size(v); }}};
  Arguments arguments;
  command_line::parse<Arguments>(
      words, {&table}, arguments,
      [](Arguments& a, View word) {
        if (word.starts_with("-")) throw UsageError("unknown option '" + std::string(word) + "': see --help");
        a.paths.emplace_back(word);
        return true;
      },
      [](auto const& option) { throw UsageError(std::string(option.name) + " needs a value"); });
  if (arguments.paths.size() != 2) throw UsageError("give a checkpoint and the file to write: see --help");
  return arguments;
}

int run(command_line::Words words) {
  if (words.size() == 1 && std::string_view(words[0]) == "--help") return std::fputs(usage, stdout) < 0 ? 1 : 0;
  auto const arguments = parse(words);
  auto const place = zero::locate_checkpoint(arguments.paths[0]);
  zero::CheckpointFolder const folder(zero::posix_file_system(), place.root);
  auto const manifest = folder.manifest(place.tag);
  auto const report = zero::consolidate(folder, manifest, arguments.paths[1], arguments.options);
  std::printf("%s: %zu parameters of %s after %llu steps, %llu bytes in %zu file(s)\n", report.files.back().c_str(),
              report.parameters, place.tag.c_str(), static_cast<unsigned long long>(manifest.steps),
              static_cast<unsigned long long>(report.bytes), report.files.size());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return command_line::run("zero-consolidate", [&] { return run(command_line::words_of(argc, argv)); });
}
