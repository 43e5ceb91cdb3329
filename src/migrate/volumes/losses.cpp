#include "migrate/volumes/losses.hpp"

#include <utility>

#include <fmt/format.h>

namespace mtc::migrate::volumes {
namespace {

constexpr std::size_t kNamed = 20;

void tell_of(api::Conditions& conditions, const char* type, const std::set<std::string>& texts, std::string message) {
  if (texts.empty()) return;
  std::vector<std::string> named;
  for (const auto& text : texts) {
    if (named.size() == kNamed) break;
    named.push_back(text);
  }
  if (texts.size() > kNamed) message += fmt::format(" And {} more.", texts.size() - kNamed);
  conditions.set({.type = type,
                  .category = api::Category::kWarn,
                  .message = std::move(message),
                  .durable = true,
                  .items = std::move(named)});
}

}  // namespace

void Losses::add(const api::Ref& claim, const std::optional<Report>& report) {
  if (!report) return;
  for (const auto& text : report->skipped) skipped_.insert(fmt::format("{}: {}", claim.str(), text));
  for (const auto& text : report->notes) notes_.insert(fmt::format("{}: {}", claim.str(), text));
}

void Losses::tell(api::Conditions& conditions) const {
  tell_of(conditions, kFilesSkipped, skipped_,
          "Files changed or vanished while they were copied, so the destination does not have them as they are now: "
          "[]. A stage leaves them to the next copy; a cutover with `quiescePods` copies them for good.");
  tell_of(conditions, kAttributesNotKept, notes_, "Not everything could be kept as it was on the source: [].");
}

}  // namespace mtc::migrate::volumes
