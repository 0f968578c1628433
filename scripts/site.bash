# scripts/site.bash - what demo and bench share: a broker, a simulated site and mulletd on free ports of loopback, below
# $dir, the programs from $build. Source it; whatever it started is stopped at exit, also on Ctrl-C.
pids=()
PATH=$PATH:/usr/sbin
socket=$dir/control.sock
logs=(--log "$dir/truth.csv" --commands "$dir/commands.csv")

stop() { # pid: asked to stop, and waited for
	kill "$1" 2> /dev/null
	wait "$1" 2> /dev/null
}

stop_all() {
	trap '' INT TERM
	for ((i = ${#pids[@]} - 1; i >= 0; i--)); do stop "${pids[i]}"; done
	pids=()
}
trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() { # what, log
	echo "${0##*/}: $1; its log is $2:" >&2
	tail -5 "$2" >&2
	exit 1
}

wait_for() { # seconds, pid, command …: until it succeeds; not if the process has ended
	local tries=$(($1 * 20)) pid=$2
	shift 2
	while [ $((tries--)) -gt 0 ] && kill -0 "$pid" 2> /dev/null; do
		"$@" > /dev/null 2>&1 && return 0
		sleep 0.05
	done
	return 1
}

free_port() { # where nobody listens now; prints it
	local port
	for port in $(shuf -i 20000-29999 -n 20); do
		(: < "/dev/tcp/127.0.0.1/$port") 2> /dev/null || { echo "$port"; return; }
	done
}

utc() { date -u -d "@$1" +%Y-%m-%dT%H:%M:%S.%3NZ; } # seconds since 1970

start_quiet_broker() { # with nobody listening yet
	broker_port=$(free_port)
	printf 'listener %d 127.0.0.1\nallow_anonymous true\npersistence false\n' "$broker_port" > "$dir/mosquitto.conf"
	mosquitto -c "$dir/mosquitto.conf" > "$dir/mosquitto.log" 2>&1 &
	pids+=($!)
	wait_for 10 $! mosquitto_pub -h 127.0.0.1 -p "$broker_port" -t "${0##*/}" -m up ||
		fail "mosquitto did not start" "$dir/mosquitto.log"
}

start_broker() {
	start_quiet_broker
	mosquitto_sub -h 127.0.0.1 -p "$broker_port" -q 1 -t 'mullet/#' -F '%U %t %p' > "$dir/bus.log" 2> "$dir/mosquitto_sub.log" &
	pids+=($!)
}

start_sim() { # options of mulletsim …; leaves them all in $site, and when the site's time began in $begin
	site=("$@" --port "$(free_port)" --miner-port "$(free_port)" --mqtt "127.0.0.1:$broker_port")
	ln -sfn "$PWD/config/oids" "$dir/oids"         # wherever the programs are, the file finds its maps beside it
	"$build/mulletsim" "${site[@]}" --print-config > "$dir/site.yaml" || exit 1
	"$build/mulletsim" "${site[@]}" "${logs[@]}" > "$dir/mulletsim.log" 2>&1 &
	pids+=($!)
	wait_for 20 $! grep -q ready "$dir/mulletsim.log" || fail "mulletsim did not start" "$dir/mulletsim.log"
	begin=$(date +%s.%N)
}

start_mulletd() {
	"$build/mulletd" -c "$dir/site.yaml" --socket "$socket" > "$dir/mulletd.log" 2>&1 &
	mulletd=$!
	pids+=($mulletd)
	wait_for 10 $mulletd "$build/mulletctl" --socket "$socket" status || fail "mulletd did not start" "$dir/mulletd.log"
}

# Waits until so many seconds of the site's time. Not by sleep: a process of its own could be left behind.
exec {never}<> <(:)
at() { read -rt "$(awk -v at="$1" -v begin="$begin" -v now="$(date +%s.%N)" 'BEGIN { d = begin + at - now; print (d > 0.01 ? d : 0.01) }')" -u "$never"; }

report() { # more options …: how the run went; the exit code tells whether each command was decided on
	"$build/mulletsim" "${site[@]}" --report "${logs[@]}" --bus "$dir/bus.log" "$@"
}

require() { # programs …
	for program; do
		command -v "$program" > /dev/null || { echo "${0##*/}: $program is not installed" >&2; exit 1; }
	done
}
