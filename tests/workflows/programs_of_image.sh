#!/bin/sh
# programs_of_image.sh ROOT BIN
# Makes programs of MongoDB's that a container's image has runnable on this machine: ROOT is the image's content, unpacked; each program gets a
# script of its name in BIN, which starts it with the image's own loader and libraries.
set -eu
root=$(cd "$1" && pwd)
bin=$2
mkdir -p "$bin"
loader=$(find "$root" -xdev -type f -name 'ld-linux-x86-64.so.2' -o -xdev -type f -name 'ld-2.*.so' | head -n 1)
[ -n "$loader" ] || { echo "There is no loader of programs in $root" >&2 && exit 1; }
libraries=$root/lib/x86_64-linux-gnu:$root/usr/lib/x86_64-linux-gnu:$root/lib64:$root/usr/lib64
for name in mongod mongos mongodump mongorestore; do
  [ -x "$root/usr/bin/$name" ] || continue
  cat >"$bin/$name" <<END
#!/bin/sh
exec '$loader' --library-path '$libraries' '$root/usr/bin/$name' "\$@"
END
  chmod 755 "$bin/$name"
done
[ -x "$bin/mongod" ] || { echo "There is no mongod in $root/usr/bin" >&2 && exit 1; }
"$bin/mongod" --version
