# shellcheck shell=bash
# A part of ./dev: what is checked before a change lands.

cmd_test() { # everything that is checked before a change lands; fails when a test fails, or was skipped
    local log=$STATE/test.log before status=0
    export LC_ALL=C
    expect_own_engine
    setup test
    build_app
    remove_old_instances
    before=$(test_objects)
    cargo fmt --all --check
    rustfmt --edition 2024 --check "${LONE[@]}"
    cargo clippy --workspace --all-targets --locked -- -D warnings
    cargo test --workspace --locked --no-fail-fast --color never 2>&1 | tee "$log" || status=1
    count_tests "$log" || status=1
    tests_left_nothing "$before" || status=1
    say "$SECONDS s in all"
    ((status == 0)) || die "the tests failed"
}

# Servers of tests, and the machines and networks beside them, are of this machine's own engine.
expect_own_engine() {
    [[ ! ${DOCKER_HOST-} || $DOCKER_HOST == unix:///var/run/docker.sock ]] ||
        die "tests run on this machine's own Docker, but DOCKER_HOST is $DOCKER_HOST: unset it and start them again"
}

# count_tests LOG: how many of each kind; fails when one was skipped, or none of a kind ran.
count_tests() {
    awk '
        /^ *Running unittests / || /^ *Doc-tests / { kind = "unit" }
        /^ *Running .*tests\// && !/unittests/ { kind = /e2e/ ? "end-to-end" : "integration" }
        /^test result: / { passed[kind] += $4; failed += $6; ignored += $8 }
        END {
            printf "\n%d unit, %d integration and %d end-to-end tests passed; %d failed, %d skipped\n",
                passed["unit"], passed["integration"], passed["end-to-end"], failed, ignored
            all_kinds = passed["unit"] && passed["integration"] && passed["end-to-end"]
            exit !(all_kinds && failed == 0 && ignored == 0)
        }' "$1"
}

# What tests have made and not removed: a line each.
test_objects() {
    { engine_objects && machine_objects; } | sort -u
}

# What instances of tests (t-…) have in the engine: a line each, as in `t-1a2b container t-1a2b_web.r1.1`.
engine_objects() {
    {
        docker ps -a --filter label=mypaas.role --format '{{.Label "mypaas.instance"}} container {{.Names}}'
        docker network ls --filter label=mypaas.instance --format '{{.Label "mypaas.instance"}} network {{.Name}}'
        docker images -q --filter label=mypaas.instance | sort -u |
            xargs -r docker image inspect -f '{{index .Config.Labels "mypaas.instance"}} image {{.Id}}'
    } | sed -n '/^t-/p' | sort -u
}

# What machines of tests (t-…) have on this one: cables and control groups, as in `t-1a2b link t-1a2b`.
machine_objects() {
    local group
    ip -o link | sed -n 's/^[0-9]*: \(t-[0-9a-f]*\).*/\1 link \1/p'
    for group in /sys/fs/cgroup/{,*/}t-*; do
        [[ ! -d $group ]] || echo "${group##*/} cgroup $group"
    done
}

# Of tests that were killed; what is younger than an hour may belong to a run that still goes on.
remove_old_instances() {
    local instance newest
    while read -r instance; do
        newest=$(engine_objects | sed -n "s/^$instance [a-z]* //p" | newest_of) && [[ $newest ]] || continue
        (($(date +%s) - newest < 3600)) || remove_objects "$instance"
    done < <(engine_objects | cut -d ' ' -f 1 | uniq)
}

# When the newest was made of these things in the engine, in seconds. As JSON all kinds of them have their times alike.
newest_of() {
    xargs docker inspect -f '{{json .Created}}' | sed -n 's/^"\(.\{1,\}\)"$/\1/p' | date -f - +%s | sort -n | tail -n 1
}

# tests_left_nothing BEFORE
tests_left_nothing() {
    local left
    left=$(comm -13 <(echo "$1") <(test_objects))
    [[ ! $left ]] || { say "the tests left something behind:" "$left"; return 1; }
}
