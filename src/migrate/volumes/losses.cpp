#include "migrate/volumes/losses.hpp"

#include <set>

#include <fmt/format.h>

namespace mtc::migrate::volumes {
namespace {

constexpr std::size_t kNamed = 20;

/// "shop/data: deep/file"; both ends of a copy report the same, so a set.
using Texts = std::set<std::string>;

void add(Texts& into, const api::ClaimCopy& claim, const std::vector<std::string>& texts) {
  for (const auto& text : texts) into.insert(fmt::format("{}: {}", claim.source.str(), text));
}

void tell(Copying& c, const char* type, const Texts& texts, std::string message) {
  if (texts.empty()) return;
  std::vector<std::string> named;
  for (const auto& text : texts) {
    if (named.size() == kNamed) break;
    named.push_back(text);
  }
  if (texts.size() > kNamed) message += fmt::format(" And {} more.", texts.size() - kNamed);
  c.conditions->set({.type = type,
                     .category = api::Category::kWarn,
                     .message = std::move(message),
                     .durable = true,
                     .items = std::move(named)});
}

}  // namespace

void tell_losses(Copying& c, const std::vector<Seen>& seen) {
  Texts skipped, notes;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    for (const auto* end : {&seen[i].sender, &seen[i].receiver}) {
      if (!end->report) continue;
      add(skipped, c.self.claims[i], end->report->skipped);
      add(notes, c.self.claims[i], end->report->notes);
    }
  }
  tell(c, kFilesSkipped, skipped,
       "Files changed or vanished while they were copied, so the destination does not have them as they are now: []. A "
       "stage leaves them to the next copy; a cutover with `quiescePods` copies them for good.");
  tell(c, kAttributesNotKept, notes, "Not everything could be kept as it was on the source: [].");
}

}  // namespace mtc::migrate::volumes
