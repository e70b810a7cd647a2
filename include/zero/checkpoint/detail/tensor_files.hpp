// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/checkpoint/detail/file.hpp>
#include <zero/checkpoint/detail/names.hpp>
#include <zero/checkpoint/detail/safetensors.hpp>
#include <zero/error.hpp>
#include <zero/support/json_reader.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace zero::detail {

/// A tensor of one of several files.
struct FileTensor {
  std::size_t file = 0;     ///< by number
  std::uint64_t begin = 0;  ///< bytes from the start of the file
  TensorEntry entry{};
};

/// Whole tensors that other programs have written: those of one safetensors file, or of all files that Hugging Face's
/// `model.safetensors.index.json` lists. Reads all headers at once, and data as it is asked for; one file is open at a
/// time. An index is somebody else's word: it names files of its own folder only, all of them must be there, and none
/// of its names may be in two of them.
class TensorFiles {
 public:
  /// \p path is an index where it ends in ".json". \throws CheckpointError: not_found; damaged, also for an index that
  /// leaves its folder, lists what its files have not, or has a tensor in two files.
  TensorFiles(FileSystem& system, std::string path) : system_(system), path_(std::move(path)) {
    if (!path_.ends_with(".json")) {
      add(path_, {});
      return;
    }
    auto const file_of = read_index();
    std::vector<std::string> names;
    names.reserve(file_of.size());
    for (auto const& [tensor, file] : file_of) names.push_back(file);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    auto const folder = path_.substr(0, path_.rfind('/') + 1);  // empty where there is none
    for (auto const& name : names) add(folder + name, name);
    check_files(file_of);
  }

  /// As it was given.
  [[nodiscard]] std::string const& path() const noexcept { return path_; }
  /// In the order of the files and of their data.
  [[nodiscard]] std::vector<FileTensor> const& tensors() const noexcept { return tensors_; }
  [[nodiscard]] FileTensor const* find(std::string const& name) const {
    auto const found = index_of_.find(name);
    return found == index_of_.end() ? nullptr : &tensors_[found->second];
  }

  /// Fills \p bytes from byte \p offset of \p tensor on. \throws CheckpointError.
  void read(FileTensor const& tensor, std::uint64_t offset, std::span<std::byte> bytes) {
    if (!open_ || open_number_ != tensor.file) {
      open_.emplace(File::open_input(system_, files_[tensor.file].path));
      open_number_ = tensor.file;
    }
    open_->read(bytes, tensor.begin + offset);
  }

 private:
  struct NamedFile {
    std::string path;
    std::string name;  // as the index has it
  };

  /// What \p read returns. Where \p path is damaged, the error names it: a model may have many files.
  template <class Read>
  static auto read_named(std::string const& path, Read&& read) {
    try {
      return read();
    } catch (CheckpointError const& error) {
      std::string_view why = error.what();
      if (error.kind() != CheckpointFailure::damaged || why.find(path) != std::string_view::npos) throw;
      if (why.starts_with("zero: ")) why.remove_prefix(6);
      throw CheckpointError(error.kind(), concat({"zero: ", quote(path), ": ", why, "; copy or save it again"}));
    }
  }

  [[noreturn]] void bad_index(std::string_view why) const {
    throw CheckpointError(CheckpointFailure::damaged, concat({"zero: the index ", quote(path_), " ", why}));
  }

  [[nodiscard]] std::vector<std::pair<std::string, std::string>> read_index() const {
    Json const index = read_named(
        path_, [&] { return parse_json(read_text(File::open_input(system_, path_), SafetensorsHeader::largest), 4); });
    auto const* const map = index.find("weight_map");
    auto const* const members = map == nullptr ? nullptr : map->get<Json::Object>();
    if (members == nullptr || members->empty()) bad_index("has no weight_map: give the safetensors file itself");
    std::vector<std::pair<std::string, std::string>> file_of;
    for (auto const& [tensor, file] : *members) {
      auto const* const name = file.get<std::string>();
      if (name == nullptr || !is_safe_name(*name) || !name->ends_with(".safetensors")) {
        bad_index(concat({"lists what is no safetensors file of its own folder: ",
                          name == nullptr ? "no string" : quote(name->substr(0, 200)), " for tensor ", quote(tensor)}));
      }
      file_of.emplace_back(tensor, *name);
    }
    return file_of;
  }

  /// Enters the tensors of one file. Its size bounds its header, before memory is taken for that.
  void add(std::string const& path, std::string const& name) {
    auto const file = File::open_input(system_, path);
    std::uint64_t const size = file.size();
    auto header = read_named(path, [&] {
      std::vector<std::byte> first(static_cast<std::size_t>(std::min<std::uint64_t>(8, size)));
      file.read(first, 0);
      std::string json(static_cast<std::size_t>(safetensors_header_bytes(first, size)), '\0');
      file.read(std::as_writable_bytes(std::span(json)), 8);
      return parse_safetensors_header(json, size - 8 - json.size());
    });
    for (auto& entry : header.tensors) {
      auto const [place, is_new] = index_of_.emplace(entry.name, tensors_.size());
      if (!is_new) {
        bad_index(concat({"has tensor ", quote(entry.name), " in both ",
                          quote(files_[tensors_[place->second].file].name), " and ", quote(name)}));
      }
      tensors_.push_back({files_.size(), header.data_begin + entry.begin, std::move(entry)});
    }
    files_.push_back({path, name});
  }

  void check_files(std::vector<std::pair<std::string, std::string>> const& file_of) const {
    for (auto const& [tensor, file] : file_of) {
      auto const* const found = find(tensor);
      if (found != nullptr && files_[found->file].name == file) continue;
      bad_index(concat({"has tensor ", quote(tensor), " in ", quote(file), ", which does not hold it"}));
    }
  }

  FileSystem& system_;
  std::string path_;
  std::vector<NamedFile> files_;
  std::vector<FileTensor> tensors_;
  std::unordered_map<std::string, std::size_t> index_of_;  // by name
  std::optional<File> open_;
  std::size_t open_number_ = 0;
};

}  // namespace zero::detail
