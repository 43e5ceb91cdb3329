#include "sandbox/folder.hpp"

#include <cerrno>
#include <fstream>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/rng.hpp"

namespace mtc::sandbox {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kNameLength = 10;

fs::path root_of(const std::string& state) {
  if (state == ":memory:") return fs::temp_directory_path() / ("mtc-sandbox-" + name_suffix(system_rng(), kNameLength));
  return fs::absolute(state + ".files");
}

}  // namespace

Folder::Folder(const std::string& state) : kept_(state == ":memory:" ? Kept::kNo : Kept::kYes), root_(root_of(state)) {
  std::error_code absent;
  new_trash_ = fs::exists(root_ / "trash", absent);
}

Folder::~Folder() {
  if (kept_ == Kept::kYes) return;
  std::error_code failure;
  fs::remove_all(root_, failure);
  if (failure) log::warn("temporary folder stays", {{"folder", root_.string()}, {"error", failure.message()}});
}

fs::path Folder::volume(const std::string& name) const { return root_ / "volumes" / name; }
fs::path Folder::snapshot(const std::string& handle) const { return root_ / "snapshots" / handle; }
fs::path Folder::pod(const std::string& uid) const { return root_ / "pods" / uid; }

std::vector<std::string> Folder::pods() const {
  std::vector<std::string> out;
  std::error_code absent;
  for (const auto& entry : fs::directory_iterator(root_ / "pods", absent)) out.push_back(entry.path().filename());
  return out;
}

void Folder::make(const fs::path& directory) {
  std::error_code failure;
  if (fs::create_directories(root_, failure)) fs::permissions(root_, fs::perms::owner_all, failure);
  if (!failure) fs::create_directories(directory, failure);
  if (failure)
    throw Error(Code::kUnavailable, fmt::format("{} cannot be made: {}", directory.string(), failure.message()));
}

void Folder::make_file(const fs::path& path, std::uint64_t size) {
  make(path.parent_path());
  const std::ofstream made(path, std::ios::app);
  std::error_code failure = made ? std::error_code() : std::error_code(errno, std::generic_category());
  if (!failure) fs::resize_file(path, size, failure);
  if (failure) throw Error(Code::kUnavailable, fmt::format("{} cannot be made: {}", path.string(), failure.message()));
}

void Folder::discard(const fs::path& path) {
  std::error_code failure;
  if (!fs::exists(fs::symlink_status(path, failure))) return;
  make(root_ / "trash");
  fs::rename(path, root_ / "trash" / name_suffix(system_rng(), kNameLength), failure);
  if (failure) throw Error(Code::kUnavailable, fmt::format("{} stays: {}", path.string(), failure.message()));
  new_trash_ = true;
}

void Folder::give_pod(const std::string& uid, uid_t user, gid_t group) {
  constexpr auto unchanged = static_cast<uid_t>(-1);
  std::vector<fs::path> own = {pod(uid)};
  for (const auto& entry : fs::recursive_directory_iterator(pod(uid))) own.push_back(entry.path());
  bool given = true;
  for (const auto& way : {root_, root_ / "pods", root_ / "volumes"}) {
    std::error_code failure;
    if (!fs::exists(way, failure)) continue;
    fs::permissions(way, fs::perms::owner_all | fs::perms::group_exec, failure);
    given = given && !failure && chown(way.c_str(), unchanged, kReach) == 0;
  }
  for (const auto& path : own) given = given && lchown(path.c_str(), user, group) == 0;
  if (!given) throw Error(Code::kUnavailable, fmt::format("{} cannot be given to user {}", pod(uid).string(), user));
}

bool Folder::has_new_trash() { return std::exchange(new_trash_, false); }

void Folder::empty_trash() const {
  std::error_code absent, failure;
  // The trash itself stays: something may be thrown into it meanwhile.
  for (const auto& entry : fs::directory_iterator(root_ / "trash", absent)) {
    fs::remove_all(entry.path(), failure);
    if (failure) log::warn("trash stays", {{"path", entry.path().string()}, {"error", failure.message()}});
  }
}

}  // namespace mtc::sandbox
