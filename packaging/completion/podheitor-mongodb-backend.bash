# Written by deno task docs from the tables in the code: change those, not this file.

_podheitor_mongodb_backend() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words='' folders='' files=''
  if [ "$COMP_CWORD" = 1 ]; then
    words='backup restore rehearse doctor verify chain prepare-restore keygen --version --help'
  else
    case "$before" in
      --to | --working-dir | --from | --where) folders=yes ;;
      --key | --config) files=yes ;;
      --level) words='F I D' ;;
      --job | --previous | --only | --interval) ;;
      *)
        case "${COMP_WORDS[1]}" in
          backup) words='--to --level --job --previous --working-dir --json' ;;
          restore) words='--from --job --where --only --working-dir --key --json' ;;
          rehearse) words='--from --job --working-dir --key --json' ;;
          doctor) words='--restore --working-dir --config --interval --json' ;;
          verify) words='--key --json' folders=yes ;;
          chain) words='--working-dir --key --json' folders=yes ;;
          prepare-restore) words='--working-dir resource= uri= drop= allow_unsigned= pit= dry_run= include= exclude= ns_from= ns_to= where= index_build= parallel_indexes= write_concern= parallel_restore= users= mode= engine=' ;;
          keygen) words='' files=yes ;;
        esac
        ;;
    esac
  fi
  COMPREPLY=()
  [ -z "$words" ] || mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
  [ -z "$folders" ] || mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$word")
  [ -z "$files" ] || mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$word")
  case "${COMPREPLY[0]-}" in
    *=) compopt -o nospace 2>/dev/null || : ;;
  esac
}

complete -o filenames -F _podheitor_mongodb_backend podheitor-mongodb-backend
