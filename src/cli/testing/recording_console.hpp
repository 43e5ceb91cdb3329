#pragma once

#include <optional>
#include <string>
#include <utility>

#include "cli/console.hpp"

namespace mtc::cli::testing {

/// A console that keeps what was written, and answers as told.
class RecordingConsole final : public Console {
 public:
  RecordingConsole() : Console("mtc") {}

  void out(std::string_view text) override { written += text; }
  void err(std::string_view text) override { complained += text; }
  std::optional<Window> window() const override { return terminal; }
  bool colours() const override { return false; }
  Task<std::optional<bool>> confirm(std::string question) override {
    asked += question;
    co_return answer;
  }
  /// What was written since the last call.
  std::string take() { return std::exchange(written, ""); }

  std::string written, complained, asked;
  std::optional<Window> terminal;
  std::optional<bool> answer;
};

}  // namespace mtc::cli::testing
