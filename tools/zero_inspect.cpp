// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// zero-inspect: what a checkpoint holds, and whether all of it is as it was written.

#include <zero/checkpoint/locate.hpp>
#include <zero/checkpoint/verify.hpp>

#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>

namespace {

constexpr char const* usage =
    "usage: zero-inspect DIR [--no-verify]\n"
    "  DIR          a checkpoint, or a folder of checkpoints: then the latest valid one\n"
    "  --no-verify  read the manifest only, not the data\n";

using Count = unsigned long long;

std::string shape_of(zero::ManifestParameter const& parameter) {
  std::string text;
  for (auto const dimension : parameter.shape) text += (text.empty() ? "" : " x ") + std::to_string(dimension);
  return text.empty() ? "scalar" : text;
}

void print(zero::CheckpointLocation const& place, zero::Manifest const& manifest) {
  std::uint64_t elements = 0;
  for (auto const& parameter : manifest.parameters) elements += parameter.count();
  std::printf("%s/%s: %llu steps, %llu skipped, by %s\n", place.root.c_str(), place.tag.c_str(),
              static_cast<Count>(manifest.steps), static_cast<Count>(manifest.skipped), manifest.library.c_str());
  std::printf("  saved by %d rank(s) at stage %d, computing in %s; %s\n", manifest.world,
              static_cast<int>(manifest.stage), std::string(zero::name(manifest.compute)).c_str(),
              manifest.has_optimizer_state ? ("with the states of " + manifest.rule + " and " + manifest.scaler).c_str()
                                           : "parameters only");
  std::printf("  %zu parameters, %llu elements, %llu bytes in %zu files\n", manifest.parameters.size(),
              static_cast<Count>(elements), static_cast<Count>(manifest.bytes()), manifest.files.size());
  for (auto const& [key, value] : manifest.user_state)
    std::printf("  caller: %s (%zu bytes)\n", key.c_str(), value.size());
  for (auto const& parameter : manifest.parameters) {
    std::printf("  %-32s %-20s %s%s\n", parameter.name.c_str(), shape_of(parameter).c_str(),
                std::string(zero::name(parameter.type)).c_str(), parameter.frozen ? ", frozen" : "");
  }
}

void run(std::string const& path, bool verifies) {
  auto const place = zero::locate_checkpoint(path);
  zero::CheckpointFolder const folder(zero::posix_file_system(), place.root);
  auto const manifest = folder.manifest(place.tag);
  print(place, manifest);
  if (!verifies) return;
  zero::verify_checkpoint(folder.system(), folder.path(place.tag), manifest);
  std::puts("  every byte is as it was written");
}

}  // namespace

int main(int argc, char** argv) {
  bool verifies = true, bad = false;
  std::string path;
  for (int i = 1; i < argc; ++i) {
    std::string_view const word = argv[i];
    if (word == "--help") return std::fputs(usage, stdout) < 0;
    if (word == "--no-verify") {
      verifies = false;
    } else {
      bad = bad || word.starts_with("-") || !path.empty();
      path = word;
    }
  }
  if (bad || path.empty()) {
    std::fputs("zero-inspect: give one checkpoint or folder of checkpoints: see --help\n", stderr);
    return 2;
  }
  try {
    run(path, verifies);
  } catch (std::exception const& error) {
    std::fprintf(stderr, "zero-inspect: %s\n", error.what());
    return 2;
  }
}
