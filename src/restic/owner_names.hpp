#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace mtc::restic {

/// The names of users and groups on this machine, "" for those without. Any threads at once; may block.
class OwnerNames {
 public:
  std::string user(std::uint32_t id);
  std::string group(std::uint32_t id);

 private:
  std::mutex mutex_;
  std::map<std::uint32_t, std::string> users_;
  std::map<std::uint32_t, std::string> groups_;
};

}  // namespace mtc::restic
