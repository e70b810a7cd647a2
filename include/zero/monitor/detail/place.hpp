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

/// Why \p job_name is no name of a job, or nothing.
[[nodiscard]] inline std::string_view fault_of_job_name(std::string_view job_name) noexcept {
  if (job_name.empty()) return "is empty";
  if (job_name.front() == '/') return "begins with a slash: the folder above it is the output path";
  for (;;) {
    auto const slash = job_name.find('/');
    if (auto const fault = fault_of_folder_name(job_name.substr(0, slash)); !fault.empty()) return fault;
    if (slash == std::string_view::npos) return {};
    job_name.remove_prefix(slash + 1);
  }
}
/// The same of an output path.
[[nodiscard]] inline std::string_view fault_of_output_path(std::string_view path) noexcept {
  return path.find('\0') == std::string_view::npos ? std::string_view() : "has a character NUL, which no path has";
}

/// The folder of a job: \p job_name below \p output_path, which is the working directory where it is empty. A slash in
/// the name makes a folder in a folder. \throws ConfigurationError.
[[nodiscard]] inline std::string folder_of_job(std::string const& output_path, std::string const& job_name) {
  if (auto const fault = fault_of_output_path(output_path); !fault.empty()) {
    throw ConfigurationError(concat({"zero: the output path of a monitor ", fault}));
  }
  if (auto const fault = fault_of_job_name(job_name); !fault.empty()) {
    constexpr std::size_t most = 80;
    std::string shown = job_name.size() > most ? job_name.substr(0, most) + "..." : job_name;
    for (char& c : shown) c = is_control(c) ? '?' : c;  // a message goes to a terminal, and ends at a NUL
    throw ConfigurationError(concat({"zero: the job's name ", quote(shown), " of a monitor ", fault,
                                     ": it is a folder's name, such as 'my-run' or 'team/my-run'"}));
  }
  if (output_path.empty()) return job_name;
  return output_path.back() == '/' ? output_path + job_name : output_path + "/" + job_name;
}

}  // namespace zero::detail
