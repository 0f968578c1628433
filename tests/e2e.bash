# tests/e2e.bash - what the end-to-end tests share: a broker, a simulated site and mulletd, on ports of their own, and
# waiting for conditions instead of for time. Source it with the build directory in $1; everything is stopped at exit.
build=$(cd "${1:-build}" && pwd)
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
dir=$(mktemp -d)
port=$((18931 + 10 * ${E2E_SLOT:-0}))   # tests that run beside each other: E2E_SLOT 0, 1, ...
broker_port=$port meter_port=$((port + 1)) miner_port=$((port + 2)) snmp_port=$((port + 3))
socket=$dir/control.sock
pids=()
checks_failed=0
PATH=$PATH:/usr/sbin

stop_all() {
	for pid in "${pids[@]}"; do kill "$pid" 2> /dev/null; done
	wait 2> /dev/null
	rm -rf "$dir"
}
trap stop_all EXIT

ok() { echo "ok $*"; }
not_ok() { echo "not ok $*"; checks_failed=1; }
check() { # text, command …
	local text=$1
	shift
	if "$@"; then ok "$text"; else not_ok "$text"; fi
}
finish() {
	if [ $checks_failed -ne 0 ]; then
		echo "-- mulletd.log"; tail -40 "$dir/mulletd.log"
		echo "-- sim.log"; tail -10 "$dir/sim.log"
	fi
	exit $checks_failed
}

# Until the command succeeds, at most so many seconds.
wait_for() { # seconds, command …
	local tries=$(($1 * 10))
	shift
	for ((i = 0; i < tries; i++)); do
		"$@" > /dev/null 2>&1 && return 0
		sleep 0.1
	done
	return 1
}

start_broker() {
	printf 'listener %d 127.0.0.1\nallow_anonymous true\n' "$broker_port" > "$dir/mosquitto.conf"
	mosquitto -c "$dir/mosquitto.conf" > "$dir/mosquitto.log" 2>&1 &
	pids+=($!)
	wait_for 10 mosquitto_pub -h 127.0.0.1 -p "$broker_port" -t test -m up || not_ok "the broker starts"
	mosquitto_sub -h 127.0.0.1 -p "$broker_port" -q 1 -F '%U %r %t %p' -t 'mullet/#' > "$dir/bus.log" &
	pids+=($!)
}

start_sim() { # options of mulletsim …
	local common=(--port "$meter_port" --snmp-port "$snmp_port" --miner-port "$miner_port" --mqtt "127.0.0.1:$broker_port")
	ln -sfn "$root/config/oids" "$dir/oids"        # wherever the programs are, the file finds its maps beside it
	"$build/mulletsim" "${common[@]}" "$@" --print-config > "$dir/site.yaml"
	"$build/mulletsim" "${common[@]}" "$@" --log "$dir/truth.csv" --commands "$dir/commands.csv" > "$dir/sim.log" 2>&1 &
	sim=$!
	pids+=($sim)
	wait_for 30 grep -q ready "$dir/sim.log" || not_ok "mulletsim starts"
}

start_mulletd() { # more options …
	"$build/mulletd" -c "$dir/site.yaml" --socket "$socket" "$@" >> "$dir/mulletd.log" 2>&1 &
	mulletd=$!
	pids+=($mulletd)
	wait_for 20 "$build/mulletctl" --socket "$socket" status || not_ok "mulletd answers"
}

ctl() { "$build/mulletctl" --socket "$socket" "$@"; }
status_of() { ctl --json status | jq -r ".$1"; }
status_is() { [ "$(status_of "$1")" = "$2" ]; }
publish() { mosquitto_pub -h 127.0.0.1 -p "$broker_port" -q 1 "$@"; }
at() { date -u -d "@$(($(date +%s) + $1))" +%Y-%m-%dT%H:%M:%SZ; }      # so many seconds from now
order() { # id, kind, "field":value, end in seconds
	publish -t mullet/sim/order/qse -m "{\"id\":\"$1\",\"kind\":\"$2\",$3,\"issued\":\"$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)\",\"end\":\"$(at "$4")\"}"
}
messages() { # topic below mullet/sim/: payloads, oldest first
	awk -v topic="mullet/sim/$1" '$3 == topic { sub(/^[^ ]+ [^ ]+ [^ ]+ /, ""); print }' "$dir/bus.log"
}
last_message() { messages "$1" | tail -1; }
message_has() { # topic, jq condition: any message so far
	messages "$1" | jq -e -s "map(select($2)) | length > 0" > /dev/null
}
