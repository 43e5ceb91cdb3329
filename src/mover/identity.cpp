#include "mover/folder.hpp"
#include "mover/mover.hpp"

namespace mtc::mover {

Identity load_identity(const std::string& folder) {
  return {read_mounted(folder, "ca.crt"), {read_mounted(folder, "tls.crt"), Secret(read_mounted(folder, "tls.key"))}};
}

}  // namespace mtc::mover
