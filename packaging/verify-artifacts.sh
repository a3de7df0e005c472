#!/bin/sh
# Audits backups without Bacula, MongoDB or the backend: with coreutils, findutils, sed, grep, openssl and b3sum.
# backend/manifest/FORMAT.md says what is checked, KEYS.md what a list of trusted keys holds.
set -u
LC_ALL=C
export LC_ALL
umask 077

usage='Usage: verify-artifacts.sh --keys FILE [--keys FILE]... [--manifests-only] FOLDER|MANIFEST...

Checks each sealed manifest that is given or is within a FOLDER (as @mongodb/RESOURCE/manifest.JOB.json, at any depth):
  - its own BLAKE3, and its signature, of a key that FILE trusts for the time of the manifest;
  - that each manifest that continues another one does so without a gap: that one must be among them;
  - unless --manifests-only: size and BLAKE3 of every file that a manifest within a FOLDER lists, and that no other file is beside them.
Where b3sum is missing, the program in PODHEITOR_MONGODB_BACKEND (else podheitor-mongodb-backend on PATH) does the same for FOLDERs with jobs
of the backend'\''s command "backup".

A line for each manifest, and one for each finding. Exit status: 0 all is as it was signed, 1 findings, 2 could not audit.'

format=podheitor-mongodb-manifest/1
tab=$(printf '\t')
findings=0

die() {
  echo "verify-artifacts.sh: $1" >&2
  exit 2
}

finding() { # WHERE PROBLEM
  findings=$((findings + 1))
  printf 'FINDING %s: %s\n' "$1" "$2"
}

blake3() { b3sum --no-names; }

# --- Trusted keys: lines of $work/keys, with tabs between: id, PEM's base64, first and last second, "revoked" or "valid".

add_key() { # BASE64-OF-DER FIRST LAST STATE ORIGIN
  case $1 in
    MCowBQYDK2VwAyEA*) ;;
    *) die "$5: no Ed25519 public key" ;;
  esac
  raw=${1#MCowBQYDK2VwAyEA}
  printf '%s' "$raw" | base64 -d >"$work/raw" 2>/dev/null || die "$5: no base64"
  [ "$(wc -c <"$work/raw")" -eq 32 ] || die "$5: no Ed25519 public key"
  printf '%s\t%s\t%s\t%s\t%s\n' "$(blake3 <"$work/raw" | cut -c 1-16)" "$1" "$2" "$3" "$4" >>"$work/keys"
}

instant() { # TEXT TIME-OF-DAY ORIGIN
  case $1 in
    [0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]) second=$1T$2Z ;;
    *) second=$1 ;;
  esac
  [ "$(date -u -d "$second" +%Y-%m-%dT%H:%M:%SZ 2>/dev/null)" = "$second" ] ||
    die "$3: \"$1\" is no time such as 2026-11-23 or 2026-11-23T08:15:00Z"
}

add_line() { # ORIGIN WORDS...
  origin=$1
  key=${2%=}
  shift 2
  first=0000-01-01T00:00:00Z last=9999-12-31T23:59:59Z state=valid
  for word; do
    case $word in
      not-before=*) instant "${word#*=}" 00:00:00 "$origin" && first=$second ;;
      not-after=*) instant "${word#*=}" 23:59:59 "$origin" && last=$second ;;
      revoked) state=revoked ;;
      *) die "$origin: \"$word\" is none of not-before=TIME, not-after=TIME and revoked" ;;
    esac
  done
  [ ${#key} -eq 43 ] || die "$origin: neither PEM nor the base64 of 32 bytes"
  add_key "MCowBQYDK2VwAyEA$key=" "$first" "$last" "$state" "$origin"
}

read_keys() { # FILE
  if [ ! -f "$1" ] || [ ! -r "$1" ]; then die "$1: no file of keys that can be read"; fi
  [ -z "$(find -L "$1" -maxdepth 0 -perm /022)" ] || die "$1: others than its owner can change it; look at it, then: chmod go-w $1"
  number=0 pem='' found=0
  while IFS= read -r line || [ -n "$line" ]; do
    number=$((number + 1))
    line=$(printf '%s' "$line" | sed -E 's/#.*//; s/[[:space:]]+/ /g; s/^ | $//g')
    case $pem$line in
      '') ;;
      '-----BEGIN PUBLIC KEY-----') pem=: ;;
      :*'-----END PUBLIC KEY-----')
        pem=${pem#:}
        add_key "$pem" 0000-01-01T00:00:00Z 9999-12-31T23:59:59Z valid "$1, line $number"
        pem='' found=1
        ;;
      :*) pem=$pem$line ;;
      *)
        set -f
        # shellcheck disable=SC2086 # words
        add_line "$1, line $number" $line
        set +f
        found=1
        ;;
    esac
  done <"$1"
  [ -z "$pem" ] || die "$1: a PEM block has no end"
  [ $found -eq 1 ] || die "$1: holds no key"
}

# --- Seals

member() { # PATTERN: what it finds first in the manifest. No text within a JSON string has a bare quotation mark, so that keys are found in their places only.
  grep -oE -m 1 "$1" "$work/body" | head -n 1
}

text_of() { # KEY, of a member whose value is a string that needs no escapes
  member "\"$1\":\"[^\"\\\\]*\"" | sed -E 's/^"[^"]*":"(.*)"$/\1/'
}

# Checks a manifest's seal. Leaves its digest in $digest, and its own text in $work/body, which isn't believed before.
open_manifest() { # FILE
  seal='^\{"blake3":"[0-9a-f]{64}","keyId":("[0-9a-f]{16}"|null),"manifest":\{.*\},"signature":("[A-Za-z0-9+/]{85}[AQgw]=="|null)\}$'
  if [ "$(wc -l <"$1")" -ne 0 ] || ! grep -qE "$seal" "$1"; then
    finding "$1" "is no sealed manifest"
    return 1
  fi
  head=$(head -c 120 "$1")
  digest=$(printf '%s' "$head" | cut -c 12-75)
  key_id=$(printf '%s' "$head" | cut -c 87-102)
  case $head in
    *'","keyId":null,'*)
      finding "$1" "is not signed"
      return 1
      ;;
  esac
  sed -E 's/^.{104}"manifest":(.*),"signature":"[^"]*"\}$/\1/' "$1" | tr -d '\n' >"$work/body"
  if [ "$(blake3 <"$work/body")" != "$digest" ]; then
    finding "$1" "has another BLAKE3 than its seal says: it was changed"
    return 1
  fi
  check_signature "$1" || return 1
  [ "$(text_of format)" = "$format" ] && return
  finding "$1" "is no manifest of format $format"
  return 1
}

check_signature() { # FILE
  grep -E "^$key_id$tab" "$work/keys" >"$work/entries" || {
    finding "$1" "is signed by key $key_id, which is not trusted"
    return 1
  }
  printf -- '-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n' "$(head -n 1 "$work/entries" | cut -f 2)" >"$work/public"
  printf '%s\n%s\n' "$format" "$digest" >"$work/message"
  tail -c 90 "$1" | head -c 88 | base64 -d >"$work/signature"
  if ! openssl pkeyutl -verify -pubin -inkey "$work/public" -rawin -in "$work/message" -sigfile "$work/signature" >/dev/null 2>&1; then
    finding "$1" "has a wrong signature of key $key_id"
    return 1
  fi
  if cut -f 5 "$work/entries" | grep -q '^revoked$'; then
    finding "$1" "is signed by key $key_id, which is revoked"
    return 1
  fi
  made=$(text_of createdAt | cut -c 1-19)Z
  times=''
  while IFS=$tab read -r _ _ first last _; do
    if printf '%s\n' "$first" "$made" "$last" | sort -C; then return 0; fi
    times="$times from $first to $last"
  done <"$work/entries"
  finding "$1" "is of $made, key $key_id is trusted for manifests$times"
  return 1
}

# --- Objects

listed() { # The manifest's objects: BLAKE3, size and virtual name, with tabs between.
  grep -oE '\{"blake3":"[0-9a-f]{64}",("documents":[0-9]+,|"entries":[0-9]+,"first":\{[^}]*\},"last":\{[^}]*\},)?"path":"[^"]*","size":[0-9]+\}' "$work/body" |
    sed -E 's/^\{"blake3":"([0-9a-f]{64})",.*"path":"([^"]*)","size":([0-9]+)\}$/\1\t\3\t\2/'
}

# A virtual name as a file's: parts of more than 255 bytes stand in folders within each other, whose names end with "%".
file_of() {
  printf '%s' "$1" | sed -E 's!/([^/]{256,})!/\x01\1!g; :cut; s!\x01([^/]{200})([^/])!\1%/\x01\2!; t cut; s!\x01!!g'
}

check_object() { # ROOT BLAKE3 SIZE NAME
  case $4/ in
    *[!A-Za-z0-9/%._~$\&+=@-]* | */../*)
      finding "$4" "is no virtual name"
      return
      ;;
  esac
  file=$1$(file_of "$4")
  if [ -L "$file" ] || [ ! -f "$file" ]; then
    finding "$file" "is missing"
  elif [ "$(stat -c %s "$file")" != "$3" ]; then
    finding "$file" "has $(stat -c %s "$file") bytes, the manifest says $3"
  elif [ "$(blake3 <"$file")" != "$2" ]; then
    finding "$file" "has another BLAKE3 than the manifest says"
  fi
}

# What is below a root and that no manifest there lists. Nothing is told of a root with a manifest that isn't believed: it may list anything.
check_extra() { # ROOT
  find "$1/@mongodb" ! -type d ! -type f >"$work/odd"
  while IFS= read -r odd; do finding "$odd" "is neither a file nor a folder"; done <"$work/odd"
  find "$1/@mongodb" -type f -print | while IFS= read -r path; do printf '%s\n' "${path#"$1"}"; done | sed 's,%/,,g' |
    grep -vE '^/@mongodb/[^/]+/manifest\.[^/]+\.json$' | sort >"$work/present"
  cut -f 3 "$work/objects" | sort -u | comm -23 "$work/present" - >"$work/extra"
  while IFS= read -r name; do finding "$1$name" "is in no manifest"; done <"$work/extra"
}

# The catalog's copy beside a job of the backend's command "backup" must be the very same bytes.
check_copy() { # ROOT MANIFEST
  [ -d "$1/restore-objects" ] || return 0
  find "$1/restore-objects" -name '*-25-*' -type f | sort >"$work/parts"
  while IFS= read -r part; do cat -- "$part"; done <"$work/parts" | cmp -s - "$2" ||
    finding "$1/restore-objects" "holds another manifest than $2"
}

# --- Chains: lines of $work/chain, with tabs between: digest, resource, job, parent's digest or "-", parent's job, from, to, file.

position() { # KEY
  member "\"$1\":\{\"i\":[0-9]+,\"t\":[0-9]+,\"term\":-?[0-9]+\}" | sed 's/^[^:]*://'
}

note_link() { # FILE
  parent=$(member '"parent":\{"blake3":"[0-9a-f]{64}","jobName":"([^"\\]|\\.)*"\}')
  parent_digest=$(printf '%s' "$parent" | cut -c 21-84)
  parent_job=$(printf '%s' "$parent" | sed -E 's/^.*"jobName":"(.*)"\}$/\1/')
  job=$(member '"job":\{"clientName":"([^"\\]|\\.)*","id":[0-9]+,"level":"[FID]","name":"([^"\\]|\\.)*"' | sed -E 's/^.*"name":"(.*)"$/\1/')
  from=$(position from)
  to=$(position to)
  printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$digest" "$(text_of resource)" "$job" "${parent_digest:--}" "${parent_job:--}" \
    "${from:--}" "${to:--}" "$1" >>"$work/chain"
}

check_links() {
  cp "$work/chain" "$work/links"
  while IFS=$tab read -r _ resource _ parent parent_job from _ file; do
    [ "$parent" != - ] || continue
    before=$(grep -m 1 "^$parent$tab" "$work/chain") || {
      finding "$file" "continues job $parent_job, whose manifest is not here"
      continue
    }
    [ "$(printf '%s' "$before" | cut -f 2,3,7)" = "$resource$tab$parent_job$tab$from" ] ||
      finding "$file" "does not begin where job $parent_job ended"
  done <"$work/links"
}

# --- The audit

audit_manifest() { # ROOT-OR-NOTHING MANIFEST
  manifests=$((manifests + 1))
  if ! open_manifest "$2"; then
    trusted_root=no
    return
  fi
  note_link "$2"
  objects=0
  if [ -n "$1" ]; then
    check_copy "$1" "$2"
    listed >"$work/listed"
    cat "$work/listed" >>"$work/objects"
    objects=$(wc -l <"$work/listed")
    [ "$(member '"objects":[0-9]+' | cut -d : -f 2)" = "$objects" ] || finding "$2" "lists other files than it counts"
    while IFS=$tab read -r hash size name; do check_object "$1" "$hash" "$size" "$name"; done <"$work/listed"
  fi
  echo "$2: manifest $(printf '%s' "$digest" | cut -c 1-16), signed by $key_id, $objects files"
}

audit_root() { # ROOT
  : >"$work/objects"
  trusted_root=yes
  find "$1/@mongodb" -mindepth 2 -maxdepth 2 -type f -name 'manifest.*.json' | sort >"$work/here"
  [ -s "$work/here" ] || {
    finding "$1/@mongodb" "holds no manifest"
    return
  }
  root=$1
  [ "$only_manifests" = no ] || root=
  while IFS= read -r manifest; do audit_manifest "$root" "$manifest"; done <"$work/here"
  if [ -n "$root" ] && [ $trusted_root = yes ]; then check_extra "$root"; fi
}

delegate() { # Without b3sum, the backend's own commands.
  backend=${PODHEITOR_MONGODB_BACKEND:-podheitor-mongodb-backend}
  command -v "$backend" >/dev/null || die "b3sum is missing, and so is $backend: install one of them"
  [ "$only_manifests" = no ] || die "--manifests-only needs b3sum, which is missing"
  status=0
  for place; do
    [ -d "$place" ] || die "$place: a manifest by itself needs b3sum, which is missing"
    for command in verify chain; do
      "$backend" "$command" "$place" --key "$keys"
      now=$?
      [ $now -le "$status" ] || status=$now
    done
  done
  exit $status
}

keys='' only_manifests=no
while [ $# -gt 0 ]; do
  case $1 in
    --keys)
      [ $# -ge 2 ] || die "--keys has no FILE"
      keys=${keys:+$keys:}$2
      shift 2
      ;;
    --manifests-only) only_manifests=yes && shift ;;
    --help) echo "$usage" && exit 0 ;;
    --) shift && break ;;
    -*) die "there is no option $1; see --help" ;;
    *) break ;;
  esac
done
[ -n "$keys" ] || die "--keys is missing: nothing is trusted by itself; see --help"
[ $# -gt 0 ] || die "no folder and no manifest is given; see --help"
for place; do [ -e "$place" ] || die "$place: is not there"; done
command -v b3sum >/dev/null || delegate "$@"
command -v openssl >/dev/null || die "openssl is missing"

work=$(mktemp -d) || die "no temporary folder"
trap 'rm -rf -- "$work"' EXIT
trap 'exit 2' HUP INT TERM
: >"$work/keys"
: >"$work/chain"
set -f
IFS=:
# shellcheck disable=SC2086 # files between colons
set -- $keys -- "$@"
unset IFS
set +f
while [ "$1" != -- ]; do
  read_keys "$1"
  shift
done
shift

manifests=0
for place; do
  case $place in
    /*) ;;
    *) place=$PWD/$place ;;
  esac
  if [ -f "$place" ]; then
    audit_manifest '' "$place"
  else
    find -H "$place" -type d -name @mongodb -prune >"$work/roots"
    sort "$work/roots" >"$work/sorted"
    while IFS= read -r folder; do audit_root "${folder%/@mongodb}"; done <"$work/sorted"
  fi
done
check_links
[ $manifests -gt 0 ] || [ $findings -gt 0 ] || die "no manifest is there"
echo "$manifests manifests, $findings findings"
[ $findings -eq 0 ]
