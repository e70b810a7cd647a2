// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// zero-plan: what a training run would hold and send, before there is one.
#include "model_files.hpp"
#include "models.hpp"
#include "options.hpp"
#include "report.hpp"
#include "support/byte_size.hpp"
#include "support/program.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>

namespace {

zero_plan::Model read_model(zero_plan::Options const& options) {
  zero_plan::FileHints const hints{options.tied, options.skipped};
  if (options.model) return zero_plan::named_model(*options.model);
  return options.shapes ? zero_plan::read_shapes(*options.shapes, hints)
                        : zero_plan::read_safetensors(options.safetensors, hints);
}

[[noreturn]] void refuse(char const* option, std::string const& path) {
  throw zero_plan::UsageError(std::string(option) + " " + path + ": cannot be written");
}

/// Writes a whole file or none: beside its place first, unless that is a device or a pipe.
void write_file(char const* option, std::string const& path, std::string const& text) {
  namespace fs = std::filesystem;
  std::error_code error;
  auto const status = fs::status(path, error);
  bool const in_place = fs::exists(status) && !fs::is_regular_file(status);
  if (fs::is_directory(status)) refuse(option, path);
  std::string const place = in_place ? path : path + ".part";
  std::ofstream file(place, std::ios::binary);
  file << text;
  file.close();
  bool good = file.good();
  if (good && !in_place) {
    fs::rename(place, path, error);
    good = !error;
  }
  if (good) return;
  if (!in_place) fs::remove(place, error);
  refuse(option, path);
}

/// Warns of a memory that cannot be meant, which every row would be judged by.
void check_memory(zero_plan::Options const& options, zero_plan::Report const& report) {
  auto const warn = [](char const* option, std::string const& why) {
    std::fprintf(stderr, "zero-plan: warning: %s\n", (option + (" " + why)).c_str());
  };
  std::uint64_t device = UINT64_MAX, host = UINT64_MAX;
  for (auto const& row : report.rows) device = std::min(device, row.device), host = std::min(host, row.host);
  auto const check = [&](char const* option, std::optional<std::uint64_t> bytes, std::uint64_t least) {
    auto const given = options.asked.given.find(option);
    if (!bytes || *bytes == 0 || given == options.asked.given.end()) return;
    bool const bare = command_line::has_no_unit(given->second);
    std::string const unit = bare ? ", because it has no unit: was " + given->second + "G meant?" : "";
    if (*bytes < least / 1000) {
      warn(option, given->second + ": is " + std::to_string(*bytes) + " bytes" +
                       (bare ? unit : ", less than a thousandth of what the smallest setting takes"));
    } else if (*bytes > std::uint64_t{1} << 46) {
      warn(option, given->second + ": is more than any machine has");
    }
  };
  check("--memory", options.memory, device);
  check("--host-memory", options.host_memory, host);
  check("--activations", options.activations, 1 << 20);
}

command_line::ExitCode run(zero_plan::Options options) {
  using command_line::ExitCode;
  auto model = read_model(options);
  auto const report = zero_plan::make_report(std::move(options), std::move(model));
  check_memory(report.options, report);
  bool const to_output = report.options.json == "-";
  if (report.options.json && !to_output) write_file("--json", *report.options.json, to_json(report));
  if (report.options.plot) write_file("--plot", *report.options.plot, to_svg(report));
  command_line::print(to_output ? to_json(report) : to_table(report));
  bool const none = std::none_of(report.rows.begin(), report.rows.end(),
                                 [](zero_plan::Row const& row) { return row.fits.value_or(true); });
  return none ? ExitCode::nothing_fits : ExitCode::done;
}

/// What the engine refuses is what the options ask for.
command_line::ExitCode exit_code_of(std::exception const& error) {
  bool const of_engine = dynamic_cast<zero::Error const*>(&error) != nullptr &&
                         dynamic_cast<zero::CheckpointError const*>(&error) == nullptr;
  return of_engine ? command_line::ExitCode::usage : command_line::exit_code_of(error);
}

}  // namespace

int main(int argc, char** argv) {
  return command_line::run_program(zero_plan::command(), command_line::words_of(argc, argv), zero_plan::parse_options,
                                   run, {}, exit_code_of);
}
