// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// zero-plan: what a training run would hold and send, before there is one.
#include "model_files.hpp"
#include "models.hpp"
#include "options.hpp"
#include "report.hpp"
#include "support/command_line.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>

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

int run(std::span<char const* const> arguments) {
  auto options = zero_plan::parse_options(arguments);
  if (options.help) return std::fputs(zero_plan::usage().c_str(), stdout) < 0 ? 1 : 0;
  auto model = read_model(options);
  auto const report = zero_plan::make_report(std::move(options), std::move(model));
  bool const to_output = report.options.json == "-";
  if (report.options.json && !to_output) write_file("--json", *report.options.json, to_json(report));
  if (report.options.plot) write_file("--plot", *report.options.plot, to_svg(report));
  auto const text = to_output ? to_json(report) : to_table(report);
  bool const written = std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  if (!written) throw zero_plan::UsageError("standard output: cannot be written");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return command_line::run("zero-plan", [&] { return run(command_line::words_of(argc, argv)); });
}
