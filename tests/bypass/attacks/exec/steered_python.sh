#!/bin/sh
# A Python program that is in scope is steered by PYTHONPATH to import the attacker's module.
#
# seen: nothing
# enforce: missed
. "${0%/*}/given.sh"

honest() {
  echo 'import colorsys' >"$WORK/honest.py"
  PYTHONPATH=$1 /usr/bin/python3 "$WORK/honest.py"
}
benign() {
  echo 'import colorsys' >"$WORK/honest.py"
  honest ""
  echo : >"$WORK/colorsys.txt"
  mv "$WORK/colorsys.txt" "$WORK/colorsys.old"
}
attack() {
  echo 'print("WON")' >"$WORK/colorsys.txt"
  mv "$WORK/colorsys.txt" "$WORK/colorsys.py"
  honest "$WORK"
}
run "$@"
