#!/usr/bin/env bash
# The forms of bash that launch scripts use; train.py gets one word for each of them.
set -euo pipefail

SCRIPT_DIR="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" &>/dev/null && pwd)"
NAME=$(basename "$0" .sh)
source "${SCRIPT_DIR}/../shell/sourced.sh"

TP_SIZE="${TP_SIZE:-2}"
CONTEXT=${CONTEXT:-96000}
: "${ASSIGNED:=by default}"
EMPTY=
OUTER="${UNSET_ONE:-${UNSET_TWO:-inner}}"
STAMPED='single $quoted `text`'"joined"
CONTINUED=one\
two
FIRST=value; FIRST+=-longer
PATHNAME=/data/models/GLM.tar.gz
export HALF=$((CONTEXT / TP_SIZE / 2)) OTHER=exported

ARGS=(
   --alternative ${EMPTY:+never} ${TP_SIZE:+always}
   # a comment between words --not-read
   --trimmed ${PATHNAME##*/} ${PATHNAME%.gz} ${PATHNAME%%.*} ${PATHNAME#/data/}
   #--not-read-either
   --sum $((2 + 3 * (4 - 1) ** 2 % 7)) $(( -TP_SIZE + 10 )) # after a word
)

ARGS+=("two words" 'and "three" words' $'tab\there' "" a"b"c#d)
SPLIT="x y  z"
LIST=($SPLIT "$SPLIT" "${SPLIT}w")
MORE=("${LIST[@]}" ${LIST[0]} ${#LIST[@]} ${#SPLIT} "${LIST[*]}")

if [ -z "${UNSET_ONE:-}" ]; then
   CHOSEN=then
elif [ "$TP_SIZE" -gt 1 ]; then
   CHOSEN=elif
else
   CHOSEN=else
fi
if [[ "$TP_SIZE" == 2 && -n "$OUTER" ]]; then PAIR=both; fi
[ "$TP_SIZE" -eq 2 ] && SHORT=yes || SHORT=no
if (( TP_SIZE > 1 && CONTEXT >= 96000 )); then BIG=1; fi
if ! [ "$CHOSEN" = else ]; then NOT=1; fi

case "$OUTER" in
   out*) PICKED=wrong ;;
   inner | middle)
      PICKED=right
      ;;
   *) PICKED=default ;;
esac

named() {
   local what=$1
   MADE+=("--$what" "$2" "$#")
}
MADE=()
named first 1
named second "2 3"

read -r -d '' IGNORED <<'EOF' || true
$(touch never) `touch never`
EOF
DOCUMENT=$(cat <<EOF
{"tp": "${TP_SIZE}",
 "sum": $((1 + 1))}
EOF
)

launch() {
   python3 train.py \
      --name "$NAME" "$(basename $(dirname ${PATHNAME}))" \
      --defaults $TP_SIZE $CONTEXT "$ASSIGNED" "$OUTER" "$EMPTY" $EMPTY \
      --texts "$STAMPED" $CONTINUED $FIRST $HALF $OTHER \
      "${ARGS[@]}" \
      --more "${MORE[@]}" \
      --chosen $CHOSEN $PAIR $SHORT $BIG $NOT $PICKED \
      "${MADE[@]}" \
      --document "$DOCUMENT" \
      --sequence $(seq 1 3) $(seq 16 8 40) \
      --sourced "$FROM_SOURCED" "${SOURCED_ARGS[@]}" \
      --globs [0]*$TP_SIZE+[1]*46 \
      --last "$@" 2>&1 | tee "log.txt" >/dev/null
}
launch given words
