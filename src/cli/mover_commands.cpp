#include <CLI/CLI.hpp>

#include "base/clock.hpp"
#include "cli/command_tree.hpp"

namespace mtc::cli {
namespace {

void add_duration(CLI::App* command, const std::string& name, std::string& into, const std::string& initial,
                  const std::string& description) {
  into = initial;
  auto check = [](const std::string& text) {
    const auto duration = parse_go_duration(text);
    return duration && *duration > Duration{} ? "" : text + " is no duration like 90s or 5m";
  };
  value(command, name, into, "DURATION", description + " (default: " + initial + ")")->check(CLI::Validator(check, ""));
}

void add_common(CLI::App* command, MoverOptions& options, const std::string& patience, const std::string& meaning) {
  value(command, "--volume", options.volume, "DIR", "the volume's root")->required();
  value(command, "--tls", options.tls, "DIR", "folder with ca.crt, tls.crt and tls.key")->required();
  add_duration(command, "--silence", options.silence, "60s", "how long the other end may say nothing at all");
  add_duration(command, "--patience", options.patience, patience, meaning);
}

}  // namespace

void CommandTree::add_mover() {
  auto* mover = command(&app_, "mover", "move a volume to another machine: what runs in a mover's pod",
                        "mover receive --volume /volume --listen 10.244.0.7:6443 --tls /etc/mtc-mover --verify\n"
                        "mover send --volume /volume --to 10.244.0.7:6443 --tls /etc/mtc-mover");
  mover->group("Run it");
  mover->require_subcommand(1);

  auto* receive = command(mover, "receive", "wait for one sender and make the volume equal to its",
                          "mover receive --volume /volume --listen 10.244.0.7:6443 --tls /etc/mtc-mover --verify");
  auto in = std::make_shared<MoverOptions>();
  value(receive, "--listen", in->listen, "ADDRESS:PORT", "where to wait for the sender")->required();
  add_common(receive, *in, "1h", "how long to wait for the sender");
  receive->add_flag("--verify", in->verify, "read everything back from the disk and compare it with the source");
  receive->add_flag("--allow-losses", in->allow_losses,
                    "owners, attributes and devices that this end may not set are noted and no differences");
  performs(receive, [this, in] { return programs_->mover_receive(*in, *console_); });

  auto* send = command(mover, "send", "send a volume to a receiver",
                       "mover send --volume /volume --to 10.244.0.7:6443 --tls /etc/mtc-mover --mode stage\n"
                       "mover send --volume /volume --to 10.244.0.7:6443 --to 192.0.2.10:30443 --tls /etc/mtc-mover");
  auto out = std::make_shared<MoverOptions>();
  send->add_option("--to", out->to, "the receiver; may be repeated, and is tried in that order")
      ->type_name("HOST:PORT")
      ->allow_extra_args(false)
      ->required();
  add_common(send, *out, "3m", "how long to try again when the receiver does not answer or the network breaks");
  add_duration(send, "--dial", out->dial, "5s", "how long to try one address");
  value(send, "--mode", out->mode, "stage|cutover",
        "stage: what changes meanwhile is skipped; cutover: it is a failure (default: cutover)");
  send->add_flag("--by-hash", out->by_hash, "compare contents, not only sizes and times");
  auto lanes = CLI::Range(1, 64);
  lanes.description("");
  send->add_option("--lanes", out->lanes, "connections, 1 to 64 (default: 4)")->type_name("COUNT")->check(lanes);
  performs(send, [this, out] { return programs_->mover_send(*out, *console_); });
}

}  // namespace mtc::cli
