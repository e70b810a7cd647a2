// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <doctest/doctest.h>

#include <exception>
#include <string>
#include <utility>

/// What \p f throws, in words; "" where it throws nothing.
template <class Function>
std::string error_of(Function&& f) {
  try {
    std::forward<Function>(f)();
  } catch (std::exception const& error) {
    return error.what();
  }
  return "";
}

/// Checks that the expression throws, and that the message has these words.
#define CHECK_SAYS(expression, words)                                  \
  do {                                                                 \
    std::string const message = error_of([&] { (void)(expression); }); \
    CAPTURE(message);                                                  \
    CHECK(message.find(words) != std::string::npos);                   \
  } while (false)
