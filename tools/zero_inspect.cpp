// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// zero-inspect: what a checkpoint holds, and whether all of it is as it was written.

#include "support/counted.hpp"
#include "support/program.hpp"
#include "support/settings.hpp"

#include <zero/checkpoint/locate.hpp>
#include <zero/checkpoint/verify.hpp>
#include <zero/utility/utf8.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

namespace {

using command_line::counted;
using command_line::ExitCode;
using Count = unsigned long long;

std::string shape_of(zero::ManifestParameter const& parameter) {
  std::string text;
  for (auto const dimension : parameter.shape) text += (text.empty() ? "" : " x ") + std::to_string(dimension);
  return text.empty() ? "scalar" : text;
}

/// ` = value` for text that fits into a line; what else it may be is not for a terminal.
std::string shown(std::string const& value) {
  bool const is_line = zero::is_utf8(value) && std::none_of(value.begin(), value.end(),
                                                            [](char c) { return (c >= 0 && c < ' ') || c == 0x7F; });
  constexpr std::size_t longest = 1000;  // the options of a run of train_gpt2 take some 500
  return is_line && value.size() <= longest ? " = " + value : " (" + counted(value.size(), "byte") + ")";
}

void print(zero::CheckpointLocation const& place, zero::Manifest const& manifest) {
  std::uint64_t elements = 0;
  std::size_t tensors = 0;
  for (auto const& parameter : manifest.parameters) {
    elements += parameter.count();
    if (parameter.is_tensor) ++tensors;
  }
  std::printf("%s/%s: %s, %llu skipped, by %s\n", place.root.c_str(), place.tag.c_str(),
              counted(manifest.steps, "step").c_str(), static_cast<Count>(manifest.skipped), manifest.library.c_str());
  std::printf("  saved by %s at stage %d, computing in %s; %s\n",
              counted(static_cast<std::uint64_t>(manifest.world), "rank").c_str(), static_cast<int>(manifest.stage),
              std::string(zero::name(manifest.compute)).c_str(),
              manifest.has_optimizer_state ? ("with the states of " + manifest.rule + " and " + manifest.scaler).c_str()
                                           : "parameters only");
  auto const beside = tensors == 0 ? std::string() : ", " + counted(tensors, "tensor") + " beside them";
  std::printf("  %s%s, %s, %s in %s\n", counted(manifest.parameters.size() - tensors, "parameter").c_str(),
              beside.c_str(), counted(elements, "element").c_str(), counted(manifest.bytes(), "byte").c_str(),
              counted(manifest.files.size(), "file").c_str());
  for (auto const& [key, value] : manifest.user_state) {
    std::printf("  caller: %s%s\n", key.c_str(), shown(value).c_str());
  }
  for (auto const& parameter : manifest.parameters) {
    std::printf("  %-32s %-20s %s%s%s\n", parameter.name.c_str(), shape_of(parameter).c_str(),
                std::string(zero::name(parameter.type)).c_str(),
                parameter.is_tensor ? ", no parameter"
                : parameter.frozen  ? ", frozen"
                                    : "",
                parameter.rule ? (", trained with " + *parameter.rule).c_str() : "");
  }
}

/// Byte for byte, for another program to read.
void write_value(zero::Manifest const& manifest, std::string const& key) {
  auto const found = manifest.user_state.find(key);
  if (found != manifest.user_state.end()) {
    std::fwrite(found->second.data(), 1, found->second.size(), stdout);
    return;
  }
  std::string keys;
  for (auto const& [other, value] : manifest.user_state) keys.append(keys.empty() ? "" : ", ").append(other);
  throw command_line::UsageError("--value " + key + ": the checkpoint has no such value" +
                                 (keys.empty() ? ", and no other" : ", but " + keys));
}

struct Options {
  std::string path;
  std::optional<std::string> value{};
  bool skips_data = false;
  command_line::Asked asked{};
};

command_line::Command<Options> const& command() {
  using Settings = command_line::Settings<Options>;
  static command_line::Command<Options> const made{
      .name = "zero-inspect",
      .synopsis = "CHECKPOINT [OPTION...]",
      .what =
          "Says what a checkpoint holds, and whether every byte is as it was written. CHECKPOINT is a checkpoint, or "
          "a folder of checkpoints: then the latest valid one.",
      .groups = {{"what is read",
                  {{"--no-verify", "", "read the manifest only, not the data", Settings::flag(&Options::skips_data)},
                   {"--value", "KEY",
                    "write nothing but this value of the caller's, whole, such as the configuration of a run",
                    Settings::text(&Options::value)}}}},
      .exit_codes = {ExitCode::done, ExitCode::failed, ExitCode::usage, ExitCode::data, ExitCode::damaged},
      .take_word = [](Options& o, std::string_view word) {
        if (!o.path.empty()) throw command_line::UsageError("give one checkpoint or folder of checkpoints: see --help");
        o.path = word;
      }};
  return made;
}

Options parse(command_line::Words words) {
  return command_line::parsed(command(), words, [](Options const& options) {
    if (!options.path.empty()) return;
    throw command_line::UsageError("give one checkpoint or folder of checkpoints: see --help");
  });
}

ExitCode run(Options const& options) {
  auto const place = zero::locate_checkpoint(options.path);
  zero::CheckpointFolder const folder(zero::posix_file_system(), place.root);
  auto const manifest = folder.manifest(place.tag);
  if (options.value) {
    write_value(manifest, *options.value);
    return ExitCode::done;
  }
  print(place, manifest);
  if (options.skips_data) return ExitCode::done;
  zero::verify_checkpoint(folder.system(), folder.path(place.tag), manifest);
  std::puts("  every byte is as it was written");
  return ExitCode::done;
}

}  // namespace

int main(int argc, char** argv) {
  return command_line::run_program(command(), command_line::words_of(argc, argv), parse, run);
}
