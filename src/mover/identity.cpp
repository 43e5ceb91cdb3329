#include <filesystem>
#include <fstream>

#include "base/error.hpp"
#include "mover/mover.hpp"

namespace mtc::mover {
namespace {

constexpr std::size_t kLargest = 1024 * 1024;

std::string slurp(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(kLargest, '\0');
  in.read(text.data(), kLargest);
  if (in.bad() || in.gcount() == 0) throw Error(Code::kNotFound, "cannot read " + path.string());
  if (!in.eof()) throw Error(Code::kInvalid, path.string() + " is no certificate or key: it is longer than a MiB");
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

}  // namespace

Identity load_identity(const std::string& folder) {
  const std::filesystem::path at = folder;
  return {slurp(at / "ca.crt"), {slurp(at / "tls.crt"), Secret(slurp(at / "tls.key"))}};
}

}  // namespace mtc::mover
