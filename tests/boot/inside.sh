#!/bin/bash
# Runs as root in the booted system and leaves what it saw in /results; the last thing that it does is to switch the system off.
unit=podheitor-mongodb-exporter
get() {
  exec 3<>/dev/tcp/127.0.0.1/9105 || return 1
  printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$1" >&3
  cat <&3
}
cd /results
for _ in {1..600}; do
  get /healthz >healthz 2>/dev/null && break
  [ "$(systemctl show --property=NRestarts --value "$unit")" = 0 ] || break
  sleep 0.1
done
get /metrics >metrics 2>&1
pid=$(systemctl show --property=MainPID --value "$unit")
cp "/proc/$pid/status" status
cp "/proc/$pid/maps" maps
tr '\0' '\n' <"/proc/$pid/cmdline" >cmdline
systemctl start probe
cp /run/probe probe
systemctl stop "$unit"
systemctl show --property=Result,ExecMainCode,ExecMainStatus "$unit" >stopped
systemd-analyze security --offline=true "/usr/lib/systemd/system/$unit.service" --no-pager >security 2>&1
systemd-analyze verify "/usr/lib/systemd/system/$unit.service" >verify 2>&1 && echo good >>verify
journalctl --no-pager --output=cat --unit="$unit" --unit=probe >journal 2>&1
systemctl --version | head -1 >version
systemctl --no-block poweroff
