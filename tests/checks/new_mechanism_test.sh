#!/bin/bash
# new_mechanism_test.sh SOURCE LIBRARIES -- COMPILER FLAGS…: makes a mechanism in a copy of the tree; no check may have
# anything to say about it, and its test, its example and its benchmark must compile without warnings and run.
set -euo pipefail
source=$1
libraries=$2
shift 3
compiler=("$@")
name=sample_of_a_mechanism
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar -C "$source" --exclude=./build --exclude='./build-*' --exclude=./.git -cf - . | tar -C "$work" -xf -
cd "$work"

fail() {
  echo "FAILED: $*" >&2
  exit 1
}
scripts/new-mechanism "$name"
[ "$(find "src/tenon/ipc/$name" -type f | wc -l)" -eq 6 ] || fail "the folder does not have six files"
if scripts/new-mechanism "$name" 2>/dev/null; then fail "made a folder that was there already"; fi
if scripts/new-mechanism BadName 2>/dev/null; then fail "took a name that is not in snake_case"; fi

for check in floors folders orders names selfcontained faults format; do
  if [ "$check" = format ] && ! command -v clang-format-19 >/dev/null; then
    echo "the format was not looked at: clang-format-19 is not installed"
    continue
  fi
  # The rest of the tree is not what is tested here.
  said=$(python3 -B "scripts/check/$check.py" | grep "$name" || true)
  [ -z "$said" ] || fail "./dev check $check: $said"
done

folder=src/tenon/ipc/$name
if command -v clang-tidy-19 >/dev/null; then
  clang-tidy-19 --quiet "$folder/$name.cpp" "$folder/${name}_example.cpp" -- -std=c++23 -Isrc
else
  echo "the static analysis was not run: clang-tidy-19 is not installed"
fi
flags=(-std=c++23 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast -Werror -Isrc -Itests)
"${compiler[@]}" "${flags[@]}" "$folder/$name.cpp" "$folder/${name}_test.cpp" $libraries -lgmock_main -lgmock -lgtest \
  -pthread -o run_test
"${compiler[@]}" "${flags[@]}" "$folder/$name.cpp" "$folder/${name}_example.cpp" $libraries -o run_example
"${compiler[@]}" "${flags[@]}" "$folder/$name.cpp" "$folder/${name}_bench.cpp" $libraries -lbenchmark -pthread -o run_bench
./run_test
[ "$(./run_example)" = "Closed without an error" ] || fail "the example printed something else"
./run_bench --benchmark_min_time=0.001
