# shellcheck shell=bash
# A part of ./dev: the product in hand, on this machine. DEMO_HOME/server is the server's folder, DEMO_HOME/examples
# holds the copies of the examples that are pushed.

readonly DEMO=mypaas-demo
DEMO_HOME=$(realpath -m "${DEMO_HOME:-$HOME/.local/share/mypaas-demo}")
readonly DEMO_HOME

cmd_demo() { # [--down|--fleet 20x50]: a server, a router and three services of its own, then the console; --down removes all
    case ${1-} in
        '') demo_up ;;
        --down) demo_down ;;
        --fleet) demo_fleet "${@:2}" ;;
        *) die "usage: ./dev demo [--down|--fleet SERVERSxCONTAINERS]" ;;
    esac
}

# The console on simulated servers: no engine, nothing to remove afterwards.
demo_fleet() {
    build_release
    "$MYPAAS" demo --fleet "${1-20x50}"
}

demo_up() {
    demo_claim_home
    setup demo
    build_release
    demo_configure
    server_start "$DEMO_HOME"
    demo_push
    demo_show
}

# A folder that is not the demo's is neither used nor, later, removed.
demo_claim_home() {
    if [[ ! -e $DEMO_HOME/.mypaas-demo && -e $DEMO_HOME && $(ls -A "$DEMO_HOME") ]]; then
        die "$DEMO_HOME is not empty and not a demo's; set DEMO_HOME to another folder"
    fi
    mkdir -p "$DEMO_HOME/server"
    chmod 700 "$DEMO_HOME"
    touch "$DEMO_HOME/.mypaas-demo"
}

# Ports and subnet are chosen once and then kept.
demo_configure() {
    local config=$DEMO_HOME/server/config.toml
    [[ ! -e $config ]] || return 0
    cat >"$config.new" <<END
[server]
instance = "$DEMO"
[network]
subnet = "$(free_subnet)"
[router]
image = "$TRAEFIK"
bind = "127.0.0.1"
http_port = $(free_port 18080)
https_port = $(free_port 18443)
[deploy]
ready_deadline = "60s"
drain = "10s"
settle = "3s"
[env]
END
    mv "$config.new" "$config"
}

# free_port FROM
free_port() {
    local port=$1
    while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
    echo "$port"
}

demo_push() {
    build_app
    local name folder
    for name in hello web broken; do
        folder=$DEMO_HOME/examples/$name
        # What the operator changed in the copies stays.
        [[ -e $folder ]] || { mkdir -p "$DEMO_HOME/examples" && cp -r "assets/examples/$name" "$folder"; }
        cmd_app "$folder"
        say "" "\$ mypaas push local $folder"
        if at "$DEMO_HOME" push local "$folder"; then
            [[ $name != broken ]] || die "the broken example was deployed, though it is broken"
        else
            [[ $name == broken ]] || die "$name could not be pushed"
            say "(this one breaks on purpose)"
        fi
    done
}

demo_show() {
    if [[ -t 0 && -t 1 ]]; then
        at "$DEMO_HOME"
    else
        at "$DEMO_HOME" status local
        demo_answers
    fi
    say "" "The demo runs on. To use it: MYPAAS_HOME=$DEMO_HOME/server $MYPAAS" "To remove it: ./dev demo --down"
}

# One request through Traefik for each service.
demo_answers() {
    local name port answer
    port=$(sed -n 's/^http_port = //p' "$DEMO_HOME/server/config.toml")
    for name in hello web broken; do
        answer=$(curl -sS --max-time 15 -w ' [%{http_code}]' -H "Host: $name.localhost" "http://127.0.0.1:$port/") || true
        answer=${answer//$'\n'/}
        echo "http://$name.localhost:$port/ → $answer"
        [[ $name == broken || $answer == *'[200]' ]] || die "$name does not answer"
    done
}

demo_down() {
    mkdir -p "$STATE"
    if [[ ! -e $DEMO_HOME/.mypaas-demo ]]; then
        say "there is no demo in $DEMO_HOME"
    else
        server_is_gone "$DEMO_HOME" || { server_stop "$DEMO_HOME" && say "stopped the server"; }
        # After a reboot the engine may be down, with the demo's containers in it.
        ! command -v dockerd >/dev/null || ensure_engine demo
    fi
    if engine_answers; then
        remove_objects "$DEMO"
        demo_remove_image
    fi
    demo_stop_engine
    if [[ -e $DEMO_HOME/.mypaas-demo ]]; then
        rm -rf "$DEMO_HOME"
        say "removed $DEMO_HOME"
    fi
}

# Traefik's image, when the demo brought it and nobody else uses it.
demo_remove_image() {
    [[ -e $STATE/traefik.demo ]] || return 0
    echo "$TRAEFIK" | remove image docker rmi
    rm "$STATE/traefik.demo"
}

# The engine, when the demo started it and nobody else's container runs in it.
demo_stop_engine() {
    local pid
    pid=$(dockerd_pid "$STATE/dockerd.demo.pid") || return 0
    if [[ $(docker ps -q) ]]; then
        say "the Docker engine stays: containers run in it that are not the demo's"
        return
    fi
    kill -TERM "$pid"
    wait_until 30 is_gone "$pid" || die "the Docker engine does not stop (process $pid)"
    rm "$STATE/dockerd.demo.pid"
    say "stopped the Docker engine; its package stays installed"
}
