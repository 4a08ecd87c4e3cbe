# What every attack in shell begins with: attack.h says what is given, and what `benign` means. It calls `attack`, and
# `benign` where there is one; both are functions.
in_scope() {
  "$ALLOWED"
  cat "$ALLOWED_SECRET" >/dev/null
}

run() {
  if [ "$1" = benign ]; then
    in_scope
    ! command -v benign >/dev/null || benign
  else
    echo BEGUN
    attack
  fi
  exit 0
}
