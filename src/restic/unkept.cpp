#include "restic/unkept.hpp"

#include "restic/go_text.hpp"

namespace mtc::restic {

volume::Lost drop_unkept(volume::Xattrs& xattrs) {
  volume::Lost lost;
  std::size_t total = 0;
  std::erase_if(xattrs, [&](const auto& attribute) {
    const auto& [name, value] = attribute;
    const auto with_it = total + name.size() + value.size();
    const bool kept = is_utf8(name) && with_it <= volume::kMaxXattrs;
    if (kept) total = with_it;
    if (!kept) lost.push_back("attribute " + name);
    return !kept;
  });
  return lost;
}

}  // namespace mtc::restic
