#include "migrate/volumes/settings.hpp"

#include <charconv>
#include <cstdlib>
#include <string_view>

namespace mtc::migrate::volumes {
namespace {

constexpr std::int64_t kAttempts = 20;
constexpr std::size_t kMost = 1000;

std::size_t number_or(const char* text, std::size_t preset) {
  if (text == nullptr) return preset;
  const std::string_view view(text);
  std::size_t value = 0;
  const auto [end, failure] = std::from_chars(view.data(), view.data() + view.size(), value);
  const bool whole = failure == std::errc{} && end == view.data() + view.size();
  return whole && value >= 1 && value <= kMost ? value : preset;
}

}  // namespace

Settings Settings::from(const std::function<const char*(const char*)>& lookup) {
  Settings out;
  out.attempts = number_or(lookup("RSYNC_BACKOFF_LIMIT"), out.attempts);
  out.at_once = number_or(lookup("MTC_VOLUMES_AT_ONCE"), out.at_once);
  return out;
}

Settings Settings::from_environment() {
  return from([](const char* name) { return std::getenv(name); });
}

std::int64_t attempts_of(const Settings& settings, std::int64_t back_off_limit) {
  if (settings.attempts > 0) return static_cast<std::int64_t>(settings.attempts);
  return back_off_limit > 0 ? back_off_limit : kAttempts;
}

}  // namespace mtc::migrate::volumes
