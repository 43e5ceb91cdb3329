#include "mover/folder.hpp"

#include <filesystem>
#include <fstream>

#include "base/error.hpp"

namespace mtc::mover {
namespace {

constexpr std::size_t kLargest = 1024 * 1024;

}  // namespace

std::string read_mounted(const std::string& folder, const std::string& name) {
  const auto path = std::filesystem::path(folder) / name;
  std::ifstream in(path, std::ios::binary);
  std::string text(kLargest, '\0');
  in.read(text.data(), kLargest);
  if (in.bad() || in.gcount() == 0) throw Error(Code::kNotFound, "cannot read " + path.string());
  if (!in.eof()) throw Error(Code::kInvalid, path.string() + " is longer than a MiB");
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

std::optional<std::string> find_mounted(const std::string& folder, const std::string& name) {
  std::error_code ignored;
  if (!std::filesystem::exists(std::filesystem::path(folder) / name, ignored)) return std::nullopt;
  return read_mounted(folder, name);
}

}  // namespace mtc::mover
