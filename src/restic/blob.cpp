#include "restic/blob.hpp"

namespace mtc::restic {

std::string_view to_string(BlobType type) { return type == BlobType::kData ? "data" : "tree"; }

}  // namespace mtc::restic
