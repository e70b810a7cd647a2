// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <stdexcept>
#include <string>

namespace command_line {

/// An input that cannot be used: a file that is missing, is not what it should be, or does not fit the others. `what()`
/// is one line: what is wrong with which file, and what to do.
class DataError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// \throws DataError that says what is wrong with the file or the data set \p name.
[[noreturn]] inline void refuse_data(std::string const& name, std::string const& problem) {
  throw DataError(name + ": " + problem);
}

}  // namespace command_line
