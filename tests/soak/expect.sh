# Sourced by the tests of the soaks' controls, which set `soak` to the program.
failures=0

# expect WHAT WORDS ARGUMENTS…: exit code 1, and a line that has the words.
expect() {
  local what=$1 words=$2 code=0 said
  shift 2
  said=$("$soak" --minutes 0.5 "$@") || code=$?
  if [ "$code" = 1 ] && grep -q "$words" <<<"$said"; then
    echo "ok     $what"
  else
    failures=$((failures + 1))
    printf 'FAILED %s: exit code %s, without "%s":\n%s\n' "$what" "$code" "$words" "$said"
  fi
}
