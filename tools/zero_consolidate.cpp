// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// zero-consolidate: one file of whole parameters out of the files of all ranks.

#include "support/counted.hpp"
#include "support/program.hpp"
#include "support/settings.hpp"

#include <zero/checkpoint/consolidate.hpp>
#include <zero/checkpoint/locate.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

namespace {

namespace fs = std::filesystem;
using command_line::counted;
using command_line::ExitCode;
using command_line::UsageError;

struct Options {
  std::vector<std::string> paths;
  std::optional<zero::ElementType> type;
  std::uint64_t max_shard_bytes = 0;
  bool overwrite = false;
  command_line::Asked asked{};
};

command_line::Command<Options> const& command() {
  using Settings = command_line::Settings<Options>;
  using Type = std::optional<zero::ElementType>;
  using enum zero::ElementType;
  static command_line::Command<Options> const made{
      .name = "zero-consolidate",
      .synopsis = "CHECKPOINT OUT.safetensors [OPTION...]",
      .what =
          "Writes the whole parameters of a checkpoint, whatever ranks it was saved by, into one safetensors file. "
          "CHECKPOINT is a checkpoint, or a folder of checkpoints: then the latest valid one.",
      .groups = {{"what is written",
                  {{"--dtype", "fp32|bf16|fp16", "type of the parameters",
                    Settings::choice(&Options::type,
                                     command_line::Choices<Type, 3>{{{"fp32", fp32}, {"bf16", bf16}, {"fp16", fp16}}}),
                    "as saved: fp32, and frozen ones in the compute type"},
                   {"--max-shard-size", "SIZE",
                    "several files of at most so many bytes of data, and an index: 5G and 5GiB are binary, 5GB is "
                    "decimal",
                    Settings::positive_size(&Options::max_shard_bytes), "one file"},
                   {"--overwrite", "", "replace the model of this name, in one file or several",
                    Settings::flag(&Options::overwrite)}}}},
      .exit_codes = {ExitCode::done, ExitCode::failed, ExitCode::usage, ExitCode::data, ExitCode::damaged},
      .take_word = [](Options& o, std::string_view word) { o.paths.emplace_back(word); }};
  return made;
}

Options parse(command_line::Words words) {
  return command_line::parsed(command(), words, [](Options const& options) {
    if (options.paths.size() != 2) throw UsageError("give a checkpoint and the file to write: see --help");
  });
}

/// A folder beside \p out, removed with all that is left in it.
class FolderBeside {
 public:
  explicit FolderBeside(fs::path const& out)
      : path_(out.parent_path() / (".zero-consolidate." + std::to_string(::getpid()))) {
    std::error_code error;
    if (!fs::create_directory(path_, error)) {
      throw UsageError(out.string() + ": cannot be written: its folder takes no other: " + error.message());
    }
  }
  FolderBeside(FolderBeside const&) = delete;
  FolderBeside& operator=(FolderBeside const&) = delete;
  ~FolderBeside() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] fs::path const& path() const { return path_; }

 private:
  fs::path path_;
};

/// Whether \p name is one of several files of \p stem, `STEM-00001-of-00003.safetensors`.
bool is_shard_of(std::string_view stem, std::string_view name) {
  constexpr std::string_view form = "-00000-of-00000.safetensors";
  if (name.size() != stem.size() + form.size() || !name.starts_with(stem)) return false;
  name.remove_prefix(stem.size());
  return std::equal(name.begin(), name.end(), form.begin(),
                    [](char c, char of_form) { return of_form == '0' ? c >= '0' && c <= '9' : c == of_form; });
}

/// All files that a reader could take for the model \p out: the one, the index of several, and these.
std::vector<fs::path> files_of(fs::path const& out) {
  std::vector<fs::path> files;
  std::error_code error;
  auto const whole = out.filename().string();
  auto const stem = out.extension() == ".safetensors" ? out.stem().string() : whole;
  auto const folder = out.has_parent_path() ? out.parent_path() : fs::path(".");
  for (auto at = fs::directory_iterator(folder, error); !error && at != fs::directory_iterator(); at.increment(error)) {
    auto const name = at->path().filename().string();
    if (name == whole || name == whole + ".index.json" || is_shard_of(stem, name)) {
      files.push_back(out.parent_path() / name);
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// Writes beside the files that are to be replaced, and renames when all are whole. What was there under another
/// number of files goes: a reader that finds an index takes it before anything else.
zero::ConsolidateReport replace(zero::CheckpointFolder const& folder, zero::Manifest const& manifest,
                                fs::path const& out, zero::ConsolidateOptions const& how) {
  FolderBeside const beside(out);
  auto report = zero::consolidate(folder, manifest, (beside.path() / out.filename()).string(), how);
  for (auto& file : report.files) {
    auto const place = out.parent_path() / fs::path(file).filename();
    fs::rename(file, place);
    file = place.string();
  }
  for (auto const& file : files_of(out)) {
    bool const is_new = std::find(report.files.begin(), report.files.end(), file.string()) != report.files.end();
    if (!is_new) fs::remove(file);
  }
  return report;
}

ExitCode run(Options const& options) {
  std::string const& out = options.paths[1];
  if (auto const there = files_of(out); !options.overwrite && !there.empty()) {
    throw UsageError(there.front().string() + ": is there already: give another name, or --overwrite");
  }
  auto const place = zero::locate_checkpoint(options.paths[0]);
  zero::CheckpointFolder const folder(zero::posix_file_system(), place.root);
  auto const manifest = folder.manifest(place.tag);
  zero::ConsolidateOptions const how{.type = options.type, .max_shard_bytes = options.max_shard_bytes};
  auto const report =
      options.overwrite ? replace(folder, manifest, out, how) : zero::consolidate(folder, manifest, out, how);
  std::printf("%s: %s of %s after %s, %s in %s\n", report.files.back().c_str(),
              counted(report.parameters, "parameter").c_str(), place.tag.c_str(),
              counted(manifest.steps, "step").c_str(), counted(report.bytes, "byte").c_str(),
              counted(report.files.size(), "file").c_str());
  return ExitCode::done;
}

}  // namespace

int main(int argc, char** argv) {
  return command_line::run_program(command(), command_line::words_of(argc, argv), parse, run);
}
