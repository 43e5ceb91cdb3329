# shellcheck shell=bash disable=SC2034  # variables are for the scripts that source this
# What the lab's scripts share: where things lie and how a lab's number becomes names and addresses.

LAB_SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LAB_CACHE=${MTC_LAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mtc-lab}
LAB_NODES=${MTC_LAB_NODES:-1}
KUBERNETES_VERSION=1.34.4

say() { printf 'lab: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# The folder of the binaries that these sources make.
binaries() {
  local key
  key=$(cat "$LAB_SOURCE"/build/*/go.mod "$LAB_SOURCE"/build/*/go.sum "$LAB_SOURCE"/build/*/*.go | sha256sum | cut -c1-16)
  printf '%s/%s\n' "$LAB_CACHE" "$key"
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
