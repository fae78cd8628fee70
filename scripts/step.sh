# step COMMAND...: for scripts that run many checks, to be sourced. Stops at the first failure; with a file
# in $REPORT goes on, and adds a line with the check, its result and its seconds. With an expression in
# $ONLY runs those checks only that it matches.
# shellcheck shell=bash
step() {
    if [ -n "${ONLY:-}" ] && ! grep -qE -- "$ONLY" <<<"$*"; then
        return 0
    fi
    echo "== $*"
    if [ -z "${REPORT:-}" ]; then
        "$@"
        return
    fi
    local start=$SECONDS status=0 result
    "$@" || status=$?
    case $status in
    0) result=passed ;;
    # As the test runners of GNU have it: what the check needs is not to be had here.
    77) result='NOT CHECKED' ;;
    *) result=FAILED ;;
    esac
    printf '%s\t%s\t%d\n' "${*#scripts/}" "$result" $((SECONDS - start)) >>"$REPORT"
}
