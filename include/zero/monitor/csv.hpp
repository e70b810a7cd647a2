// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/monitor/curve_folder.hpp>
#include <zero/monitor/detail/cut_lines.hpp>
#include <zero/monitor/detail/folder_claim.hpp>
#include <zero/monitor/detail/growing_file.hpp>
#include <zero/monitor/detail/one_warning.hpp>
#include <zero/monitor/detail/place.hpp>
#include <zero/monitor/detail/text_values.hpp>
#include <zero/monitor/event.hpp>
#include <zero/monitor/monitor.hpp>
#include <zero/support/message.hpp>
#include <zero/utility/shortest_number.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zero::monitor {

/// One file of comma-separated values per curve, as DeepSpeed's csv_monitor writes them: a row `step,<name>`, where the
/// name is what follows the tag's last slash, then a row for each value; rows end with CR LF. The files stay open.
/// Texts are not written.
class Csv final : public Monitor {
 public:
  /// Where the files are: `<output_path>/<job_name>/<tag>.csv`, with _ for slashes and spaces of the tag.
  using Config = CurveFolder;

  /// Touches no file yet. \throws ConfigurationError where the job's name is none for a folder.
  explicit Csv(Config const& config, Warning warning = warn_on_standard_error)
      : warn_("CSV curves", detail::folder_of_job(config.output_path, config.job_name), std::move(warning)) {}
  Csv(Csv const&) = delete;
  Csv& operator=(Csv const&) = delete;
  /// Flushes.
  ~Csv() override { flush(); }

  [[nodiscard]] std::string const& place() const noexcept override { return warn_.place(); }
  [[nodiscard]] bool holds_curves() const override { return !files().empty(); }

  [[nodiscard]] bool claim() override { return claim_.take(place(), "csv"); }
  void replace() override {
    begun_ = true;
    curves_.clear();
    for (auto const& file : files()) warn_(detail::remove_curve(file));
  }

  void resume_at(std::uint64_t step) override {
    begun_ = true;
    curves_.clear();
    for (auto const& file : files()) warn_(detail::cut_lines(file, "", step));
  }

  void scalar(Scalar const& scalar) override {
    if (!begun_) resume_at((std::numeric_limits<std::uint64_t>::max)());
    auto& rows = curve(scalar.tag).rows;
    rows += std::to_string(scalar.step);
    rows += ',';
    rows += shortest_number(scalar.value);
    rows += "\r\n";
  }
  /// Does nothing: a curve's file has numbers only.
  void text(Text const& /*text*/) override {}

  void flush() override {
    for (auto& [tag, curve] : curves_) {
      if (curve.rows.empty()) continue;
      if (curve.file) warn_(curve.file->append(curve.rows));
      curve.rows.clear();
    }
  }

 private:
  struct Curve {
    std::optional<detail::GrowingFile> file;  // nothing: the tag can have none
    std::string rows;                         // that are not in the file yet
  };

  /// The files that begin as this class begins them.
  [[nodiscard]] std::vector<std::filesystem::path> files() const {
    return detail::files_in(place(), [](std::filesystem::path const& path) {
      if (path.extension() != ".csv") return false;
      std::string start(5, '\0');
      std::ifstream(path, std::ios::binary).read(start.data(), 5);
      return start == "step,";
    });
  }

  Curve& curve(std::string const& tag) {
    if (auto const found = curves_.find(tag); found != curves_.end()) return found->second;
    Curve& made = curves_[tag];
    auto const name = file_name(tag);
    constexpr std::size_t longest = 255;
    if (name.size() > longest) {
      warn_("the tag of " + std::to_string(tag.size()) + " bytes is longer than a file's name may be");
      return made;
    }
    auto const path = place() + "/" + name;
    for (auto const& [other, curve] : curves_) {
      if (!curve.file || curve.file->path() != path) continue;
      warn_(detail::concat({"the tags ", detail::quote(other), " and ", detail::quote(tag),
                            " have one file, which the first one keeps"}));
      return made;
    }
    made.file.emplace(path, "step," + field(tag.substr(tag.rfind('/') + 1)) + "\r\n");
    return made;
  }

  static std::string file_name(std::string name) {
    for (char& c : name) {
      if (c == '/' || c == ' ' || detail::is_control(c)) c = '_';
    }
    return name + ".csv";
  }

  /// A name as a field: in quotes where it needs them.
  static std::string field(std::string const& name) {
    std::string text;
    bool quoted = false;
    for (char const c : name) {
      quoted = quoted || c == ',' || c == '"';
      if (c == '"') text += '"';
      text += detail::is_control(c) ? ' ' : c;
    }
    return quoted ? '"' + text + '"' : text;
  }

  detail::OneWarning warn_;
  detail::FolderClaim claim_;
  std::map<std::string, Curve, std::less<>> curves_;
  bool begun_ = false;
};

}  // namespace zero::monitor
