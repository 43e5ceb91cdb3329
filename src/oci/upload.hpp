#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "oci/registry.hpp"
#include "oci/session.hpp"

namespace mtc::oci {

/// Uploads a blob; see Registry::put_blob.
Task<void> upload_blob(std::shared_ptr<Session> session, std::string repository, Descriptor blob, BlobOrigin origin,
                       std::function<void(std::uint64_t)> on_progress);

/// Gives an upload up at the registry, best effort.
Task<void> give_up(std::shared_ptr<Session> session, std::string repository, std::string location);

}  // namespace mtc::oci
