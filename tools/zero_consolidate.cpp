// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// zero-consolidate: one file of whole parameters out of the files of all ranks.

#include <zero/checkpoint/consolidate.hpp>
#include <zero/checkpoint/locate.hpp>

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr char const* usage =
    "usage: zero-consolidate DIR OUT.safetensors [--dtype fp32|bf16|fp16] [--max-shard-size SIZE]\n"
    "  DIR               a checkpoint, or a folder of checkpoints: then the latest valid one\n"
    "  --dtype           type of the parameters; default: as saved, fp32 (frozen ones in the compute type)\n"
    "  --max-shard-size  several files of at most so many bytes of data, with suffix K, M or G, and an index\n";

/// A command line that cannot be run.
struct UsageError : zero::Error {
  using Error::Error;
};

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

Arguments parse(std::span<char* const> words) {
  Arguments arguments;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string_view const word = words[i];
    bool const is_option = word == "--dtype" || word == "--max-shard-size";
    if (is_option && i + 1 == words.size()) throw UsageError(std::string(word) + " needs a value");
    if (word == "--dtype") {
      arguments.options.type = parse_type(words[++i]);
    } else if (word == "--max-shard-size") {
      arguments.options.max_shard_bytes = parse_size(words[++i]);
    } else if (word.starts_with("-")) {
      throw UsageError("unknown option '" + std::string(word) + "': see --help");
    } else {
      arguments.paths.emplace_back(word);
    }
  }
  if (arguments.paths.size() != 2) throw UsageError("give a checkpoint and the file to write: see --help");
  return arguments;
}

void run(Arguments const& arguments) {
  auto const place = zero::locate_checkpoint(arguments.paths[0]);
  zero::CheckpointFolder const folder(zero::posix_file_system(), place.root);
  auto const manifest = folder.manifest(place.tag);
  auto const report = zero::consolidate(folder, manifest, arguments.paths[1], arguments.options);
  std::printf("%s: %zu parameters of %s after %llu steps, %llu bytes in %zu file(s)\n", report.files.back().c_str(),
              report.parameters, place.tag.c_str(), static_cast<unsigned long long>(manifest.steps),
              static_cast<unsigned long long>(report.bytes), report.files.size());
}

}  // namespace

int main(int argc, char** argv) {
  std::span const words(argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0));
  if (words.size() == 1 && std::string_view(words[0]) == "--help") return std::fputs(usage, stdout) < 0;
  try {
    run(parse(words));
  } catch (std::exception const& error) {
    std::fprintf(stderr, "zero-consolidate: %s\n", error.what());
    return 2;
  }
}
