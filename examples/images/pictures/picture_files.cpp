// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "images/pictures/picture_files.hpp"

#include "images/pictures/shown_name.hpp"
#include "support/data_error.hpp"

#include <zero/utility/descriptor.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <span>
#include <string_view>
#include <system_error>
#include <thread>

namespace images {
namespace {

namespace fs = std::filesystem;
using command_line::DataError;

constexpr std::uint64_t most_bytes = std::uint64_t{1} << 30U;
constexpr std::uint64_t header_bytes = 4096;  // which hold most headers: a data set may have a million files

/// ".JPG" of "DIR/a.JPG" becomes ".jpg".
std::string ending_of(std::string_view name) {
  auto const dot = name.rfind('.');
  std::string ending(dot == std::string_view::npos ? std::string_view() : name.substr(dot));
  for (char& c : ending) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return ending;
}
bool is_named_png(std::string_view name) { return ending_of(name) == ".png"; }
bool is_named_picture(std::string_view name) {
  auto const ending = ending_of(name);
  return ending == ".jpg" || ending == ".jpeg" || ending == ".png";
}

[[noreturn]] void refuse(std::string_view path, std::string_view why) {
  throw DataError(shown_name(path) + ": " + std::string(why));
}

std::string joined(std::string folder, std::string_view name) {
  folder += '/';
  folder += name;
  return folder;
}

/// The names in a folder, sorted by bytes.
std::vector<std::string> names_in(std::string const& folder) {
  std::error_code error;
  std::vector<std::string> names;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  if (error) refuse(folder, "cannot be read: " + error.message());
  std::sort(names.begin(), names.end());
  return names;
}

/// Walks through the folder of one class.
class Walk {
 public:
  Walk(PictureFiles& files, std::size_t of_class) : files_(files), of_class_(of_class), around_{files.root} {}

  /// Takes the files in the folder \p name, from the root on, and in those in it.
  void take(std::string const& name) {
    auto const path = files_.root + "/" + name;
    for (auto const& around : around_) {
      std::error_code error;
      if (fs::equivalent(around, path, error)) refuse(path, "is a link back to " + shown_name(around) + ": remove it");
    }
    around_.push_back(path);
    for (auto const& inner : names_in(path)) {
      if (inner.front() == '.') {
        ++files_.hidden;
      } else {
        take_entry(joined(name, inner));
      }
    }
    around_.pop_back();
  }

 private:
  void take_entry(std::string const& name) {
    std::error_code error;
    auto const type = fs::status(files_.root + "/" + name, error).type();
    if (type == fs::file_type::directory) return take(name);
    // A link to nothing may have been one to a folder, whatever it is called.
    if (!is_named_picture(name) && type != fs::file_type::not_found) {
      ++files_.other;
      return;
    }
    PictureFile file{.name = name, .of_class = of_class_};
    if (type == fs::file_type::not_found) {
      file.problem = "is a link to nothing";
    } else if (type == fs::file_type::none || type == fs::file_type::unknown) {
      file.problem = "cannot be read: " + error.message();
    } else if (type != fs::file_type::regular) {
      file.problem = "is no file";
    }
    files_.files.push_back(std::move(file));
  }

  PictureFiles& files_;
  std::size_t of_class_;
  std::vector<std::string> around_;  // folders, the root's first
};

/// A file that is open for reading, and its size.
class OpenFile {
 public:
  /// Never waits: to open a pipe as others do would wait for who writes to it. What \p path names is looked at once it
  /// is open, as it may be another one by then.
  explicit OpenFile(std::string const& path) : file_(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
    struct stat status {};
    int const failure = !file_ || ::fstat(file_.get(), &status) != 0 ? errno : 0;
    if (failure == 0 && S_ISREG(status.st_mode)) {
      size_ = static_cast<std::uint64_t>(status.st_size);
      return;
    }
    if (failure != 0) fail(failure);
    throw DecodeError("is no file");
  }

  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  /// Fills \p bytes from the file's begin.
  void read(std::span<std::uint8_t> bytes) const {
    while (!bytes.empty()) {
      auto const count = zero::restart_interrupted([&] { return ::read(file_.get(), bytes.data(), bytes.size()); });
      if (count < 0) fail(errno);
      if (count == 0) throw DecodeError("cannot be read to its end");
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
  }

 private:
  [[noreturn]] static void fail(int error) {
    throw DecodeError("cannot be read: " + std::string(std::strerror(error)));
  }

  zero::Descriptor file_;
  std::uint64_t size_ = 0;
};

/// At most \p most bytes of a file from its begin, and its size.
std::vector<std::uint8_t> read_beginning(std::string const& path, std::uint64_t most, std::uint64_t& size) {
  OpenFile const file(path);
  size = file.size();
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(std::min(size, most)));
  file.read(bytes);
  return bytes;
}

PictureFormat look_at_header(std::string const& path, PictureFile& file, std::uint64_t most_pixels) {
  auto const bytes = read_beginning(path, header_bytes, file.bytes);
  try {
    return read_header(bytes, most_pixels).format;
  } catch (DecodeError const&) {
    if (file.bytes <= bytes.size()) throw;
  }
  return read_header(read_file(path), most_pixels).format;  // much may stand before a picture in JPEG
}

void look_at_file(PictureFiles const& files, PictureFile& file, Thoroughness thoroughness, std::uint64_t most_pixels) {
  if (!file.problem.empty()) return;
  auto const path = files.path_of(file);
  try {
    auto const format = look_at_header(path, file, most_pixels);
    file.is_misnamed = (format == PictureFormat::png) != is_named_png(file.name);
    if (thoroughness == Thoroughness::all) (void)decode(read_file(path), most_pixels);
  } catch (DecodeError const& error) {
    file.problem = error.what();
  } catch (std::bad_alloc const&) {
    file.problem = "needs more memory than there is";
  }
}

}  // namespace

std::vector<std::uint8_t> read_file(std::string const& path) {
  std::uint64_t size = 0;
  auto bytes = read_beginning(path, most_bytes, size);
  if (size > most_bytes) throw DecodeError("has more than 1 GiB");
  return bytes;
}

PictureFiles list_pictures(std::string const& root) {
  PictureFiles files{.root = root};
  for (auto const& name : names_in(root)) {
    std::error_code error;
    if (name.front() == '.') {
      ++files.hidden;
    } else if (auto const type = fs::status(joined(root, name), error).type(); type == fs::file_type::directory) {
      files.classes.push_back(name);
    } else if (type == fs::file_type::not_found) {
      refuse(joined(root, name), "is a link to nothing, and may have been a class: mend or remove it");
    } else {
      ++files.other;
    }
  }
  if (files.classes.empty()) refuse(root, "has no folders: it is to have one for each class, with pictures in it");
  if (files.classes.size() == 1) {
    refuse(root, "has the folder '" + shown_name(files.classes[0]) + "' alone: two classes are the least");
  }
  for (std::size_t c = 0; c < files.classes.size(); ++c) {
    auto const before = files.files.size();
    Walk(files, c).take(files.classes[c]);
    if (files.files.size() == before) {
      refuse(root + "/" + files.classes[c], "has no pictures, in .jpg, .jpeg or .png: fill the class, or remove it");
    }
  }
  return files;
}

void look_at(PictureFiles& files, Thoroughness thoroughness, std::uint64_t most_pixels, std::size_t threads) {
  std::atomic<std::size_t> next{0};
  auto const work = [&] {
    for (std::size_t i = next++; i < files.files.size(); i = next++) {
      look_at_file(files, files.files[i], thoroughness, most_pixels);
    }
  };
  std::vector<std::thread> others;
  try {
    for (std::size_t t = 1; t < std::min(threads, files.files.size()); ++t) others.emplace_back(work);
  } catch (std::system_error const&) {  // fewer are enough
  }
  work();
  for (auto& other : others) other.join();
}

}  // namespace images
