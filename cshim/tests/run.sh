#!/bin/bash
# SPDX-License-Identifier: AGPL-3.0-only
# run.sh                 every test of the shim, with gcc, and with clang where it is; the last line is "N passed, N failed"
# run.sh fuzz SECONDS    the fuzzer alone
set -u
cd "$(dirname "$0")/.." || exit
build=$PWD/build/tests
vectors=$PWD/../tests/vectors
plugin=podheitor-mongodb-fd.so
passed=0
failed=0
read -ra sources <<<"$(sed -n 's/^SOURCES := //p' Makefile)"
core=(frame.c payload.c child.c exchange.c session.c)
flags=(-std=gnu11 -g -O1 -D 'VERSION="0"' -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror -Wno-missing-field-initializers)
sanitizers=("-fsanitize=address,undefined" -fno-sanitize-recover=all -fno-omit-frame-pointer)

tally() { # STATUS NAME
  if [ "$1" -eq 0 ]; then echo "ok $2" && passed=$((passed + 1)); else echo "FAIL $2" && failed=$((failed + 1)); fi
}

# Runs a program whose lines "ok" and "FAIL" are counted; one that ends badly without a FAIL counts as failed.
count() { # NAME COMMAND...
  local name=$1 output status
  shift
  output=$(timeout 300 "$@" 2>&1)
  status=$?
  passed=$((passed + $(grep -c '^ok ' <<<"$output")))
  failed=$((failed + $(grep -c '^FAIL ' <<<"$output")))
  echo "== $name: $(grep -c '^ok ' <<<"$output") passed, $(grep -c '^FAIL ' <<<"$output") failed"
  grep -v '^ok ' <<<"$output"
  if [ $status -ne 0 ] && ! grep -q '^FAIL ' <<<"$output"; then tally 1 "$name (ended with $status)"; fi
}

exports_two() {
  [ "$(nm -D --defined-only "$1" | awk '$2 ~ /^[A-Z]$/ { print $3 }' | sort | paste -sd ' ')" = "loadPlugin unloadPlugin" ]
}

test_with() { # COMPILER
  local cc=$1 out=$build/$1
  mkdir -p "$out"
  make -s CC="$cc" BUILD="$out"
  tally $? "$cc: the plugin is built without a warning"
  exports_two "$out/$plugin"
  tally $? "$cc: the plugin exports loadPlugin and unloadPlugin and nothing else"
  "$cc" "${flags[@]}" "${sanitizers[@]}" -o "$out/frames_test" tests/{frames_test,check,script}.c "${core[@]}" -pthread &&
    "$cc" "${flags[@]}" "${sanitizers[@]}" -o "$out/vectors_test" tests/{vectors_test,vector_peer,check,script}.c "${core[@]}" -pthread &&
    "$cc" "${flags[@]}" -o "$out/fake_backend" tests/fake_backend.c frame.c payload.c -pthread &&
    "$cc" "${flags[@]}" -o "$out/fake_fd_test" tests/{fake_fd_test,fake_fd,fake_fd_restore,check}.c -pthread -ldl &&
    "$cc" "${flags[@]}" "${sanitizers[@]}" -o "$out/fake_fd_test_asan" tests/{fake_fd_test,fake_fd,fake_fd_restore,check}.c -pthread -ldl &&
    "$cc" "${flags[@]}" "${sanitizers[@]}" -fPIC -fvisibility=hidden -shared -o "$out/asan-fd.so" "${sources[@]}" -pthread
  tally $? "$cc: the tests are built without a warning"
  count "$cc: frames" "$out/frames_test" "$vectors/frames.txt"
  count "$cc: sessions" "$out/vectors_test" "$vectors/sessions"
  count "$cc: daemon, with sanitizers" "$out/fake_fd_test_asan" "$out/asan-fd.so" "$out/fake_backend"
  count "$cc: daemon, the plugin as it is shipped" "$out/fake_fd_test" "$out/$plugin" "$out/fake_backend"
}

fuzz() { # SECONDS
  local out=$build/clang
  mkdir -p "$out/corpus"
  if ! command -v clang >/dev/null; then
    echo "left out: the fuzzer needs clang, which is not on PATH"
    return
  fi
  if ! clang -fsanitize=fuzzer -x c - -o "$out/probe" <<<'int LLVMFuzzerTestOneInput(void); int LLVMFuzzerTestOneInput(void) { return 0; }' 2>/dev/null; then
    echo "left out: the fuzzer needs clang's fuzzer runtime (libclang-rt-dev)"
    return
  fi
  clang "${flags[@]}" -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -o "$out/fuzz_frame" tests/fuzz_frame.c frame.c payload.c exchange.c session.c -pthread &&
    "$out/fuzz_frame" -max_total_time="$1" -max_len=4096 -dict=tests/fuzz_frame.dict -print_final_stats=1 -artifact_prefix="$out/" "$out/corpus" >"$out/fuzz.log" 2>&1
  local status=$?
  if [ $status -eq 0 ]; then grep number_of_executed_units "$out/fuzz.log"; else tail -40 "$out/fuzz.log"; fi
  tally $status "clang: the fuzzer finds nothing in $1 s"
}

if [ "${1:-}" = fuzz ]; then
  fuzz "${2:-10}"
else
  test_with gcc
  if command -v clang >/dev/null; then test_with clang; else echo "left out: clang is not on PATH"; fi
  fuzz 10
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
