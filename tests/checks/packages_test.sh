#!/bin/bash
# packages_test.sh SOURCE: scripts/install with an apt, a dpkg-query, a sudo and a user id that are played, so that
# nothing is installed: what it says, what it calls, how it ends.
set -uo pipefail
script=$1/scripts/install
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# A PATH that has the ordinary tools, and of the others only those that `played` makes.
mkdir "$work/tools"
for tool in bash sh awk sed uniq xargs dirname mktemp rm tail printf env cat; do
  ln -s "$(command -v "$tool")" "$work/tools/$tool"
done
# played INSTALLED-PACKAGES USER-ID TOOL…
played() {
  local installed=$1 user=$2
  shift 2
  rm -rf "$work/played" "$work/calls"
  mkdir "$work/played"
  : >"$work/calls"
  local tool
  for tool in "$@" id; do
    case $tool in
      dpkg-query) printf '#!/bin/bash\ncase " %s " in *" ${!#} "*) printf installed ;; *) exit 1 ;; esac\n' "$installed" ;;
      apt-get) printf '#!/bin/bash\necho "apt-get $*" >>%q/calls\n' "$work" ;;
      broken-apt-get) printf '#!/bin/bash\necho "E: no such mirror" >&2\nexit 100\n' ;;
      sudo) printf '#!/bin/bash\n[ "$1" != -n ] || exit 0\necho sudo >>%q/calls\nexec "$@"\n' "$work" ;;
      id) printf '#!/bin/bash\necho %s\n' "$user" ;;
    esac >"$work/played/${tool#broken-}"
  done
  chmod +x "$work"/played/*
}
# run SET…: runs the script; what it prints is in $said, what it called in $called.
run() {
  said=$(PATH=$work/played:$work/tools bash "$script" "$@" 2>&1 </dev/null)
  code=$?
  called=$(cat "$work/calls")
}
expect() {
  local what=$1 holds=$2
  if [ "$holds" = true ]; then
    echo "ok     $what"
  else
    failures=$((failures + 1))
    printf 'FAILED %s\n  exit code %s, said: %s\n  called: %s\n' "$what" "$code" "$said" "$called"
  fi
}
has() { [[ $1 == *"$2"* ]] && echo true || echo false; }
is() { [ "$1" = "$2" ] && echo true || echo false; }

build_set=$(awk '$1 == "build" { print $2 }' "$1/scripts/packages.txt" | xargs)

played "$build_set" 0 dpkg-query apt-get
run build
expect "says nothing and calls nothing when nothing is missing" "$(is "$code/$said/$called" 0//)"

played "${build_set/libfmt-dev/}" 0 dpkg-query apt-get
run build
expect "installs what is missing, as root" "$(has "$called" "install -y --no-install-recommends libfmt-dev")"
expect "installs nothing else" "$(is "$(wc -l <"$work/calls")" 2)"
expect "says what it installs and why" "$(has "$said" "libfmt-dev           the command line's output")"

played "${build_set/libfmt-dev/}" 1000 dpkg-query apt-get sudo
run build
expect "installs with sudo" "$(has "$called" "sudo")"

played "${build_set/libfmt-dev/}" 1000 dpkg-query apt-get
run build
expect "without root and sudo ends with 1" "$(is "$code/$called" 1/)"
expect "and says what to run instead" "$(has "$said" "apt-get install --no-install-recommends libfmt-dev")"

played "${build_set/libfmt-dev/}" 0 dpkg-query broken-apt-get
run build
expect "ends with 1 when apt-get fails" "$(is "$code" 1)"
expect "and shows apt-get's own words" "$(has "$said" "E: no such mirror")"

played "" 0
run build
expect "elsewhere than on Debian names what the build needs" "$(has "$said" "what Debian 12 calls: g++ cmake")"
expect "and lets the build say what it lacks" "$(is "$code" 0)"

played "" 0 dpkg-query apt-get
run nonsense
expect "refuses a set that the table does not have" "$(is "$code/$called" 2/)"

played "" 0 dpkg-query apt-get
run check format
expect "names a package of two sets once" "$(is "$(grep -o clang-format-19 "$work/calls" | wc -l)" 1)"

[ "$failures" -eq 0 ]
