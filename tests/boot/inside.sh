#!/bin/bash
# Runs as root in the booted system and leaves what it saw in /results; the last thing that it does is to switch the system off.
unit=podheitor-mongodb-exporter
runtime=/opt/bacula/lib/podheitor-mongodb
get() {
  exec 3<>/dev/tcp/127.0.0.1/9105 || return 1
  printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$1" >&3
  cat <&3
}
get_by_tls() {
  DENO_CERT=/etc/podheitor/ca.pem "$runtime/deno" eval --quiet \
    'const answer = await fetch("https://127.0.0.1:9105/healthz"); console.log(answer.status, await answer.text());'
}
# Waits until a command succeeds, or the unit has failed.
wait_for() {
  for _ in {1..600}; do
    "$@" 2>/dev/null && return
    [ "$(systemctl show --property=NRestarts --value "$unit")" = 0 ] || return
    sleep 0.1
  done
}
cd /results || exit
wait_for get /healthz >healthz
get /metrics >metrics 2>&1
pid=$(systemctl show --property=MainPID --value "$unit")
cp "/proc/$pid/status" status
cp "/proc/$pid/maps" maps
tr '\0' '\n' <"/proc/$pid/cmdline" >cmdline
systemctl stop "$unit"
systemctl show --property=Result,ExecMainCode,ExecMainStatus "$unit" >stopped
echo 'ARGS="--listen 127.0.0.1:9105 --web.config.file /etc/podheitor/exporter/web.yml"' >/etc/podheitor/$unit.env
systemctl start "$unit"
wait_for get_by_tls >tls
systemctl stop "$unit"
systemctl start probe
cp /run/probe probe
systemd-analyze security --offline=true "/usr/lib/systemd/system/$unit.service" --no-pager >exposure 2>&1
systemd-analyze verify "/usr/lib/systemd/system/$unit.service" >verdict 2>&1 && echo good >>verdict
journalctl --no-pager --output=cat --unit="$unit" --unit=probe >journal 2>&1
systemctl --version | head -1 >version
# Without the sandbox, and as root, as it may do harm.
LC_ALL=C perl "$runtime/probe.pl" >control 2>&1
systemctl --no-block poweroff
