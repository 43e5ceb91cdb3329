#pragma once

#include <memory>
#include <string>

#include "oci/registry.hpp"
#include "oci/session.hpp"

namespace mtc::oci {

/// Opens a blob at `offset`; see Registry::open_blob.
Task<BlobReaderPtr> open_blob_reader(std::shared_ptr<Session> session, std::string repository, Descriptor blob,
                                     std::uint64_t offset);

}  // namespace mtc::oci
