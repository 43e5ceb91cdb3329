#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "async/task.hpp"

namespace mtc::cli {

/// The window of a terminal, in characters.
struct Window {
  std::size_t columns = 80;
  std::size_t rows = 24;
};

/// Where a command writes and asks: the seam between the verbs and the terminal. For the tasks of one Runtime.
class Console {
 public:
  explicit Console(std::string program) : program_(std::move(program)) {}
  virtual ~Console() = default;

  /// Writes to the standard output, at once.
  virtual void out(std::string_view text) = 0;
  /// Writes to the standard error.
  virtual void err(std::string_view text) = 0;
  /// The terminal behind the standard output as it is now; nullopt if there is none, or one that cannot draw.
  virtual std::optional<Window> window() const = 0;
  /// Whether the terminal's user wants colours (NO_COLOR is not set).
  virtual bool colours() const = 0;
  /// Asks a question that is answered with yes or no; nullopt if nobody is there to answer.
  virtual Task<std::optional<bool>> confirm(std::string question) = 0;

  /// How the user calls the program: "mtc", or "kubectl mtc".
  const std::string& program() const { return program_; }
  /// A command of ours as the user would type it: "mtc plan get".
  std::string command(std::string_view arguments) const { return program_ + " " + std::string(arguments); }

 private:
  std::string program_;
};

/// The console of this process.
std::unique_ptr<Console> make_console(std::string program);

}  // namespace mtc::cli
