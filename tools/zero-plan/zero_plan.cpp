// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// zero-plan: what a training run would hold and send, before there is one.
#include "model_files.hpp"
#include "models.hpp"
#include "options.hpp"
#include "report.hpp"
#include "support/byte_size.hpp"
#include "support/gpt2_sizes.hpp"
#include "support/program.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace {

using zero_plan::UsageError;

zero_plan::Model open_model(zero_plan::Options const& options) {
  zero_plan::FileHints const hints{options.tied, options.skipped};
  auto const& own = options.gpt2;
  if (own.layers) {
    auto name = zero::detail::concat({"gpt2 of ", *own.layers, " x ", *own.width});
    return zero_plan::gpt2_model(std::move(name), {*own.layers, *own.heads, *own.width, 1024, 50257});
  }
  if (options.model) return zero_plan::named_model(*options.model);
  return options.shapes ? zero_plan::read_shapes(*options.shapes, hints)
                        : zero_plan::read_safetensors(options.safetensors, hints);
}

[[noreturn]] void refuse(char const* option, std::string const& path) {
  throw zero_plan::UsageError(std::string(option) + " " + path + ": cannot be written");
}

/// What is asked of \p model that only a GPT-2 has.
void require_gpt2(zero_plan::Options const& options, zero_plan::Model const& model) {
  for (char const* option : {"--recompute", "--global-batch", "--batch", "--context", "--vocab"}) {
    if (model.gpt2 || !options.asked.has(option)) continue;
    std::string const refused = option + (" " + options.asked.given.find(option)->second) + ": ";
    bool const recomputes = option == std::string_view("--recompute");
    if (recomputes && model.parameters.specs().front().unit == model.parameters.specs().back().unit) {
      throw UsageError(refused + model.name + " has no units to compute again: it is one layer");
    }
    throw UsageError(refused + "the activations of " + model.name +
                     " are not known; those of GPT-2 are: " + command_line::gpt2_names() +
                     ", or --layers, --heads and --width; for others there is --activations");
  }
}

/// With the context and vocabulary that are asked for.
zero_plan::Model read_model(zero_plan::Options const& options) {
  auto model = open_model(options);
  require_gpt2(options, model);
  if (!model.gpt2) return model;
  auto shape = *model.gpt2;
  shape.context = options.gpt2.context.value_or(shape.context);
  shape.vocabulary = options.gpt2.vocabulary.value_or(shape.vocabulary);
  return zero_plan::gpt2_model(std::move(model.name), shape);
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
  auto const take = [&](zero_plan::Row const& row) {
    device = std::min(device, row.needed()), host = std::min(host, row.host);
  };
  for (auto const& row : report.rows) take(row);
  for (auto const& finding : report.findings) {
    for (auto const& row : finding.rows) take(row);
  }
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
  if (options.memories.size() == 1) check("--memory", options.memory, device);
  check("--host-memory", options.host_memory, host);
  check("--activations", options.activations, 1 << 20);
}

bool nothing_fits(zero_plan::Report const& report) {
  using zero_plan::Finding, zero_plan::Row;
  if (report.options.global_batch) {
    return std::none_of(report.findings.begin(), report.findings.end(), [](Finding const& f) { return f.fitting > 0; });
  }
  return std::none_of(report.rows.begin(), report.rows.end(), [](Row const& row) { return row.fits.value_or(true); });
}

command_line::ExitCode run(zero_plan::Options options) {
  using command_line::ExitCode;
  auto model = read_model(options);
  bool const searches = options.global_batch.has_value();
  auto const report = searches ? zero_plan::search(std::move(options), std::move(model))
                               : zero_plan::make_report(std::move(options), std::move(model));
  check_memory(report.options, report);
  bool const to_output = report.options.json == "-";
  if (report.options.json && !to_output) write_file("--json", *report.options.json, to_json(report));
  if (report.options.plot) write_file("--plot", *report.options.plot, to_svg(report));
  std::string written;
  if (report.options.write_config && !nothing_fits(report)) {
    auto const& file = *report.options.write_config;
    write_file("--write-config", file, to_configuration(report));
    written = "Written: " + file + ", for: " + command_of(report, file) + "\n";
  }
  command_line::print(to_output ? to_json(report) : to_table(report) + written);
  return nothing_fits(report) ? ExitCode::nothing_fits : ExitCode::done;
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
