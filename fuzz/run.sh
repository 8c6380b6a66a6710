#!/bin/sh
# Runs the fuzz targets for some seconds, all of them or those named, side by side.
#
#   ./run.sh SECONDS [TARGET ...]
#
# Begins with corpus/ and every vector. New inputs go to a folder below the build's own, so that
# the seeds in corpus/ stay as they are; what breaks a target goes to artifacts/. Ends with one line
# for each target, and with 1 if any of them broke. SANITIZER=none builds without the address
# sanitizer.
set -eu

seconds=${1:?how many seconds}
shift
cd "$(dirname "$0")"
CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
# The flags of instrumentation are unstable; this lets a stable compiler take them.
RUSTC_BOOTSTRAP=1
export CARGO_TARGET_DIR RUSTC_BOOTSTRAP

cargo fuzz build -s "${SANITIZER:-address}"

binaries=$CARGO_TARGET_DIR/$(rustc -vV | sed -n 's/^host: //p')/release
grown=$CARGO_TARGET_DIR/corpus
targets=${*:-$(cargo fuzz list)}
./seed.py "$grown/vectors"

for target in $targets; do
    mkdir -p "$grown/$target" "artifacts/$target"
    # Any bytes can be put to any target, so each begins with the seeds of all, and every vector.
    nice -n 19 "$binaries/$target" "$grown/$target" corpus/* "$grown/vectors" \
        -max_total_time="$seconds" -rss_limit_mb=2048 -max_len=4096 -timeout=60 \
        -dict=dict.txt -artifact_prefix="artifacts/$target/" -print_final_stats=1 \
        >"$grown/$target.log" 2>&1 &
    eval "pid_$target=$!"
done

broken=0
for target in $targets; do
    log=$grown/$target.log
    status=0
    eval "wait \$pid_$target" || status=$?
    crashes=$(grep -c '^SUMMARY: ' "$log" || true)
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    files=$(find "$grown/$target" -type f | wc -l)
    echo "$target: ${executions:-0} executions, $((files)) inputs in the corpus, $crashes crashes"
    if [ "$status" -ne 0 ]; then
        broken=1
        grep -E 'panicked at|^SUMMARY: |Test unit written to ' "$log" | sed 's/^/    /' || tail -n 5 "$log"
    fi
done
exit $broken
