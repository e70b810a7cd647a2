// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "model_files.hpp"

#include "options.hpp"

#include <zero/checkpoint/detail/file.hpp>
#include <zero/checkpoint/detail/safetensors.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

namespace zero_plan {
namespace {

namespace fs = std::filesystem;
using zero::detail::concat;

struct Shape {
  std::string name;
  std::vector<std::size_t> dimensions;
};

/// Where a parameter stands in forward, as far as its name tells: before the layers, in one, or behind them.
struct Place {
  enum class Part : std::uint8_t { before, layer, behind };
  Part part = Part::before;
  std::string stack{};  // of layers: what stands before the number
  std::uint64_t layer = 0;
  // NOLINTNEXTLINE(modernize-use-nullptr): the 0 that the compiler compares with is no pointer
  friend auto operator<=>(Place const&, Place const&) = default;
};

// A layer is the first part between dots that is a number: `model.layers.3.mlp.weight`.
std::optional<Place> layer_of(std::string_view name) {
  for (std::size_t begin = 0; begin < name.size();) {
    auto const end = std::min(name.find('.', begin), name.size());
    std::uint64_t number = 0;
    auto const [stop, error] = std::from_chars(name.data() + begin, name.data() + end, number);
    if (error == std::errc{} && stop == name.data() + end) {
      return Place{Place::Part::layer, std::string(name.substr(0, begin)), number};
    }
    begin = end + 1;
  }
  return std::nullopt;
}

// Without a number, the heads of the usual models are known by name; all else is taken for embeddings.
Place place_of(std::string_view name) {
  if (auto layer = layer_of(name)) return std::move(*layer);
  constexpr std::array<std::string_view, 6> heads{"norm", "ln_f", "head", "score", "classifier", "final"};
  bool const behind =
      std::any_of(heads.begin(), heads.end(), [&](auto head) { return name.find(head) != std::string_view::npos; });
  return {.part = behind ? Place::Part::behind : Place::Part::before};
}

bool is_skipped(std::string_view name, FileHints const& hints) {
  return std::any_of(hints.skipped.begin(), hints.skipped.end(), [&](auto const& end) { return name.ends_with(end); });
}

void check_names(std::vector<Shape> const& shapes, std::vector<std::string> const& tied, std::string const& what) {
  std::set<std::string_view> names;
  for (auto const& shape : shapes) {
    if (!names.insert(shape.name).second) throw DataError(what + ": two parameters are named '" + shape.name + "'");
  }
  for (auto const& name : tied) {
    if (names.contains(name)) continue;
    throw UsageError(concat({"--tied ", name, ": no parameter of ", what, " has this name"}));
  }
}

// In the order of forward, one unit per place.
zero::ParameterList list_of(std::vector<Shape> shapes, FileHints const& hints, std::string const& what) {
  std::erase_if(shapes, [&](Shape const& shape) { return is_skipped(shape.name, hints); });
  if (shapes.empty()) throw DataError(what + ": has no parameters");
  check_names(shapes, hints.tied, what);
  std::vector<std::pair<Place, Shape>> placed;
  for (auto& shape : shapes) {
    auto place = place_of(shape.name);
    placed.emplace_back(std::move(place), std::move(shape));
  }
  std::stable_sort(placed.begin(), placed.end(), [](auto const& a, auto const& b) { return a.first < b.first; });
  zero::ParameterList list;
  int unit = 0;
  for (std::size_t i = 0; i < placed.size(); ++i) {
    auto& [place, shape] = placed[i];
    if (i > 0 && placed[i - 1].first != place) ++unit;
    bool const tied = std::find(hints.tied.begin(), hints.tied.end(), shape.name) != hints.tied.end();
    (void)list.add(
        {.name = shape.name, .shape = std::move(shape.dimensions), .contributions = tied ? 2 : 1, .unit = unit});
  }
  return list;
}

std::vector<std::string_view> words_of(std::string_view line) {
  constexpr std::string_view blank = " \t\r";
  line = line.substr(0, line.find('#'));
  std::vector<std::string_view> words;
  for (std::size_t begin = line.find_first_not_of(blank); begin != std::string_view::npos;
       begin = line.find_first_not_of(blank, begin)) {
    auto const end = std::min(line.find_first_of(blank, begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    begin = end;
  }
  return words;
}

std::size_t read_dimension(std::string_view word, std::string const& where) {
  std::size_t dimension = 0;
  auto const [end, error] = std::from_chars(word.data(), word.data() + word.size(), dimension);
  if (error == std::errc{} && end == word.data() + word.size() && dimension > 0) return dimension;
  throw DataError(where + std::string(word) + ": expected a dimension, a whole number from 1 on");
}

void add_line(std::vector<Shape>& shapes, std::string_view line, std::string const& where) {
  auto const words = words_of(line);
  if (words.empty()) return;
  Shape shape{.name = std::string(words.front()), .dimensions = {}};
  for (auto word : std::span(words).subspan(1)) shape.dimensions.push_back(read_dimension(word, where));
  if (zero::ParameterList::element_count(shape.dimensions) == 0) {
    throw DataError(where + shape.name + ": has more elements than 2^48");
  }
  shapes.push_back(std::move(shape));
}

bool is_narrow(std::string_view type) { return type.starts_with("F8_") && type != "F8_E8M0"; }

bool is_floating(std::string_view type) {
  return type == "F64" || type == "F32" || type == "F16" || type == "BF16" || is_narrow(type);
}

/// Scales of quantized weights are no parameters: a trainer keeps them beside the weights that it widens.
bool is_scale(std::string_view name, std::set<std::string_view> const& narrow) {
  constexpr std::array<std::string_view, 4> ends{"_scale_inv", "_scale", ".input_scale", ".output_scale"};
  for (auto const end : ends) {
    if (!name.ends_with(end)) continue;
    auto const stem = name.substr(0, name.size() - end.size());
    if (narrow.contains(stem) || narrow.contains(std::string(stem) + ".weight")) return true;
  }
  return false;
}

/// The parameters among tensors, and the others.
struct Sorted {
  std::vector<Shape> parameters;
  std::vector<zero::detail::TensorEntry> others;
};

Sorted sort_tensors(std::vector<zero::detail::TensorEntry> const& tensors) {
  std::set<std::string_view> narrow;
  for (auto const& tensor : tensors) {
    if (is_narrow(tensor.type)) narrow.insert(tensor.name);
  }
  Sorted sorted;
  for (auto const& tensor : tensors) {
    if (is_floating(tensor.type) && !is_scale(tensor.name, narrow)) {
      sorted.parameters.push_back({tensor.name, {tensor.shape.begin(), tensor.shape.end()}});
    } else {
      sorted.others.push_back(tensor);
    }
  }
  return sorted;
}

/// One sentence on what is no parameter; empty where all are.
std::string left_out(std::vector<zero::detail::TensorEntry> const& others) {
  if (others.empty()) return {};
  constexpr std::size_t named = 3;
  std::uint64_t elements = 0;
  std::string names;
  for (std::size_t i = 0; i < others.size(); ++i) {
    std::uint64_t count = 1;
    for (auto const dimension : others[i].shape) count *= dimension;
    elements += count;
    if (i < named) names += (i == 0 ? "" : ", ") + others[i].name + " (" + others[i].type + ")";
  }
  if (others.size() > named) names += concat({" and ", others.size() - named, " more"});
  return concat({"Left out, as no parameters: ", others.size(), others.size() == 1 ? " tensor of " : " tensors of ",
                 elements, elements == 1 ? " element: " : " elements: ", names, "."});
}

zero::detail::SafetensorsHeader read_header(std::string const& path) {
  zero::PosixFileSystem system;
  auto const file = zero::detail::File::open_input(system, path);
  std::array<std::byte, 8> first{};
  std::uint64_t const size = file.size();
  if (size >= first.size()) file.read(first, 0);
  std::string json(zero::detail::safetensors_header_bytes(first, size), '\0');
  file.read(std::as_writable_bytes(std::span(json)), first.size());
  return zero::detail::parse_safetensors_header(json, size - first.size() - json.size());
}

/// Files as they are, and those of folders by their names.
std::vector<std::string> files_of(std::vector<std::string> const& paths) {
  std::vector<std::string> files;
  for (auto const& path : paths) {
    if (!fs::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    auto const before = static_cast<std::ptrdiff_t>(files.size());
    for (auto const& entry : fs::directory_iterator(path)) {
      if (entry.path().extension() == ".safetensors") files.push_back(entry.path().string());
    }
    std::sort(files.begin() + before, files.end());
    if (files.begin() + before == files.end()) throw DataError(path + ": is a folder without .safetensors files");
  }
  return files;
}

}  // namespace

Model read_shapes(std::string const& path, FileHints const& hints) {
  constexpr std::uint64_t largest = std::uint64_t{1} << 22;  // bytes: some hundred thousand parameters
  if (fs::is_directory(path)) throw DataError(path + ": is a folder: give the file with the shapes");
  zero::PosixFileSystem system;
  std::string const text = zero::detail::read_text(zero::detail::File::open_input(system, path), largest);
  std::vector<Shape> shapes;
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    auto const end = std::min(text.find('\n', begin), text.size());
    add_line(shapes, std::string_view(text).substr(begin, end - begin), concat({path, ":", ++number, ": "}));
    begin = end + 1;
  }
  return {path, list_of(std::move(shapes), hints, path), {}};
}

Model read_safetensors(std::vector<std::string> const& paths, FileHints const& hints) {
  std::vector<zero::detail::TensorEntry> tensors;
  for (auto const& path : files_of(paths)) {
    try {
      auto header = read_header(path);
      std::move(header.tensors.begin(), header.tensors.end(), std::back_inserter(tensors));
    } catch (zero::CheckpointError const& error) {
      throw zero::CheckpointError(error.kind(), path + ": " + error.what());
    }
  }
  auto sorted = sort_tensors(tensors);
  std::string note = left_out(sorted.others);
  if (sorted.parameters.empty()) {
    throw DataError(paths.front() + ": has no parameters" + (note.empty() ? "" : ". " + note));
  }
  return {paths.front(), list_of(std::move(sorted.parameters), hints, paths.front()), std::move(note)};
}

}  // namespace zero_plan
