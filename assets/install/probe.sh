# What a machine is like: KEY=VALUE, one a line. For any POSIX shell; it changes nothing.
PATH=$PATH:/usr/local/bin:/usr/local/sbin:/usr/sbin:/sbin

say() { printf '%s=%s\n' "$1" "$2"; }
first_line() { "$@" 2>/dev/null | { read -r line && printf '%s' "$line"; }; }

say kernel "$(uname -s)"
say architecture "$(uname -m)"
[ ! -r /etc/os-release ] || say os "$(. /etc/os-release && printf '%s' "$PRETTY_NAME")"
say user "$(id -un)"
say home "$HOME"

if [ "$(id -u)" = 0 ]; then say privilege root
elif ! command -v sudo >/dev/null; then say privilege no_sudo
elif sudo -n true 2>/dev/null; then say privilege sudo
else say privilege password
fi

[ ! -d /run/systemd/system ] || say manager systemd
! command -v apt-get >/dev/null || say packages apt
! command -v dockerd >/dev/null || say docker "$(first_line dockerd --version)"

if [ -e /sys/fs/cgroup/cgroup.controllers ]; then say cgroups 2
elif [ -d /sys/fs/cgroup/memory ]; then say cgroups 1
fi

# The third and fourth word are the own address and the state, in hexadecimal; 0A is "listens".
for table in /proc/net/tcp /proc/net/tcp6; do
    [ -r "$table" ] || continue
    while read -r _ own _ state _; do
        [ "$state" != 0A ] || say listens "$(printf '%d' "0x${own##*:}")"
    done <"$table"
done

while read -r key value _; do
    case $key in
        MemTotal:) say memory_kib "$value" ;;
        MemAvailable:) say memory_available_kib "$value" ;;
    esac
done </proc/meminfo

# Where images and containers will lie.
folder=/var/lib/docker
[ -d "$folder" ] || folder=/var/lib
df -Pk "$folder" 2>/dev/null | { read -r _; read -r _ _ _ free _ && say disk_free_kib "$free"; }

! command -v /usr/local/bin/mypaas >/dev/null || {
    say program "$(first_line /usr/local/bin/mypaas --version)"
    say program_sha256 "$(sha256sum /usr/local/bin/mypaas | { read -r sum _; printf '%s' "$sum"; })"
}
[ ! -e "${MYPAAS_HOME:-$HOME/_mypaas}/config.toml" ] || say settled yes
! grep -qs '"ended":null' "${MYPAAS_HOME:-$HOME/_mypaas}/upgrade.json" || say upgrade open
say end yes
