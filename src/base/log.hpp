#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace mtc::log {

enum class Level { kDebug, kInfo, kWarn, kError };
enum class Format { kText, kJson };

/// One key=value of a line. Secrets format as "***".
struct Field {
  std::string_view key;
  std::string value;
  template <typename T>
  Field(std::string_view k, const T& v) : key(k), value(fmt::format("{}", v)) {}
};
using Fields = std::initializer_list<Field>;

/// Process-wide settings; call from main before threads start.
void configure(Level minimum, Format format);
/// Sends complete lines to `sink` instead of stderr (tests); an empty function restores stderr.
void set_sink(std::function<void(std::string_view line)> sink);
/// "debug", "info", "warn", "error"; throws Error(kInvalid) for anything else.
Level parse_level(std::string_view text);

/// Writes one line, at once, from any thread. Newlines in messages and values are escaped, so one call is one line.
void write(Level level, std::string_view message, Fields fields = {});

inline void debug(std::string_view message, Fields fields = {}) { write(Level::kDebug, message, fields); }
inline void info(std::string_view message, Fields fields = {}) { write(Level::kInfo, message, fields); }
inline void warn(std::string_view message, Fields fields = {}) { write(Level::kWarn, message, fields); }
inline void error(std::string_view message, Fields fields = {}) { write(Level::kError, message, fields); }

}  // namespace mtc::log
