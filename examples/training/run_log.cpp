// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "run_log.hpp"

#include "console.hpp"
#include "options.hpp"

#include <zero/utility/file_lock.hpp>
#include <zero/utility/json.hpp>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace training {
namespace {

namespace fs = std::filesystem;

/// Bytes of the lines up to the first of a later step than \p steps. A line that was cut off is none.
std::uintmax_t bytes_up_to(fs::path const& path, std::uint64_t steps) {
  constexpr std::string_view begin = "{\"step\": ";
  std::ifstream file(path, std::ios::binary);
  std::uintmax_t bytes = 0;
  for (std::string line; std::getline(file, line) && !file.eof(); bytes += line.size() + 1) {
    bool const of_step = line.starts_with(begin);
    if (of_step && std::strtoull(line.c_str() + begin.size(), nullptr, 10) > steps) break;
  }
  return bytes;
}

/// The losses of several data sets. Their labels are what users have called their files.
std::string losses_of(std::vector<NamedLoss> const& losses) {
  std::string text;
  for (auto const& [label, loss] : losses) {
    text += text.empty() ? ", \"val_losses\": {" : ", ";
    zero::write_json_string(text, label);
    text.append(": ").append(json_number(loss));
  }
  return text.empty() ? text : text + "}";
}

/// What a program has measured beside the loss.
std::string members_of(std::vector<Measure> const& measures) {
  std::string text;
  for (auto const& [name, value, line] : measures) {
    text.append(", \"").append(name).append("\": ").append(json_number(value));
  }
  return text;
}

bool is_regular(int file) {
  struct stat status {};
  return ::fstat(file, &status) == 0 && S_ISREG(status.st_mode);
}

}  // namespace

RunLog::RunLog(std::optional<std::string> path, std::string items) : path_(std::move(path)), items_(std::move(items)) {
  if (!path_) return;
  fs::path const place(*path_), folder = place.has_parent_path() ? place.parent_path() : fs::path(".");
  std::error_code error;
  bool const there = fs::exists(place, error);
  bool const good = there ? !fs::is_directory(place, error) && ::access(place.c_str(), W_OK) == 0
                          : fs::is_directory(folder, error) && ::access(folder.c_str(), W_OK) == 0;
  if (!good) throw UsageError("--log " + *path_ + ": cannot be written: name a file in a folder that exists");
}

void RunLog::open() {
  if (!file_) file_ = zero::Descriptor(::open(path_->c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
}

// What is no file, such as a pipe, may have several writers, and a reader that is waited for.
void RunLog::claim() {
  std::error_code error;
  if (!path_ || (fs::exists(*path_, error) && !fs::is_regular_file(*path_, error))) return;
  open();
  if (!file_ || zero::try_lock_file(file_.get())) return;
  throw UsageError("--log " + *path_ + ": another run is writing it: name another file, or end that run");
}

void RunLog::begin(std::uint64_t steps) {
  if (!path_) return;
  std::error_code error;
  if (fs::is_regular_file(*path_, error)) fs::resize_file(*path_, steps > 0 ? bytes_up_to(*path_, steps) : 0, error);
  open();
  if (!file_) warn(std::strerror(errno));
}

// Keys are literals and values are numbers, with what `losses_of` writes apart: there is nothing to escape, and numbers
// are to be short.
void RunLog::step(StepRecord const& r) {
  write("{\"step\": " + std::to_string(r.step) + ", \"loss\": " + json_number(r.loss) + ", \"val_loss\": " +
        json_number(r.val_loss) + ", \"grad_norm\": " + json_number(r.grad_norm) + ", \"lr\": " + json_number(r.lr) +
        ", \"loss_scale\": " + json_number(r.loss_scale) + ", \"skipped\": " + (r.skipped ? "true" : "false") + ", \"" +
        items_ + "_per_second\": " + json_number(r.items_per_second) + ", \"ms\": " + json_number(1e3 * r.seconds) +
        ", \"data_ms\": " + json_number(1e3 * r.data_seconds) + ", \"samples\": " + std::to_string(r.samples) +
        ", \"epoch\": " + json_number(r.epoch) + ", \"train_loss\": " + json_number(r.train_loss) +
        ", \"eval_seconds\": " + json_number(r.eval_seconds) + losses_of(r.val_losses) +
        (r.mfu ? ", \"mfu\": " + json_number(r.mfu) : std::string()) + members_of(r.measured) +
        members_of(r.evaluated) + "}\n");
}

void RunLog::parameter_hash(std::uint64_t hash) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(hash));
  write("{\"parameter_hash\": \"" + std::string(text.data()) + "\"}\n");
}

// At once, because a log that lags behind the run is of no use when the run dies; and whole or not at all, so that it
// stays one of lines when there is room again.
void RunLog::write(std::string const& line) {
  if (!file_) return;
  auto const written = zero::restart_interrupted([&] { return ::write(file_.get(), line.data(), line.size()); });
  if (written == static_cast<ssize_t>(line.size())) return;
  warn(written < 0 ? std::strerror(errno) : "only a part of a line was");
  if (written > 0 && is_regular(file_.get())) {
    if (auto const end = ::lseek(file_.get(), 0, SEEK_END); end >= written)
      (void)!::ftruncate(file_.get(), end - written);
  }
}

void RunLog::warn(std::string const& what) {
  if (std::exchange(warned_, true)) return;
  console().warn("--log " + *path_ + ": could not be written: " + what + "; the run goes on without what is missing");
}

}  // namespace training
