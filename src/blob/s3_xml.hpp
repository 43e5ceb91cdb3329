#pragma once

#include <string>
#include <string_view>

#include "blob/store.hpp"

namespace mtc::blob {

/// The text of the first element of that name in an XML document; "" if there is none. Entities of a DTD are not
/// expanded.
std::string xml_text(std::string_view xml, std::string_view element);
/// For text between tags.
std::string xml_escape(std::string_view text);
/// `etag` without the quotes that HTTP puts around it.
std::string unquoted(std::string_view etag);
/// A ListObjectsV2 answer. Throws Error(kUnsupported) if it is none, or if it says that there is more without a way to
/// get it: a listing that silently ends early loses objects. `store` is for the text of that Error.
ListPage parse_listing(std::string_view xml, std::string_view store);

}  // namespace mtc::blob
