// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <csetjmp>
#include <cstdio>

#include <png.h>

#include <array>

namespace images {

/// Of one file that is read or written. What libpng calls finds it by its pointer.
struct PngSession {
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::array<char, 160> message{};  ///< of the error that has ended it
};

/// What libpng calls where it cannot go on. Its functions are C: they are left by a jump, which passes no object with a
/// destructor. The pointer is the session's.
[[noreturn]] inline void leave_png(png_structp png, png_const_charp why) {
  auto& session = *static_cast<PngSession*>(png_get_error_ptr(png));
  std::snprintf(session.message.data(), session.message.size(), "%s", why);
  png_longjmp(png, 1);
}

/// What libpng calls where it goes on: of chunks that no pixel depends on, and of palettes that are too short.
inline void ignore_png_warning(png_structp /*png*/, png_const_charp /*why*/) {}

}  // namespace images
