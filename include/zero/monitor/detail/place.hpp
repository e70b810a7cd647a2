// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace zero::detail {

[[nodiscard]] inline bool is_control(char c) noexcept { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

/// One part of a job's name: why it names no folder, or nothing.
[[nodiscard]] inline std::string_view fault_of_folder_name(std::string_view name) noexcept {
  constexpr std::size_t longest = 255;  // bytes, of every file system of today
  if (name.empty()) return "has an empty part";
  if (name == "." || name == "..") return "has a part '.' or '..', which would lead to the folder of another job";
  if (name.size() > longest) return "has a part of more than 255 bytes, which no file system takes";
  for (char const c : name) {
    if (is_control(c)) return "has a control character";
  }
  return {};
}

/// The folder of a job: \p job_name below \p output_path, which is the working directory where it is empty. A slash in
/// the name makes a folder in a folder. \throws ConfigurationError.
[[nodiscard]] inline std::string folder_of_job(std::string const& output_path, std::string const& job_name) {
  auto const refuse = [&](std::string_view why) {
    std::string shown = job_name;
    for (char& c : shown) c = is_control(c) ? '?' : c;  // a message goes to a terminal, and ends at a NUL
    throw ConfigurationError(concat({"zero: the job's name ", quote(shown), " of a monitor ", why,
                                     ": it is a folder's name, such as 'my-run' or 'team/my-run'"}));
  };
  if (output_path.find('\0') != std::string::npos) {
    throw ConfigurationError("zero: the output path of a monitor has a character NUL, which no path has");
  }
  if (job_name.empty()) refuse("is empty");
  if (job_name.front() == '/') refuse("begins with a slash: the folder above it is the output path");
  for (std::string_view rest = job_name;;) {
    auto const slash = rest.find('/');
    if (auto const fault = fault_of_folder_name(rest.substr(0, slash)); !fault.empty()) refuse(fault);
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  if (output_path.empty()) return job_name;
  return output_path.back() == '/' ? output_path + job_name : output_path + "/" + job_name;
}

}  // namespace zero::detail
