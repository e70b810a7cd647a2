// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <string>

namespace zero::monitor {

/// Where the curves of a run are: in the folder `<output_path>/<job_name>`. The defaults are DeepSpeed's.
struct CurveFolder {
  std::string output_path{};                  ///< a folder; empty: the working directory
  std::string job_name = "DeepSpeedJobName";  ///< a folder in it, or one in another, with a slash between
};

}  // namespace zero::monitor
