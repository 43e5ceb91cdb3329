#include "mover/lines.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "async/scope.hpp"
#include "json/json.hpp"
#include "volume/file_error.hpp"

namespace mtc::mover {
namespace {

using volume::Progress;
using volume::Stage;

constexpr auto kTick = std::chrono::seconds(1);    ///< at least, between two lines
constexpr auto kWindow = std::chrono::seconds(5);  ///< that a rate is the mean of
constexpr std::size_t kLongestMessage = 2000;
constexpr std::size_t kLongestReason = 300;  ///< of a way that failed
/// A small file takes about as long as so many bytes of a large one.
constexpr double kFileInBytes = 4096;

std::string_view name_of(Stage stage) {
  switch (stage) {
    case Stage::kConnecting: return "connecting";
    case Stage::kScanning: return "scanning";
    case Stage::kCopying: return "copying";
    case Stage::kVerifying: return "verifying";
  }
  return "copying";
}

/// As far as the totals are known; 100 is for the end alone.
unsigned percent_of(const Progress& progress) {
  if (progress.stage == Stage::kVerifying) return 99;
  if (!progress.counted) return 0;
  const auto weigh = [](std::uint64_t files, std::uint64_t bytes) {
    return (static_cast<double>(files) * kFileInBytes) + static_cast<double>(bytes);
  };
  const auto whole = weigh(progress.files_total, progress.bytes_total);
  if (whole <= 0) return 99;
  return static_cast<unsigned>(std::clamp(weigh(progress.files, progress.bytes) / whole * 100, 0.0, 99.0));
}

Json figures(const Progress& progress) {
  Json line;
  line["files"] = progress.files.load();
  line["filesTotal"] = std::max(progress.files_total.load(), progress.files.load());
  line["bytes"] = progress.bytes.load();
  line["bytesTotal"] = std::max(progress.bytes_total.load(), progress.bytes.load());
  return line;
}

std::string cut(std::string text, std::size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0U) == 0x80U) --limit;  // between characters
  return text.substr(0, limit) + "…";
}

}  // namespace

std::string rate_text(double bytes_per_second) {
  static constexpr std::array<std::string_view, 4> kUnits{"kB/s", "MB/s", "GB/s", "TB/s"};
  auto rate = bytes_per_second / 1024;
  std::size_t unit = 0;
  for (; rate >= 1024 && unit + 1 < kUnits.size(); ++unit) rate /= 1024;
  return fmt::format("{:.2f}{}", rate, kUnits.at(unit));
}

void Reporter::say(const std::string& message) {
  if (message_.size() > kLongestMessage) return;
  message_ += (message_.empty() ? "" : "; ") + message;
  said_.set();
}

void Reporter::take(const std::string& way, const std::vector<std::string>& failed) {
  failed_ways_.clear();
  for (const auto& reason : failed) failed_ways_.push_back(cut(reason, kLongestReason));
  if (std::exchange(way_, way) != way) said_.set();
}

double Reporter::rate() {
  const auto now = std::chrono::steady_clock::now();
  marks_.push_back({now, progress_->moved});
  while (marks_.size() > 2 && now - marks_.front().at > kWindow) marks_.pop_front();
  const auto seconds = std::chrono::duration<double>(now - marks_.front().at).count();
  if (seconds <= 0) return 0;
  return static_cast<double>(marks_.back().moved - marks_.front().moved) / seconds;
}

void Reporter::print() {
  percent_ = std::max(percent_, percent_of(*progress_));
  auto line = figures(*progress_);
  line["phase"] = name_of(progress_->stage);
  line["percent"] = percent_;
  if (!way_.empty()) line["way"] = way_;
  if (!failed_ways_.empty()) line["failedWays"] = failed_ways_;
  line["rate"] = rate_text(rate());
  if (progress_->stage == Stage::kVerifying && message_.empty() && progress_->verified > 0) {
    message_ = fmt::format("{} files read back", progress_->verified.load());
  }
  line["message"] = cut(std::exchange(message_, ""), kLongestMessage);
  auto text = dump(line);
  if (text == last_) return;
  out_(text);
  last_ = std::move(text);
}

Task<void> Reporter::run() {
  for (;;) {
    co_await said_.wait_for(kTick);
    said_.reset();
    print();
    co_await async::sleep_for(kTick);
  }
}

}  // namespace mtc::mover
