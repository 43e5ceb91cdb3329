#include "base/log.hpp"

#include <mutex>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace mtc::log {
namespace {

struct Settings {
  Level minimum = Level::kInfo;
  Format format = Format::kText;
  std::function<void(std::string_view)> sink;
  std::mutex mutex;
};

Settings& settings() {
  static Settings instance;
  return instance;
}

std::string_view name_of(Level level) {
  switch (level) {
    case Level::kDebug: return "DEBUG";
    case Level::kInfo: return "INFO";
    case Level::kWarn: return "WARN";
    case Level::kError: return "ERROR";
  }
  return "ERROR";
}

/// JSON string escapes, without the quotes: one line stays one line, in both formats.
std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  return out;
}

std::string text_value(const std::string& value) {
  const bool plain = !value.empty() && value.find_first_of(" \"=\\\n\r\t") == std::string::npos;
  return plain ? value : '"' + escape(value) + '"';
}

std::string text_line(Level level, std::string_view message, Fields fields) {
  auto line = fmt::format("{} {} ", rfc3339(system_clock().now()), name_of(level));
  for (const char c : message) line += c == '\n' || c == '\r' ? ' ' : c;
  for (const auto& field : fields) line += fmt::format(" {}={}", field.key, text_value(field.value));
  return line + '\n';
}

std::string json_line(Level level, std::string_view message, Fields fields) {
  auto line = fmt::format(R"({{"time":"{}","level":"{}","message":"{}")", rfc3339(system_clock().now()), name_of(level),
                          escape(message));
  for (const auto& field : fields) line += fmt::format(R"(,"{}":"{}")", escape(field.key), escape(field.value));
  return line + "}\n";
}

}  // namespace

void configure(Level minimum, Format format) {
  settings().minimum = minimum;
  settings().format = format;
}

void set_sink(std::function<void(std::string_view)> sink) {
  const std::lock_guard lock(settings().mutex);
  settings().sink = std::move(sink);
}

Level parse_level(std::string_view text) {
  if (text == "debug") return Level::kDebug;
  if (text == "info") return Level::kInfo;
  if (text == "warn") return Level::kWarn;
  if (text == "error") return Level::kError;
  throw Error(Code::kInvalid, fmt::format("log level \"{}\" is not one of debug, info, warn, error", text));
}

void write(Level level, std::string_view message, Fields fields) {
  if (level < settings().minimum) return;
  const auto line =
      settings().format == Format::kJson ? json_line(level, message, fields) : text_line(level, message, fields);
  const std::lock_guard lock(settings().mutex);
  if (settings().sink) {
    settings().sink(line);
  } else {
    // A log that cannot be written must not end the work it describes.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
  }
}

}  // namespace mtc::log
