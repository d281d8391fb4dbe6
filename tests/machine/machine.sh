# Makes a machine of this one, in namespaces of its own, and becomes its first process: with this machine's programs,
# but without Docker; with an own network, own users, and sshd. What is written there is in memory, and gone with it.
#
# machine.sh ROOT DATA PACKAGES ADDRESS GATEWAY CGROUP MIRROR KEY MANAGER: KEY is the operator's; MANAGER is systemd, or not.
set -euo pipefail
root=$1 data=$2 packages=$3 address=$4 gateway=$5 cgroup=$6 mirror=$7 key=$8 manager=$9
groups=/sys/fs/cgroup
export DEBIAN_FRONTEND=noninteractive PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

##### its control groups: all that it has lies in one of this machine's #####
has_one_tree() { [[ -e $groups/cgroup.controllers ]]; }
trees() { if has_one_tree; then echo "$groups"; else find "$groups" -mindepth 1 -maxdepth 1 -type d; fi; }
if [[ ! ${IN_OWN_GROUPS-} ]]; then
    for tree in $(trees); do
        own=$tree/$cgroup
        mkdir "$own" 2>/dev/null || continue
        # Without these nothing may run in it.
        for resource in cpuset.cpus cpuset.mems; do
            if [[ ! -e $tree/cgroup.controllers && -e $tree/$resource ]]; then cat "$tree/$resource" >"$own/$resource"; fi
        done
        echo $$ >"$own/cgroup.procs"
    done
    export IN_OWN_GROUPS=yes
    exec unshare --cgroup bash "$0" "$@"
fi

##### its disks #####
mount --make-rprivate /
mount -t tmpfs -o mode=755 machine "$root"
for folder in usr etc var; do
    mkdir -p "$root/$folder" "$root/.written/$folder" "$root/.work/$folder"
    mount -t overlay -o "lowerdir=/$folder,upperdir=$root/.written/$folder,workdir=$root/.work/$folder" \
        overlay "$root/$folder"
done
for link in bin sbin lib lib32 lib64 libx32; do
    [[ ! -L /$link ]] || cp -a "/$link" "$root/$link"
done
mkdir -p "$root"/{proc,sys,dev,run,tmp,root,home,old,packages} "$root/var/lib/docker"
chmod 1777 "$root/tmp"
chmod 700 "$root/root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
if has_one_tree; then
    mount -t cgroup2 cgroup2 "$root$groups"
    # Groups with processes cannot hand on what they have.
    mkdir "$root$groups/first"
    xargs -rn1 <"$root$groups/cgroup.procs" >"$root$groups/first/cgroup.procs" || true
    sed 's/^/+/; s/ / +/g' "$root$groups/cgroup.controllers" >"$root$groups/cgroup.subtree_control"
else
    mount -t tmpfs -o mode=755 groups "$root$groups"
    for tree in $(trees); do
        [[ -e $tree/$cgroup ]] || continue
        mkdir "$root$groups/${tree##*/}"
        case ${tree##*/} in
            unified) mount -t cgroup2 cgroup2 "$root$groups/unified" ;;
            systemd) mount -t cgroup -o none,name=systemd cgroup "$root$groups/systemd" ;;
            *) mount -t cgroup -o "${tree##*/}" cgroup "$root$groups/${tree##*/}" ;;
        esac
    done
fi
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=755 run "$root/run"
mount --bind "$packages" "$root/packages"
# Docker's own file system cannot lie on this one.
mount --bind "$data" "$root/var/lib/docker"
cd "$root"
pivot_root . old
umount -l /old
hostname machine
echo machine >/etc/hostname
echo '127.0.0.1 localhost machine' >/etc/hosts

##### what it has, and what it lacks #####
installed=()
for program in dockerd docker containerd runc docker-proxy; do
    if path=$(command -v $program) && owner=$(dpkg -S "$(readlink -f "$path")" 2>/dev/null); then
        installed+=("${owner%%:*}")
    fi
done
if ((${#installed[@]})); then
    mapfile -t installed < <(printf '%s\n' "${installed[@]}" | sort -u)
    dpkg --purge --force-all "${installed[@]}" >/dev/null 2>&1 || true
fi
rm -rf /etc/docker /etc/apt/sources.list /etc/apt/sources.list.d/* /usr/local/bin/mypaas /var/lib/apt/lists/*
echo 'deb [trusted=yes] file:/packages ./' >/etc/apt/sources.list
echo 'force-unsafe-io' >/etc/dpkg/dpkg.cfg.d/quick
mkdir -p /etc/docker
printf '{"registry-mirrors": ["%s"], "insecure-registries": ["%s"]}\n' "$mirror" "${mirror#*//}" \
    >/etc/docker/daemon.json
echo 'root ALL=(ALL) ALL
grace ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers

##### its users: ada may not become root, grace may #####
for user in ada grace; do
    useradd --create-home --shell /bin/sh --password '*' $user
done
for home in /root /home/ada /home/grace; do
    mkdir -p -m 700 "$home/.ssh"
    echo "$key" >"$home/.ssh/authorized_keys"
    chmod 600 "$home/.ssh/authorized_keys"
    chown -R --reference "$home" "$home/.ssh"
done
rm -f /etc/ssh/sshd_config.d/*
printf '%s\n' 'PermitRootLogin prohibit-password' 'PasswordAuthentication no' 'UsePAM no' 'UseDNS no' \
    'MaxSessions 20' >/etc/ssh/sshd_config
[[ -e /etc/ssh/ssh_host_ed25519_key ]] || ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
mkdir -p /run/sshd

##### its network #####
ip link set lo up
echo born >&2
until ip link show eth0 >/dev/null 2>&1; do sleep 0.05; done
ip address add "$address/30" dev eth0
ip link set eth0 up
ip route add default via "$gateway"

if [[ $manager == systemd ]]; then
    printf '[Unit]\nDescription=sshd\n[Service]\nExecStart=/usr/sbin/sshd -D\nRuntimeDirectory=sshd\n' \
        >/etc/systemd/system/machine-sshd.service
    printf '[Unit]\nRequires=basic.target machine-sshd.service\nAfter=basic.target\nAllowIsolate=yes\n' \
        >/etc/systemd/system/machine.target
    for unit in sysctl udevd udev-trigger modules-load binfmt tmpfiles-setup-dev timesyncd networkd resolved; do
        ln -sf /dev/null "/etc/systemd/system/systemd-$unit.service"
    done
    export container=machine
    exec /lib/systemd/systemd --unit=machine.target --log-target=null
fi
/usr/sbin/sshd
echo ready >&2
# As the first process it is the parent of those that have lost theirs.
while :; do
    sleep 3600 &
    wait $! || true
done
