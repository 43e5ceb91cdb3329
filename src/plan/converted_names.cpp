#include "plan/converted_names.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

namespace mtc::plan {
namespace {

constexpr std::size_t kMaxName = 253;
constexpr std::size_t kMaxTemplate = 63;  ///< it names a volume of a pod, too
constexpr std::string_view kMark = "-mig-";
constexpr std::size_t kSuffix = 4;
constexpr std::string_view kOldMark = "-new";

bool is_suffix(std::string_view text) {
  return text.size() == kSuffix &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

/// Without what a conversion appended; itself if that is nothing, or all of it.
std::string_view without_mark(std::string_view name) {
  const auto marked = kMark.size() + kSuffix;
  if (name.size() > marked && is_suffix(name.substr(name.size() - kSuffix)) &&
      name.substr(name.size() - marked).starts_with(kMark))
    return name.substr(0, name.size() - marked);
  if (name.size() > kOldMark.size() && name.ends_with(kOldMark)) return name.substr(0, name.size() - kOldMark.size());
  return name;
}

std::string marked(std::string_view name, const std::string& suffix, std::size_t limit) {
  const auto mark = fmt::format("{}{}", kMark, suffix);
  return fmt::format("{}{}", name.substr(0, limit - mark.size()), mark);
}

}  // namespace

std::string ConvertedNames::name_for(const kube::ObjectKey& claim, const std::optional<SetClaim>& of_set) {
  const auto end = of_set ? fmt::format("-{}-{}", of_set->set, of_set->ordinal) : "";
  const std::string_view whole = of_set ? std::string_view(of_set->claim_template) : std::string_view(claim.name);
  const auto limit = of_set ? kMaxTemplate : kMaxName;
  auto name = marked(without_mark(whole), suffix_, limit) + end;
  if (!taken_.insert({claim.ns, name}).second) {
    name = marked(whole, suffix_, limit) + end;
    taken_.insert({claim.ns, name});
  }
  return name;
}

}  // namespace mtc::plan
