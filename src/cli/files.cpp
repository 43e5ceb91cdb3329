#include "cli/files.hpp"

#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "cli/user_error.hpp"

namespace mtc::cli {

std::string read_file(const std::string& path, std::string_view what) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) throw UserError(Code::kNotFound, fmt::format("{} {} cannot be read", what, path), "ls -l " + path);
  return text.str();
}

}  // namespace mtc::cli
