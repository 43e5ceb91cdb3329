#include "sandbox/pod_mounts.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <map>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/strings.hpp"
#include "sandbox/controller_tools.hpp"
#include "sandbox/pod_field.hpp"
#include "sandbox/volumes.hpp"

namespace mtc::sandbox {
namespace {

namespace fs = std::filesystem;

/// A path below a volume: it does not climb out.
fs::path inside(const fs::path& volume, const std::string& path) {
  const fs::path relative(path);
  const bool climbs = std::ranges::find(relative, "..") != relative.end();
  if (relative.is_absolute() || climbs)
    throw Error(Code::kInvalid, fmt::format("path \"{}\" leads out of its volume", path));
  return path.empty() ? volume : volume / relative;
}

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The file is its owner's alone before anything is in it, and stays that of whom it was given to. Whoever reads it
/// meanwhile finds what was there, or all of what comes.
void write_file(const fs::path& path, std::string_view content) {
  struct stat before{};
  const bool is_there = ::stat(path.c_str(), &before) == 0;
  if (is_there && content_of(path) == content) return;
  const auto fresh = path.string() + ".new";
  std::ofstream file(fresh, std::ios::trunc | std::ios::binary);
  std::error_code failure;
  fs::permissions(fresh, fs::perms::owner_read | fs::perms::owner_write, failure);
  file << content;
  file.close();
  const bool is_given = !is_there || ::chown(fresh.c_str(), before.st_uid, before.st_gid) == 0;
  if (!failure) fs::rename(fresh, path, failure);
  if (!file || failure || !is_given) throw Error(Code::kUnavailable, path.string() + " cannot be written");
}

/// key → content of a Secret or a ConfigMap.
std::map<std::string, std::string> contents_of(const Json& object) {
  const bool is_secret = string_at(object, "kind") == "Secret";
  std::map<std::string, std::string> out;
  for (const auto* field : {"data", "binaryData"}) {
    const bool encoded = is_secret || std::string_view(field) == "binaryData";
    for (const auto& [key, value] : object_at(object, field).items()) {
      if (!value.is_string()) continue;
      auto text = value.get<std::string>();
      out[key] = encoded ? base64_decode(text).value_or("") : std::move(text);
    }
  }
  return out;
}

/// Which files a Secret or a ConfigMap is: all its keys, or those that `items` name.
std::vector<std::pair<std::string, std::string>> files_of(const Json& source, const Json& object) {
  const auto contents = contents_of(object);
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& item : array_at(source, "items")) {
    const auto key = string_at(item, "key");
    const auto content = contents.find(key);
    if (content != contents.end()) {
      out.emplace_back(string_at(item, "path"), content->second);
    } else if (!bool_at(source, "optional")) {
      throw Error(Code::kNotFound, "references non-existent secret key: " + key);
    }
  }
  if (array_at(source, "items").empty()) out.assign(contents.begin(), contents.end());
  return out;
}

void write_object(const Json& source, const char* plural, const std::string& ns, const std::string& name,
                  const fs::path& into, const Storage& storage, Folder& folder) {
  const auto object = storage.get({plural, ns, name});
  if (!object && !bool_at(source, "optional"))
    throw Error(Code::kNotFound, fmt::format("{} \"{}\" not found",
                                             std::string_view(plural) == "secrets" ? "secret" : "configmap", name));
  if (!object) return;
  for (const auto& [path, content] : files_of(source, *object)) {
    const auto file = inside(into, path);
    folder.make(file.parent_path());
    write_file(file, content);
  }
}

/// Fields of the pod itself, each a file.
void write_fields(const Json& source, const Json& pod, const fs::path& into, Folder& folder) {
  for (const auto& item : array_at(source, "items")) {
    const auto file = inside(into, string_at(item, "path"));
    const auto* field = find(item, "fieldRef");
    if (field == nullptr)
      throw Error(Code::kUnsupported, "the embedded cluster has no resourceFieldRef in a downwardAPI volume");
    folder.make(file.parent_path());
    write_file(file, field_of(pod, string_at(*field, "fieldPath")));
  }
}

/// The volume's directory, or the file that stands for its device.
fs::path place_of_claim(const Json& pod, const std::string& name, const Storage& storage, const Folder& folder) {
  const auto claim = storage.get({"persistentvolumeclaims", ns_of(pod), name});
  const auto volume = claim ? storage.get({"persistentvolumes", "", string_at(*claim, "spec.volumeName")}) : nullptr;
  if (!volume) throw Error(Code::kNotFound, fmt::format("persistentvolumeclaim \"{}\" has no volume", name));
  const auto path = sandbox::directory_of(*volume, folder);
  if (path.empty())
    throw Error(
        Code::kUnsupported,
        fmt::format("volume {} is no path of this machine: the embedded cluster mounts no other", name_of(*volume)));
  std::error_code absent;
  const auto is = fs::status(path, absent);
  const bool device = string_at(*volume, "spec.volumeMode") == "Block";
  if (device ? !fs::is_regular_file(is) && !fs::is_block_file(is) : !fs::is_directory(is))
    throw Error(Code::kNotFound, fmt::format("volume {}: {} {} is not there", name_of(*volume),
                                             device ? "device" : "directory", path.string()));
  return path;
}

fs::path place_of(const Json& pod, const Json& volume, const Storage& storage, Folder& folder) {
  const auto name = string_at(volume, "name");
  if (!is_dns_label(name)) throw Error(Code::kInvalid, fmt::format("volume \"{}\" has no valid name", name));
  if (const auto claim = string_at(volume, "persistentVolumeClaim.claimName"); !claim.empty())
    return place_of_claim(pod, claim, storage, folder);
  const auto directory = folder.pod(uid_of(pod)) / "volumes" / name;
  folder.make(directory);
  if (const auto* secret = find(volume, "secret")) {
    write_object(*secret, "secrets", ns_of(pod), string_at(*secret, "secretName"), directory, storage, folder);
  } else if (const auto* map = find(volume, "configMap")) {
    write_object(*map, "configmaps", ns_of(pod), string_at(*map, "name"), directory, storage, folder);
  } else if (const auto* fields = find(volume, "downwardAPI")) {
    write_fields(*fields, pod, directory, folder);
  } else if (find(volume, "emptyDir") == nullptr) {
    throw Error(Code::kUnsupported, fmt::format("volume \"{}\": the embedded cluster mounts claims, Secrets, "
                                                "ConfigMaps, downwardAPI and emptyDirs",
                                                name));
  }
  return directory;
}

/// How a container can have a volume, and the mode that the volume must be of.
struct Way {
  const char* list;
  const char* path;
  const char* mode;
};
constexpr std::array kWays = {Way{"volumeMounts", "mountPath", "Filesystem"},
                              Way{"volumeDevices", "devicePath", "Block"}};

/// Whether one of the pod's containers has the volume in this way.
bool is_had(const Json& pod, const std::string& volume, const Way& way) {
  const auto has = [&](const Json& container) {
    return std::ranges::any_of(array_at(container, way.list),
                               [&](const Json& entry) { return string_at(entry, "name") == volume; });
  };
  return std::ranges::any_of(array_at(pod, "spec.containers"), has) ||
         std::ranges::any_of(array_at(pod, "spec.initContainers"), has);
}

}  // namespace

std::string misused(const Json& pod, const Storage& storage) {
  for (const auto& volume : array_at(pod, "spec.volumes")) {
    const auto claim =
        storage.get({"persistentvolumeclaims", ns_of(pod), string_at(volume, "persistentVolumeClaim.claimName")});
    if (!claim) continue;
    const auto name = string_at(volume, "name"), mode = string_at(*claim, "spec.volumeMode");
    for (const auto& way : kWays) {
      if (mode != way.mode && is_had(pod, name, way))
        return fmt::format("volume {} has volumeMode {}, but is specified in {}", name, mode, way.list);
    }
  }
  return "";
}

std::vector<Mount> mounts_of(const Json& pod, const Storage& storage, Folder& folder) {
  if (const auto why = misused(pod, storage); !why.empty()) throw Error(Code::kInvalid, why);
  std::map<std::string, fs::path> places;
  for (const auto& volume : array_at(pod, "spec.volumes"))
    places[string_at(volume, "name")] = place_of(pod, volume, storage, folder);
  std::vector<Mount> out;
  for (const auto& way : kWays) {
    for (const auto& mount : array_at(array_at(pod, "spec.containers").at(0), way.list)) {
      const auto name = string_at(mount, "name");
      const auto place = places.find(name);
      if (place == places.end()) throw Error(Code::kInvalid, fmt::format("there is no volume \"{}\"", name));
      auto path = string_at(mount, way.path);
      while (path.size() > 1 && path.ends_with('/')) path.pop_back();
      out.push_back({path, inside(place->second, string_at(mount, "subPath")).string()});
    }
  }
  return out;
}

void refresh_mounts(const Json& pod, Folder& folder) {
  for (const auto& volume : array_at(pod, "spec.volumes")) {
    const auto directory = folder.pod(uid_of(pod)) / "volumes" / string_at(volume, "name");
    if (const auto* fields = find(volume, "downwardAPI")) write_fields(*fields, pod, directory, folder);
  }
}

void unmount(const fs::path& pod_folder) {
  std::error_code absent;
  fs::remove_all(pod_folder / "volumes", absent);
}

}  // namespace mtc::sandbox
