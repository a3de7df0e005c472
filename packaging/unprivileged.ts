/**
 * What the File Daemon starts, and what leaves something for it, is no work for root.
 *
 * @module
 */

import type { EnvironmentName } from "../backend/options/environment.ts";

const userVariable = "PODHEITOR_MONGODB_USER" satisfies EnvironmentName;

/**
 * A shell's script that puts `setpriv` before the arguments where they would run as root: no other user, group or capability, and none can be
 * gained. It wants `refuse`, `$command` and `$working`. systemd gives root's services their credentials in files of root's, which are passed on.
 */
export const privilegeDropper = `user=root
if [ "$(id -u)" = 0 ]; then
  case "$command" in
    'job '* | doctor) user=\${${userVariable}:-bacula} ;;
    # Whose jobs read it is told by whose directory it is.
    prepare-restore) user=\${${userVariable}:-$(stat -c %U -- "$working" 2>/dev/null || echo root)} ;;
  esac
fi
if [ "$user" != root ]; then
  hindrance=
  uid=$(id -u -- "$user" 2>/dev/null) && gid=$(id -g -- "$user") || hindrance="there is no user $user"
  command -v setpriv >/dev/null || hindrance='there is no program setpriv (of the package util-linux)'
  if [ -z "$hindrance" ]; then
    drop="--reuid=$uid --regid=$gid --init-groups --inh-caps=-all --ambient-caps=-all --bounding-set=-all --no-new-privs"
    # The doctor says itself what isn't as it should be.
    [ "$command" = doctor ] || [ ! -d "$working" ] || setpriv $drop -- sh -c 'cd -P -- "$1" 2>/dev/null && [ -w . ] || exit 1
for file in podheitor-mongodb-*; do
  [ ! -f "$file" ] || { [ -r "$file" ] && [ -w "$file" ]; } || exit 1
done' sh "$working" || refuse "the user $user can't write to $working, or to what root's jobs left there" "Run: chown -h $user: '$working' '$working'/podheitor-mongodb-*"
    credential() {
      [ -z "$CREDENTIALS_DIRECTORY" ] || [ ! -f "$CREDENTIALS_DIRECTORY/$1" ] || cat "$CREDENTIALS_DIRECTORY/$1"
    }
    export PODHEITOR_MONGODB_URI="\${PODHEITOR_MONGODB_URI:-$(credential podheitor-mongodb-uri)}"
    export PODHEITOR_MONGODB_PASSWORD="\${PODHEITOR_MONGODB_PASSWORD:-$(credential podheitor-mongodb-password)}"
    unset CREDENTIALS_DIRECTORY
    set -- setpriv $drop -- "$@"
  elif [ -n "$${userVariable}" ]; then
    refuse "$hindrance; ${userVariable} names $user" 'Correct that variable of the File Daemon, or install what is missing.'
  else
    printf '%s\\n' "This runs as root: $hindrance. Make the user, or say ${userVariable}=root in the File Daemon's environment." >&2
  fi
fi`;
