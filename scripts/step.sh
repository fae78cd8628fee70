# step COMMAND...: for scripts that run many checks, to be sourced. Stops at the first failure; with a file
# in $REPORT goes on, and adds a line with the check, its result and its seconds. With an expression in
# $ONLY runs those checks only that it matches.
# A check that ends with 77, as in the test runners of GNU, says that what it needs is not to be had here:
# that is printed, and the others go on.
# shellcheck shell=bash
step() {
    if [ -n "${ONLY:-}" ] && ! grep -qE -- "$ONLY" <<<"$*"; then
        return 0
    fi
    echo "== $*"
    local start=$SECONDS status=0 result
    if [ -z "${REPORT:-}" ]; then
        "$@" || status=$?
        if [ "$status" = 77 ]; then
            echo "NOT CHECKED: $*" >&2
            return
        fi
        return "$status"
    fi
    "$@" || status=$?
    case $status in
    0) result=passed ;;
    77) result='NOT CHECKED' ;;
    *) result=FAILED ;;
    esac
    printf '%s\t%s\t%d\n' "${*#scripts/}" "$result" $((SECONDS - start)) >>"$REPORT"
}
