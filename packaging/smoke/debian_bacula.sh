#!/bin/sh
# What an operator of Debian's own Bacula types once, from the package to daemons that run, where PACKAGE is in /packages. Each command is shown.
# Debian leaves a path to be chosen by the operator in two files, and has no systemd to start daemons in a container: they are started as its units do.
set -eux
export DEBIAN_FRONTEND=noninteractive
dpkg -i "/packages/$PACKAGE"

# README.md, "With Debian's own Bacula".
install -d -m 0755 /opt/bacula/plugins
sed -i 's|^ *Plugin Directory = .*|  Plugin Directory = /opt/bacula/plugins|' /etc/bacula/bacula-fd.conf
install -m 0644 /usr/lib/bacula/bpipe-fd.so /opt/bacula/plugins/
# docs/operators-guide.md has the other variables; a rehearsal is told a mongod.
echo PODHEITOR_MONGODB_MONGOD=/mongod/mongod >>/etc/podheitor/podheitor-mongodb.env

# The example of a job, with the client, storage and pool that Debian's Director has.
client=$(sed -n '/^FileDaemon/,/}/ s/^ *Name = \([^ ]*\).*/\1/p' /etc/bacula/bacula-fd.conf)
sed "s/db1-fd/$client/; s/Pool = Default/Pool = File/" /usr/share/doc/podheitor-mongodb/examples/backup.conf >/etc/bacula/mongo-rs0.conf
echo '@/etc/bacula/mongo-rs0.conf' >>/etc/bacula/bacula-dir.conf
sed -i 's|/nonexistent/path/to/file/archive/dir|/srv/bacula|' /etc/bacula/bacula-dir.conf /etc/bacula/bacula-sd.conf
install -d -o bacula -g tape -m 0750 /srv/bacula
install -d -o bacula -g bacula -m 2775 /run/bacula

for daemon in dir sd fd; do "/usr/sbin/bacula-$daemon" -t -c "/etc/bacula/bacula-$daemon.conf"; done
setpriv --reuid bacula --regid tape --init-groups /usr/sbin/bacula-sd -c /etc/bacula/bacula-sd.conf
/usr/sbin/bacula-fd -c /etc/bacula/bacula-fd.conf
setpriv --reuid bacula --regid bacula --init-groups /usr/sbin/bacula-dir -c /etc/bacula/bacula-dir.conf
timeout 60 sh -c 'until echo version | bconsole; do sleep 0.2; done'
