#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "async/task.hpp"
#include "http/server.hpp"
#include "sandbox/storage.hpp"

namespace mtc::sandbox {

/// Where in a pod's folder its process prints to, and where it leaves its last words.
std::filesystem::path log_of(const std::filesystem::path& pod_folder);
std::filesystem::path termination_log_of(const std::filesystem::path& pod_folder);

/// The last bytes of a file, at most `limit`; "" if it is not there.
std::string end_of(const std::filesystem::path& file, std::size_t limit);

/// Answers …/pods/NAME/log with what the pod has printed so far: `tailLines` of it, `limitBytes` of those; and with
/// `follow` what it prints until its process ends. A record prints nothing. Throws Failure 400 for a container that the
/// pod has not, for a previous one, for one that waits to start, and for numbers that are none. Both references outlive
/// the task.
Task<void> serve_log(Json pod, std::filesystem::path pod_folder, Storage* storage, const http::ServerRequest& request,
                     http::ResponseWriter& writer);

}  // namespace mtc::sandbox
