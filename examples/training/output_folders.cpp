// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "output_folders.hpp"

#include "console.hpp"
#include "options.hpp"
#include "progress.hpp"

#include <zero/checkpoint/export.hpp>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include <unistd.h>

namespace training {
namespace fs = std::filesystem;

namespace {

[[noreturn]] void refuse_run(zero::CheckpointFolder const& folder, std::string const& tag, std::string const& option) {
  auto const holds = "--checkpoint-dir " + folder.root() + ": holds " + tag;
  if (option.empty()) {
    throw UsageError(
        holds + " of another run: --resume auto goes on with it, --overwrite takes its place, or name another folder");
  }
  throw UsageError(holds + ", and " + option + " begins another run: name another folder, with --resume " +
                   folder.path(tag) + "; --overwrite takes its place; without " + option + " the run goes on with it");
}

/// The folder \p path, or the nearest one above it that is there, in which it is going to be made.
fs::path nearest_that_exists(std::string const& path) {
  std::error_code error;
  fs::path nearest = fs::absolute(path, error);
  while (!fs::exists(fs::symlink_status(nearest, error)) && nearest.has_relative_path())
    nearest = nearest.parent_path();
  return nearest;
}

[[noreturn]] void refuse_model(std::string const& option, std::string const& path, std::string const& file) {
  throw UsageError(option + " " + path + ": holds a " + file + " already: use --overwrite, or name another folder");
}

}  // namespace

void refuse_other_runs(zero::CheckpointFolder const& folder, std::string const& run, bool is_new,
                       std::string const& option) {
  for (auto const& saved : folder.checkpoints()) {
    if (is_new || saved.run != run) refuse_run(folder, saved.tag, option);
  }
}

void remove_other_runs(zero::CheckpointFolder folder, std::string const& run) {
  try {
    for (auto const& saved : folder.checkpoints()) {
      if (saved.run != run) folder.remove(saved.tag);
    }
    for (auto const* const name : {"best", "final"}) {
      auto const tag = folder.pointer(name);
      if (tag && !fs::exists(folder.path(*tag))) (void)folder.system().remove_file(folder.path(name));
    }
  } catch (zero::CheckpointError const& error) {
    say("checkpoint: what another run left is still there: %s\n", error.what());
  }
}

void expect_writable_file(std::string const& option, std::string const& path) {
  fs::path const file(path), folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  std::error_code error;
  bool const fits =
      fs::is_directory(folder, error) && !fs::is_directory(file, error) && ::access(folder.c_str(), W_OK) == 0;
  if (!fits) throw UsageError(option + " " + path + ": cannot be written: name a file in a folder that exists");
}

void expect_new_file(std::string const& option, std::string const& path, bool may_replace) {
  expect_writable_file(option, path);
  std::error_code error;
  if (may_replace || !fs::exists(path, error)) return;
  throw UsageError(option + " " + path + ": is there already: use --overwrite, or another name");
}

void expect_writable_folder(std::string const& option, std::string const& path) {
  auto const refuse = [&](std::string const& why) { throw UsageError(option + " " + path + ": " + why); };
  std::error_code error;
  auto const nearest = nearest_that_exists(path);
  if (!fs::is_directory(nearest, error)) refuse("the folder cannot be made: " + nearest.string() + " is no folder");
  if (::access(nearest.c_str(), W_OK | X_OK) != 0) {
    refuse(nearest.string() + " cannot be written to: " + std::generic_category().message(errno));
  }
}

void refuse_other_models(std::string const& option, std::string const& path) {
  for (auto const* const name :
       {"model.safetensors", "model.safetensors.index.json", "config.json", "tokenizer.json"}) {
    if (fs::exists(fs::path(path) / name)) refuse_model(option, path, name);
  }
}

void prepare_export(std::string const& option, std::string const& path, bool may_replace) {
  auto const refuse = [&](std::string const& why) { throw UsageError(option + " " + path + ": " + why); };
  std::error_code error;
  fs::create_directories(path, error);
  if (!fs::is_directory(path))
    refuse("the folder cannot be made: " + (error ? error.message() : "a file has its name"));
  if (!may_replace) refuse_other_models(option, path);
  auto& system = zero::posix_file_system();
  auto const probe = path + "/.zero-probe";
  try {
    zero::write_new_file(system, probe, "", true);
  } catch (zero::CheckpointError const& failed) {
    refuse(failed.what());
  }
  (void)system.remove_file(probe);
}

std::string space_warning(std::string const& folder, std::uint64_t bytes, CheckpointCount count) {
  std::error_code error;
  auto const free = fs::space(nearest_that_exists(folder), error).available;
  if (error) return {};
  // Beside the newest: the best, the last, and the one that is being written.
  auto const at_once = count.kept == 0 ? count.to_come : std::min<std::uint64_t>(count.to_come, count.kept + 3);
  if (bytes == 0 || at_once <= free / bytes) return {};
  return with_separators(at_once) + " checkpoints to come need " + with_separators(at_once * bytes) + " bytes, and " +
         folder + " has " + with_separators(free) + " free: keep fewer (--keep, --save best), or free space";
}

}  // namespace training
