#!/bin/bash
# install_test.sh SOURCE CXX static|shared [BUILD]: installs Tenon into a prefix of its own and builds and runs a project
# from outside against it: with CMake's find_package, and with pkg-config after the prefix has moved. The shared library
# must need nothing beyond libc and the compiler's own runtime. With BUILD, what is built there is installed; else Tenon
# is built for it.
set -euo pipefail
source=$1
cxx=$2
kind=$3
outside=$source/tests/install/outside
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
  echo "FAILED: $*" >&2
  exit 1
}
expect_output() {
  [ "$1" = "outside uses an installed tenon" ] || fail "the program printed \"$1\""
}

build=${4:-$work/build}
if [ -z "${4-}" ]; then
  shared=$([ "$kind" = shared ] && echo ON || echo OFF)
  cmake -S "$source" -B "$build" -G Ninja -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_CXX_FLAGS=-O0 \
    -DCMAKE_BUILD_TYPE=None -DBUILD_SHARED_LIBS="$shared" -DTENON_TOOLS=OFF -DTENON_TESTS=OFF -DTENON_BENCHES=OFF
  cmake --build "$build"
fi
cmake --install "$build" --prefix "$work/prefix"

if [ "$kind" = shared ]; then
  library=$(find "$work/prefix" -name 'libtenon.so')
  [ -n "$library" ] || fail "no libtenon.so was installed"
  needed=$(readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
  [ -n "$needed" ] || fail "readelf names nothing that libtenon.so needs"
  echo "libtenon.so needs:" $needed
  for name in $needed; do
    case $name in
      libc.so.* | libm.so.* | libstdc++.so.* | libgcc_s.so.* | ld-linux*.so.*) ;;
      libasan.so.* | libubsan.so.* | libtsan.so.*) ;;  # the compiler's, when it is asked for them
      *) fail "libtenon.so needs $name" ;;
    esac
  done
else
  [ -n "$(find "$work/prefix" -name 'libtenon.a')" ] || fail "no libtenon.a was installed"
fi
stray=$(find "$work/prefix" -type f -name '*_test*' -o -type f -name '*.cpp')
[ -z "$stray" ] || fail "installed what is not the library's: $stray"

echo "With find_package:"
cmake -S "$outside" -B "$work/outside" -G Ninja -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_PREFIX_PATH="$work/prefix"
cmake --build "$work/outside"
expect_output "$("$work/outside/outside")"

echo "With pkg-config, from where the prefix was moved to:"
mv "$work/prefix" "$work/moved"
pc=$(find "$work/moved" -name tenon.pc)
[ -n "$pc" ] || fail "no tenon.pc was installed"
export PKG_CONFIG_PATH=${pc%/*}
flags=$(pkg-config --cflags --libs tenon)
echo "$flags"
case $flags in *"$work/prefix"*) fail "tenon.pc names the prefix that it was installed to" ;; esac
[ "$(pkg-config --modversion tenon)" = "$(sed -n 's/^project(tenon VERSION \([0-9.]*\).*/\1/p' "$source/CMakeLists.txt")" ] ||
  fail "tenon.pc tells another version than CMakeLists.txt"
# shellcheck disable=SC2086
"$cxx" -std=c++23 "$outside/outside.cpp" $flags -o "$work/with_pkg_config"
expect_output "$(LD_LIBRARY_PATH=$(pkg-config --variable=libdir tenon) "$work/with_pkg_config")"
