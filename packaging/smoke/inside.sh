#!/bin/sh
# What is tried in a container, where FORMAT is deb or rpm, /packages holds OLD and NEW of it, URI leads to a replica set with the database app, and PORT
# is free. The caller compares the database restored with app.
set -u
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
bin=/opt/bacula/bin/podheitor-mongodb-backend
exporter=/opt/bacula/bin/podheitor-mongodb-exporter
lib=/opt/bacula/lib/podheitor-mongodb
plugin=/opt/bacula/plugins/podheitor-mongodb-fd.so
conf=/etc/podheitor/podheitor-mongodb.env

try() { # NAME COMMAND...
  name=$1
  shift
  if output=$("$@" 2>&1); then echo "ok $name"; else
    echo "FAIL $name: $output"
    exit 1
  fi
}

install_package() { # FILE
  case $FORMAT in
    deb) dpkg --force-confdef --force-confold -i "/packages/$1" ;;
    # Where rpm is a guest, its database knows none of the system's packages.
    rpm) if command -v dnf >/dev/null; then rpm -U --oldpackage "/packages/$1"; else rpm -U --nodeps --oldpackage "/packages/$1"; fi ;;
  esac
}

installed_version() {
  case $FORMAT in
    deb) dpkg-query -W -f '${Version}' podheitor-mongodb ;;
    rpm) rpm -q --qf '%{VERSION}-%{RELEASE}' podheitor-mongodb ;;
  esac
}

is_unchanged() {
  case $FORMAT in
    deb) [ -z "$(dpkg --verify podheitor-mongodb)" ] ;;
    rpm) rpm --verify --nodeps podheitor-mongodb ;;
  esac
}

has_account() { getent passwd bacula && getent group bacula && [ "$(id -gn bacula)" = bacula ]; }

says_version() {
  for program in /opt/bacula/bin/podheitor-mongodb-*; do
    "$program" --version | grep -qx "${program##*/} [0-9.]*" || return 1
  done
}

# As whoever may read the program, with nothing in the environment and no home.
says_version_to_anybody() { setpriv --reuid 65534 --regid 65534 --clear-groups env -i "$bin" --version | grep -q '^podheitor-mongodb-backend '; }

loads_plugin() {
  env -i DENO_DIR=/dev/null/none "$lib/deno" eval --no-config \
    "Deno.dlopen('$plugin', { loadPlugin: { parameters: ['pointer', 'pointer', 'pointer', 'pointer'], result: 'i32' } })"
}

# The launcher makes root's jobs that user's, by the machine's own programs.
gives_up_root() {
  install -d -o bacula -g bacula -m 0750 /var/lib/podheitor-work &&
    "$bin" prepare-restore resource=rs0 drop=yes --working-dir /var/lib/podheitor-work &&
    [ "$(find /var/lib/podheitor-work -type f -user bacula | wc -l)" -gt 0 ] &&
    [ "$(find /var/lib/podheitor-work -type f ! -user bacula | wc -l)" = 0 ]
}

makes_key() { "$bin" keygen /etc/podheitor/signing.pem; }

backs_up() {
  mkdir -p /backups /work && cd /work &&
    PODHEITOR_MONGODB_SIGNING_KEY=/etc/podheitor/signing.pem "$bin" backup --to /backups "podheitor-mongodb: uri=$URI"
}

verifies() { "$bin" verify /backups --key /etc/podheitor/signing.pem.pub; }

restores() { "$bin" restore --from /backups --key /etc/podheitor/signing.pem.pub "podheitor-mongodb: uri=$URI include=app.* ns_from=app.* ns_to=restored.*"; }

get() { # PATH
  # No image has curl, and each has bash.
  bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1" && printf "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" "$2" >&3 && cat <&3' \
    get "$PORT" "$1"
}

# The backup was root's; the exporter isn't, and a server that is left over would keep this script from its end.
serves() {
  chown -R bacula: /work
  timeout 60 "$exporter" --listen "127.0.0.1:$PORT" --working-dir /work >/served.log 2>&1 &
  pid=$!
  until get /healthz 2>/dev/null; do
    kill -0 "$pid" || break
    sleep 0.2
  done
  get /metrics >/served.metrics
  get / >/served.html
  kill "$pid"
  if wait "$pid" && grep '^podheitor_mongodb_last_success_timestamp{.*resource="rs0".*} [1-9]' /served.metrics &&
    grep '<a href="resources/rs0">rs0</a>' /served.html; then return; fi
  cat /served.*
  return 1
}

refuses_damage() {
  segment=$(find /backups -type f -name '*.bson*' -size +0 | head -1)
  printf X | dd of="$segment" bs=1 seek=20 conv=notrunc && ! "$bin" verify /backups --key /etc/podheitor/signing.pem.pub
}

edits() { echo 'PODHEITOR_MONGODB_SILENCE_SECONDS=77' >>$conf; }

is_edited() { grep -qx 'PODHEITOR_MONGODB_SILENCE_SECONDS=77' "$1" && [ "$(stat -c '%a %U' "$1")" = '600 root' ]; }

upgrades() { install_package "$NEW" && [ "$(installed_version)" = "$NEW_VERSION" ] && is_edited $conf && says_version; }

downgrades() { install_package "$OLD" && [ "$(installed_version)" = "$OLD_VERSION" ] && is_edited $conf && says_version; }

removes() {
  case $FORMAT in
    deb) dpkg -r podheitor-mongodb && is_edited $conf ;;
    rpm) rpm -e --nodeps podheitor-mongodb && is_edited $conf.rpmsave ;;
  esac && [ ! -e "$bin" ] && [ ! -e "$lib" ] && [ ! -e "$plugin" ]
}

comes_back() { install_package "$OLD" && says_version; }

purges() {
  case $FORMAT in
    deb) dpkg -P podheitor-mongodb && is_edited $conf.operator && [ ! -e $conf ] ;;
    rpm) rpm -e --nodeps podheitor-mongodb ;;
  esac && [ ! -e "$bin" ] && [ ! -e "$lib" ] && [ -e /etc/podheitor/signing.pem ] && [ -d /backups ] && has_account
}

# What the package requires, and what this script does.
if command -v dnf >/dev/null; then dnf -y -q install findutils shadow-utils util-linux; fi
# shellcheck source=/dev/null
. /etc/os-release
echo "on $PRETTY_NAME, $(ldd --version 2>&1 | head -1 | grep -oE '[0-9.]+$')"
try install install_package "$OLD"
try unchanged is_unchanged
try account has_account
try version says_version
try 'version to anybody' says_version_to_anybody
try dlopen loads_plugin
try 'no root' gives_up_root
try keygen makes_key
try backup backs_up
try verify verifies
try restore restores
try exporter serves
try 'damage refused' refuses_damage
try edit edits
try upgrade upgrades
try downgrade downgrades
try remove removes
try 'install again' comes_back
try purge purges
