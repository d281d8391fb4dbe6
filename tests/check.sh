# shellcheck shell=bash
# A part of ./dev: what is checked before a change lands.

cmd_test() { # everything that is checked before a change lands; fails when a test fails, or was skipped
    local log=$STATE/test.log before status=0
    export LC_ALL=C
    setup test
    build_app
    remove_old_instances
    before=$(test_objects)
    cargo fmt --all --check
    rustfmt --edition 2024 --check "${LONE[@]}"
    cargo clippy --workspace --all-targets --locked -- -D warnings
    cargo test --workspace --locked --no-fail-fast 2>&1 | tee "$log" || status=1
    count_tests "$log" || status=1
    tests_left_nothing "$before" || status=1
    say "$SECONDS s in all"
    ((status == 0)) || die "the tests failed"
}

# count_tests LOG: how many of each kind; fails when one was skipped, or none ran.
count_tests() {
    awk '
        /^ *Running unittests / || /^ *Doc-tests / { kind = "unit" }
        /^ *Running .*tests\// && !/unittests/ { kind = /e2e/ ? "end-to-end" : "integration" }
        /^test result: / { passed[kind] += $4; failed += $6; ignored += $8; all += $4 + $6 }
        END {
            printf "\n%d unit, %d integration and %d end-to-end tests passed; %d failed, %d skipped\n",
                passed["unit"], passed["integration"], passed["end-to-end"], failed, ignored
            exit !(all > 0 && failed == 0 && ignored == 0)
        }' "$1"
}

# What instances of tests (t-…) have in the engine: a line each, as in `t-1a2b container t-1a2b_web.r1.1`.
test_objects() {
    {
        docker ps -a --filter label=mypaas.role --format '{{.Label "mypaas.instance"}} container {{.Names}}'
        docker network ls --filter label=mypaas.instance --format '{{.Label "mypaas.instance"}} network {{.Name}}'
        docker images -q --filter label=mypaas.instance | sort -u |
            xargs -r docker image inspect -f '{{index .Config.Labels "mypaas.instance"}} image {{.Id}}'
    } | sed -n '/^t-/p' | sort -u
}

# Of tests that were killed; what is younger than an hour may belong to a run that still goes on.
remove_old_instances() {
    local instance newest
    while read -r instance; do
        newest=$(test_objects | sed -n "s/^$instance [a-z]* //p" | xargs docker inspect -f '{{.Created}}' |
            sort | tail -n 1) || continue
        (($(date +%s) - $(date -d "$newest" +%s) < 3600)) || remove_objects "$instance"
    done < <(test_objects | cut -d ' ' -f 1 | uniq)
}

# tests_left_nothing BEFORE
tests_left_nothing() {
    local left
    left=$(comm -13 <(echo "$1") <(test_objects))
    [[ ! $left ]] || { say "the tests left something behind:" "$left"; return 1; }
}
