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

/// Throws what CLI11 shows a user.
void check_volume(const std::string& volume, const std::string& device) {
  if (volume.empty() == device.empty()) throw CLI::ValidationError("a mover needs --volume or --device, and not both");
}

void check(const RepositoryOptions& options) { check_volume(options.volume, options.device); }

void check(const MoverOptions& options) {
  check_volume(options.volume, options.device);
  if (options.to.empty() && options.listen.empty()) throw CLI::ValidationError("a sender needs --to or --listen");
}

template <typename Options>
void add_volume(CLI::App* command, Options& options) {
  value(command, "--volume", options.volume, "DIR", "the volume's root");
  value(command, "--device", options.device, "PATH", "the block device, if the volume is one");
  command->parse_complete_callback([&options] { check(options); });
}

template <typename Options>
void add_budget(CLI::App* command, Options& options) {
  value(command, "--budget", options.budget, "FILE",
        R"(what may be used, read again each second: {"bytesPerSecond": 1000000, "iops": 200})");
}

void add_common(CLI::App* command, MoverOptions& options, const std::string& patience, const std::string& meaning) {
  add_volume(command, options);
  value(command, "--tls", options.tls, "DIR", "folder with ca.crt, tls.crt and tls.key")->required();
  add_duration(command, "--silence", options.silence, "60s", "how long the other end may say nothing at all");
  add_duration(command, "--patience", options.patience, patience, meaning);
}

void add_forwarded(CLI::App* command, MoverOptions& options) {
  command->add_flag("--forwarded", options.forwarded,
                    "listen where a port-forward of this pod arrives, too: at all addresses, unless it is a loopback");
}

void add_repository(CLI::App* command, RepositoryOptions& options) {
  value(command, "--repository", options.repository, "DIR",
        "folder with store.json, password, access-key-id and secret-access-key")
      ->required();
}

}  // namespace

void CommandTree::add_mover() {
  auto* mover = command(&app_, "mover", "move a volume to another machine: what runs in a mover's pod",
                        "mover receive --volume /volume --listen 10.244.0.7:6443 --tls /etc/mtc-mover --verify\n"
                        "mover send --volume /volume --to 10.244.0.7:6443 --tls /etc/mtc-mover");
  mover->group("");  // people hardly run it: the first screen has other things to say
  mover->require_subcommand(1);

  auto* receive = command(mover, "receive", "wait for one sender and make the volume equal to its",
                          "mover receive --volume /volume --listen 10.244.0.7:6443 --tls /etc/mtc-mover --verify");
  auto in = std::make_shared<MoverOptions>();
  value(receive, "--listen", in->listen, "ADDRESS:PORT", "where to wait for the sender")->required();
  add_forwarded(receive, *in);
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
      ->allow_extra_args(false);
  value(send, "--listen", out->listen, "ADDRESS:PORT", "where to wait, last of all, for a relay to the receiver");
  add_forwarded(send, *out);
  add_common(send, *out, "3m", "how long to try again when the receiver does not answer or the network breaks");
  add_duration(send, "--dial", out->dial, "5s", "how long to try one address");
  value(send, "--mode", out->mode, "stage|cutover",
        "stage: what changes meanwhile is skipped; cutover: it is a failure (default: cutover)");
  add_budget(send, *out);
  send->add_flag("--by-hash", out->by_hash, "compare contents, not only sizes and times");
  auto lanes = CLI::Range(1, 64);
  lanes.description("");
  send->add_option("--lanes", out->lanes, "connections, 1 to 64 (default: 4)")->type_name("COUNT")->check(lanes);
  performs(send, [this, out] { return programs_->mover_send(*out, *console_); });

  add_mover_backup(mover);
  add_mover_restore(mover);
  add_mover_prune(mover);
}

void CommandTree::add_mover_backup(CLI::App* mover) {
  auto* backup =
      command(mover, "backup", "put a volume into a repository of a bucket, as a snapshot",
              "mover backup --volume /volume --repository /etc/mtc-repository --host shop/data\n"
              "mover backup --volume /volume --repository /etc/mtc-repository --host shop/data --mode stage");
  auto options = std::make_shared<RepositoryOptions>();
  add_volume(backup, *options);
  add_repository(backup, *options);
  value(backup, "--host", options->host, "NAME", "whose snapshot it is: what its newest one has is not read again")
      ->required();
  backup->add_option("--tag", options->tags, "a tag of the snapshot; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  value(backup, "--mode", options->mode, "stage|cutover",
        "stage: what changes meanwhile is skipped; cutover: it is a failure (default: cutover)");
  add_budget(backup, *options);
  backup->add_flag("--by-hash", options->by_hash, "read every file, not only those with another size, time or inode");
  performs(backup, [this, options] { return programs_->mover_backup(*options, *console_); });
}

void CommandTree::add_mover_restore(CLI::App* mover) {
  auto* restore = command(mover, "restore", "make a volume equal to a snapshot of a repository",
                          "mover restore --volume /volume --repository /etc/mtc-repository --snapshot ID --verify");
  auto options = std::make_shared<RepositoryOptions>();
  add_volume(restore, *options);
  add_repository(restore, *options);
  value(restore, "--snapshot", options->snapshot, "ID", "the snapshot, 64 hexadecimal digits")->required();
  add_budget(restore, *options);
  restore->add_flag("--verify", options->verify, "read everything back from the disk and compare it with the snapshot");
  restore->add_flag("--allow-losses", options->allow_losses,
                    "owners, attributes and devices that may not be set here are noted and no differences");
  restore->add_flag("--by-hash", options->by_hash, "compare contents, not only sizes and times");
  performs(restore, [this, options] { return programs_->mover_restore(*options, *console_); });
}

void CommandTree::add_mover_prune(CLI::App* mover) {
  auto* prune = command(mover, "prune", "forget old snapshots of a repository, and remove what none uses",
                        "mover prune --repository /etc/mtc-repository --host shop/data --keep-last 1");
  auto options = std::make_shared<RepositoryOptions>();
  add_repository(prune, *options);
  value(prune, "--host", options->host, "NAME", "whose snapshots are forgotten")->required();
  auto count = CLI::Range(1, 10000);
  count.description("");
  prune->add_option("--keep-last", options->keep_last, "how many of the newest stay")
      ->type_name("COUNT")
      ->check(count)
      ->required();
  performs(prune, [this, options] { return programs_->mover_prune(*options, *console_); });
}

}  // namespace mtc::cli
