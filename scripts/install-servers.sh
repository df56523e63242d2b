#!/bin/sh
# Installs, from Debian's packages, the servers and peers that `npm run test:interop`, `npm run test:faults` and
# `npm run bench` use. Safe to run again; prints one line when all is there.
#
#   sh scripts/install-servers.sh            install what is missing, name what could not be had
#   sh scripts/install-servers.sh --strict   the same, and exit 1 if anything is still missing
set -u

strict=false
for argument in "$@"; do
  case $argument in
    --strict) strict=true ;;
    *)
      echo "usage: $0 [--strict]" >&2
      exit 2
      ;;
  esac
done

# A normal user's PATH often lacks the directory where Debian puts servers.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# "program package": the program is what we look for, the package is what brings it.
# GNU time is asked for by path, because `time` alone is a word of the shell.
wanted='nginx nginx
aria2c aria2
axel axel
wget2 wget2
rclone rclone
curl curl
strace strace
openssl openssl
/usr/bin/time time
sha256sum coreutils
cmp diffutils
tar tar
radosgw radosgw
ceph-mon ceph-mon
ceph-osd ceph-osd
perl perl-base
unshare util-linux
sshd openssh-server
sftp openssh-client
vsftpd vsftpd
lftp lftp
wget wget
rsync rsync
mkfs.xfs xfsprogs
mkfs.vfat dosfstools
mkfs.exfat exfatprogs
mount.exfat-fuse exfat-fuse
chromium chromium'

missing() {
  echo "$wanted" | while read -r program package; do
    command -v "$program" >/dev/null 2>&1 || echo "$package"
  done
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    # -n: a script that stops for a password in a test run looks like one that hangs.
    sudo -n "$@"
  fi
}

can_be_root() {
  [ "$(id -u)" -eq 0 ] || { command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; }
}

install_missing() {
  command -v apt-get >/dev/null 2>&1 || {
    echo "install-servers: no apt-get here; install by your own means: $(missing | tr '\n' ' ')" >&2
    return 1
  }
  can_be_root || {
    echo "install-servers: needs root, or sudo without a password, to install: $(missing | tr '\n' ' ')" >&2
    return 1
  }
  # policy-rc.d 101 keeps the package from starting a system-wide nginx: the tests start their own.
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    as_root sh -c 'printf "#!/bin/sh\nexit 101\n" >/usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d' || return 1
    trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT INT TERM
  fi
  log=$(mktemp)
  # The lists may be stale or absent on a fresh machine, and up to date on a used one: update only when needed.
  # One package at a time the second time round, so that one that does not exist costs only itself.
  # shellcheck disable=SC2046  # a list of package names, split on purpose
  if ! apt_install $(missing) >"$log" 2>&1; then
    as_root apt-get update -q >>"$log" 2>&1
    for package in $(missing); do
      apt_install "$package" >>"$log" 2>&1 || {
        echo "install-servers: apt-get could not install $package:" >&2
        grep '^E:' "$log" | tail -n 2 >&2
      }
    done
  fi
  rm -f "$log"
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}

[ -z "$(missing)" ] || install_missing

left=$(missing | tr '\n' ' ')
if [ -z "$left" ]; then
  echo "install-servers: everything is here"
  exit 0
fi
echo "install-servers: still missing: $left(checks and peers that need them are reported as NOT RUN)" >&2
if $strict; then exit 1; fi
