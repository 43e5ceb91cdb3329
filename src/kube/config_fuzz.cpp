#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.hpp"
#include "json/json.hpp"
#include "json/yaml.hpp"
#include "kube/config.hpp"

// Any text, read as a kubeconfig: refused with an Error, or each of its contexts gives a connection or says why not.

namespace {

/// A fuzzer has no business in the files of this machine: paths that leave a folder that is not there are not followed.
bool names_files(std::string_view text) {
  const auto dumped = mtc::dump(mtc::parse_yaml_one(text));
  return dumped.contains("\"/") || dumped.contains("..");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mtc;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto config = kube::Kubeconfig::parse(text, "/nonexistent");
    const auto contexts = config.contexts();
    if (contexts.size() > size || names_files(text)) return 0;
    for (const auto& context : contexts) {
      try {
        kube::make_client(config.connection(context.context));
      } catch (const Error& error) {
        if (error.code() == Code::kInternal) std::abort();
      }
    }
  } catch (const Error& error) {
    if (error.code() != Code::kInvalid) std::abort();
  }
  return 0;
}
