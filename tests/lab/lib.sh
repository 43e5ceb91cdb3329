# shellcheck shell=bash disable=SC2034  # variables are for the scripts that source this
# What the lab's scripts share: where things lie and how a lab's number becomes names and addresses.

LAB_SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LAB_CACHE=${MTC_LAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mtc-lab}
LAB_NODES=${MTC_LAB_NODES:-1}
KUBERNETES_VERSION=1.34.4
PROGRAM_IMAGE=lab.mtc/mtc:1

say() { printf 'lab: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# built FOLDER: where the cache has what the sources in FOLDER make. Each folder has a key of its own, so a change of one rebuilds one.
built() {
  local key
  key=$(cd "$1" && find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16)
  printf '%s/%s-%s\n' "$LAB_CACHE" "$(basename "$1")" "$key"
}
KUBERNETES=$(built "$LAB_SOURCE/build/kubernetes")
MINIO=$(built "$LAB_SOURCE/build/minio")
PAUSE=$(built "$LAB_SOURCE/build/pause")
POSTGRES=$(built "$LAB_SOURCE/build/postgres")

# make_built FOLDER COMMAND…: runs the command in FOLDER with OUT set to its place in the cache, unless a run has succeeded before.
make_built() {
  local OUT
  OUT=$(built "$1")
  if [ -e "$OUT/.complete" ]; then return; fi
  mkdir -p "$OUT"
  export OUT
  (cd "$1" && "${@:2}")
  touch "$OUT/.complete"
}

# Go 1.24 or newer for what follows; an older Go (Debian 12 has 1.19) can still fetch a newer one as a module.
need_go() {
  local version toolchain
  version=$(go env GOVERSION 2>/dev/null | sed -E 's/^go1\.([0-9]+).*/\1/') || version=0
  if [ "${version:-0}" -lt 24 ]; then
    command -v go >/dev/null || die 'no go: run tools/setup --lab'
    if [ ! -e "$LAB_CACHE/go/.complete" ]; then
      say 'fetching Go 1.24 through the module proxy'
      toolchain=$(cd / && GO111MODULE=on go mod download -json golang.org/toolchain@v0.0.1-go1.24.4.linux-amd64 | jq -r .Dir)
      [ -d "$toolchain" ] || die 'cannot fetch Go 1.24: install it and try again'
      rm -rf "$LAB_CACHE/go" && mkdir -p "$LAB_CACHE" && cp -r "$toolchain" "$LAB_CACHE/go" && chmod -R u+w "$LAB_CACHE/go"
      chmod +x "$LAB_CACHE"/go/bin/* "$LAB_CACHE"/go/pkg/tool/*/*
      touch "$LAB_CACHE/go/.complete"
    fi
    export PATH=$LAB_CACHE/go/bin:$PATH GOROOT=$LAB_CACHE/go
  fi
  export CGO_ENABLED=0 GOFLAGS=-mod=readonly
}

# lab_names NUMBER: names and addresses of one lab.
lab_names() {
  LAB=$1
  BRIDGE=mtclab$LAB
  STATE=/var/tmp/mtc-lab-$LAB
  HOST_IP=10.$((210 + LAB)).0.1
  BUCKET_PORT=9000
  S3_ENDPOINT=http://$HOST_IP:$BUCKET_PORT
  S3_KEY=lab-access-key S3_SECRET=lab-secret-key S3_BUCKET=migration
}

# cluster_names west|east: names and addresses of one cluster of the lab.
cluster_names() {
  CLUSTER=$1
  case $CLUSTER in
    west) INDEX=1 ;;
    east) INDEX=2 ;;
    *) die "no cluster $CLUSTER: west or east" ;;
  esac
  NETNS=mtclab$LAB-$CLUSTER
  NODE=$CLUSTER-node
  NODE_IP=10.$((210 + LAB)).0.1$INDEX
  POD_CIDR=10.$((210 + LAB)).$INDEX.0/24
  SERVICE_CIDR=10.$((220 + LAB)).$((INDEX * 16)).0/20
  SERVICE_IP=10.$((220 + LAB)).$((INDEX * 16)).1
  ROOT=$STATE/$CLUSTER
  PKI=$ROOT/etc/kubernetes/pki
  API=https://$NODE_IP:6443
}

# The number of the lab that this user means: MTC_LAB, or the only one that runs.
running_lab() {
  if [ -n "${MTC_LAB:-}" ]; then printf '%s\n' "$MTC_LAB"; return; fi
  local found
  found=$(find /var/tmp -maxdepth 1 -name 'mtc-lab-[0-9]' -printf '%f\n' | sed 's/mtc-lab-//' | sort)
  [ "$(printf '%s' "$found" | grep -c .)" = 1 ] || return 1
  printf '%s\n' "$found"
}
