#include "cli/console.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <sys/ioctl.h>
#include <unistd.h>

#include "async/runtime.hpp"
#include "base/strings.hpp"

namespace mtc::cli {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// While a question stands, Ctrl-C ends the process as it does anywhere else: nothing has begun yet.
class PlainInterrupts {
 public:
  PlainInterrupts() {
    struct sigaction plain{};
    plain.sa_handler = SIG_DFL;
    sigaction(SIGINT, &plain, &before_);
  }
  ~PlainInterrupts() { sigaction(SIGINT, &before_, nullptr); }
  PlainInterrupts(const PlainInterrupts&) = delete;
  PlainInterrupts& operator=(const PlainInterrupts&) = delete;

 private:
  struct sigaction before_{};
};

bool ask(const std::string& question) {
  const PlainInterrupts interrupts;
  std::fputs((question + " [y/N] ").c_str(), stderr);
  std::string answer;
  std::getline(std::cin, answer);
  answer = to_lower(trim(answer));
  return answer == "y" || answer == "yes";
}

class ProcessConsole final : public Console {
 public:
  using Console::Console;

  void out(std::string_view text) override {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }
  void err(std::string_view text) override { std::fwrite(text.data(), 1, text.size(), stderr); }

  std::optional<Window> window() const override {
    if (!draws_) return std::nullopt;
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return Window{};
    return Window{size.ws_col, size.ws_row};
  }
  bool colours() const override { return draws_ && environment("NO_COLOR").empty(); }

  Task<std::optional<bool>> confirm(std::string question) override {
    if (isatty(STDIN_FILENO) == 0 || isatty(STDERR_FILENO) == 0) co_return std::nullopt;
    auto work = [question] { return ask(question); };
    co_return co_await async::offload(std::move(work));
  }

 private:
  bool draws_ = isatty(STDOUT_FILENO) == 1 && environment("TERM") != "dumb";
};

}  // namespace

std::unique_ptr<Console> make_console(std::string program) {
  return std::make_unique<ProcessConsole>(std::move(program));
}

}  // namespace mtc::cli
