#include "restic/owner_names.hpp"

#include <array>
#include <grp.h>
#include <pwd.h>

namespace mtc::restic {
namespace {

constexpr std::size_t kRoom = 16UZ * 1024;

}  // namespace

std::string OwnerNames::user(std::uint32_t id) {
  const std::scoped_lock lock(mutex_);
  const auto [known, fresh] = users_.try_emplace(id);
  if (!fresh) return known->second;
  std::array<char, kRoom> room{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(id, &entry, room.data(), room.size(), &found) == 0 && found != nullptr) {
    known->second = found->pw_name;
  }
  return known->second;
}

std::string OwnerNames::group(std::uint32_t id) {
  const std::scoped_lock lock(mutex_);
  const auto [known, fresh] = groups_.try_emplace(id);
  if (!fresh) return known->second;
  std::array<char, kRoom> room{};
  ::group entry{};
  ::group* found = nullptr;
  if (::getgrgid_r(id, &entry, room.data(), room.size(), &found) == 0 && found != nullptr) {
    known->second = found->gr_name;
  }
  return known->second;
}

}  // namespace mtc::restic
