#include <CLI/CLI.hpp>

#include "cli/command_tree.hpp"

namespace mtc::cli {
namespace {

/// Throws what CLI11 shows a user.
void check(const ImageCopyOptions& options) {
  const bool one = !options.source.empty() && !options.destination.empty();
  if (one == !options.list.empty() || options.source.empty() != options.destination.empty())
    throw CLI::ValidationError("image copy needs SOURCE and DESTINATION, or --list");
}

void add_end(CLI::App* command, const std::string& which, RegistryEnd& end) {
  value(command, "--" + which + "-ca", end.ca, "FILE", "whom to believe that they are that registry (PEM)");
  command->add_flag("--" + which + "-insecure", end.insecure,
                    "check no certificate of it, and speak plain HTTP where it has no TLS");
}

}  // namespace

void CommandTree::add_image() {
  auto* image = command(&app_, "image", "copy images between registries",
                        "image copy quay.io/shop/web:1 registry.example.com/shop/web:1");
  image->group("Run it");
  image->require_subcommand(1);
  auto* copy = command(image, "copy", "copy an image with all its instances, digests as they are",
                       "image copy quay.io/shop/web:1 registry.example.com/shop/web:1\n"
                       "image copy --list images.txt --credentials config.json --output json");
  auto options = std::make_shared<ImageCopyOptions>();
  value(copy, "SOURCE", options->source, "SOURCE", "registry/repository:tag, or @digest");
  value(copy, "DESTINATION", options->destination, "DESTINATION",
        "registry/repository:tag (without a tag: the source's)");
  value(copy, "--list", options->list, "FILE", "a SOURCE and a DESTINATION on each line; what they share travels once");
  value(copy, "--credentials", options->credentials, "FILE",
        "a config.json of Docker's with credentials of both (default: ~/.docker/config.json, if it is there)");
  add_end(copy, "source", options->from);
  add_end(copy, "destination", options->to);
  auto blobs = CLI::Range(1, 64);
  blobs.description("");
  copy->add_option("--parallel", options->parallel, "blobs that travel at once, 1 to 64 (default: 6)")
      ->type_name("COUNT")
      ->check(blobs);
  value(copy, "-o,--output", options->output, "text|json", "what is told of each image (default: text)");
  copy->parse_complete_callback([options] { check(*options); });
  performs(copy, [this, options] { return programs_->image_copy(*options, *console_); });
}

}  // namespace mtc::cli
