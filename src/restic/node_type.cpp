#include "restic/node_type.hpp"

#include <algorithm>
#include <array>

namespace mtc::restic {
namespace {

using volume::Type;

constexpr std::uint32_t kSetuid = 1U << 23U;
constexpr std::uint32_t kSetgid = 1U << 22U;
constexpr std::uint32_t kSticky = 1U << 20U;

/// What restic and Go call a type.
struct Named {
  Type type;
  std::string_view name;
  std::uint32_t bits;
};
constexpr std::array<Named, 7> kTypes{{{Type::kFile, "file", 0},
                                       {Type::kDirectory, "dir", 1U << 31U},
                                       {Type::kSymlink, "symlink", 1U << 27U},
                                       {Type::kFifo, "fifo", 1U << 25U},
                                       {Type::kSocket, "socket", 1U << 24U},
                                       {Type::kCharDevice, "chardev", (1U << 26U) | (1U << 21U)},
                                       {Type::kBlockDevice, "dev", 1U << 26U}}};

const Named& named(Type type) { return *std::ranges::find(kTypes, type, &Named::type); }

}  // namespace

std::string_view name_of(Type type) { return named(type).name; }

std::optional<Type> type_named(std::string_view name) {
  const auto* const found = std::ranges::find(kTypes, name, &Named::name);
  if (found == kTypes.end()) return std::nullopt;
  return found->type;
}

bool has_links(Type type) { return type != Type::kDirectory && type != Type::kFifo && type != Type::kSocket; }

std::uint32_t go_mode(const volume::Entry& entry) {
  auto mode = (entry.mode & 0777U) | named(entry.type).bits;
  if ((entry.mode & 04000U) != 0) mode |= kSetuid;
  if ((entry.mode & 02000U) != 0) mode |= kSetgid;
  if ((entry.mode & 01000U) != 0) mode |= kSticky;
  return mode;
}

std::uint32_t unix_mode(std::uint64_t go_mode) {
  auto mode = static_cast<std::uint32_t>(go_mode & 0777U);
  if ((go_mode & kSetuid) != 0) mode |= 04000U;
  if ((go_mode & kSetgid) != 0) mode |= 02000U;
  if ((go_mode & kSticky) != 0) mode |= 01000U;
  return mode;
}

}  // namespace mtc::restic
