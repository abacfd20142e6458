#!/bin/sh
# Verifies a GPU machine in about half an hour; with one GPU it skips what needs two and says so.
#   deploy/gpu/verify.sh [--only CHECK,CHECK] [--json] [--engine-python PYTHON] [--worker-python PYTHON] [--engine-args "..."] [--steps N] [--keep]
# Checks: sluice doctor, the worker's own tests, its weights in SGLang over CUDA IPC and NCCL, sluice conformance against
# SGLang, a run that SGLang samples and the CPU worker trains, a run on GPUs alone. A table with seconds and figures; exit code 1 if a check failed, 2 for a wrong command line.
set -eu
usage() { sed -n '3p' "$0" | sed 's/^# *//' >&2; exit 2; }

json=false keep=false steps=20 only=
checks="doctor worker weights-tensor weights-nccl conformance cpu-run gpu-run"
engine_python=${SLUICE_ENGINE_PYTHON:-python3} worker_python=${SLUICE_WORKER_PYTHON:-python3}
engine_args="--mem-fraction-static 0.5"
while [ $# -gt 0 ]; do
  case $1 in
    --json) json=true ;;
    --keep) keep=true ;;
    --only | --engine-python | --worker-python | --engine-args | --steps)
      [ $# -gt 1 ] || usage
      case $1 in
        --only) only=$(printf %s "$2" | tr , ' ') ;;
        --engine-python) engine_python=$2 ;;
        --worker-python) worker_python=$2 ;;
        --engine-args) engine_args=$2 ;;
        --steps) steps=$2 ;;
      esac
      shift
      ;;
    *) usage ;;
  esac
  shift
done
case $steps in '' | *[!0-9]* | 0) echo "verify: --steps is $steps; give a number from 1" >&2; exit 2 ;; esac
for name in $only; do
  case " $checks " in *" $name "*) ;; *) echo "verify: --only names $name; there are: $checks" >&2; exit 2 ;; esac
done

here=$(cd "$(dirname "$0")" && pwd -P)
root=$(cd "$here/../.." && pwd -P)
work=$(mktemp -d "${TMPDIR:-/tmp}/sluice-verify.XXXXXX")
rows=$work/rows.tsv
: >"$rows"
server= stack= ticker=
end() {
  for pid in $server $stack; do
    kill "$pid" 2>/dev/null || continue
    left=30
    while kill -0 "$pid" 2>/dev/null && [ "$left" -gt 0 ]; do
      sleep 1
      left=$((left - 1))
    done
    kill -9 "$pid" 2>/dev/null || true
  done
  server= stack=
}
guard() { # what this subshell starts goes with it; a shell forgets its traps in a subshell
  trap end EXIT
  trap 'exit 130' INT TERM
}
leave() {
  end
  stop_ticking
  $keep || [ "${failed:-1}" != 0 ] || rm -rf "$work"
}
trap leave EXIT
trap 'exit 130' INT TERM

if [ -n "${CUDA_VISIBLE_DEVICES:-}" ]; then
  gpus=$(printf '%s\n' "$CUDA_VISIBLE_DEVICES" | awk -F, '{ print NF }')
else
  gpus=$(nvidia-smi --query-gpu=index --format=csv,noheader 2>/dev/null | grep -c '^[0-9]' || true)
fi
exec 3>&2 # where a check that takes minutes shows how far it is
say() { echo "verify: $*" >&2; }
row() { # name outcome seconds figures
  printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$(printf %s "$4" | tr '\t\n' '  ')" >>"$rows"
  say "$1: $2 ($3 s) $4"
}
tick() { # says every half minute that a check goes on
  trap 'kill "$pause" 2>/dev/null; exit 0' TERM
  while :; do
    sleep 30 &
    pause=$!
    wait "$pause"
    say "$name... $(($(date +%s) - begun)) s"
  done
}
stop_ticking() {
  [ -z "$ticker" ] || { kill "$ticker" && wait "$ticker"; } 2>/dev/null || true
  ticker=
}
check() { # name of a function, which prints figures as its last line; status 0 passed, 77 skipped, else failed
  name=$1 begun=$(date +%s)
  say "$name..."
  tick &
  ticker=$!
  status=0
  ("$(printf %s "$name" | tr - _)") >"$work/$name.out" 2>"$work/$name.err" || status=$?
  stop_ticking
  seconds=$(($(date +%s) - begun))
  figures=$(tail -n 1 "$work/$name.out")
  case $status in
    0) row "$name" passed "$seconds" "$figures" ;;
    77) row "$name" skipped "$seconds" "$figures" ;;
    *) row "$name" failed "$seconds" "${figures:-$(grep -v '^ *$' "$work/$name.err" | tail -n 1)} (all of it: $work/$name.out, $work/$name.err)" ;;
  esac
}
needs() { # gpus
  [ "$gpus" -ge "$1" ] && return 0
  echo "needs $1 GPUs, $gpus are here"
  return 77
}
field() { # of the JSON document on stdin, by an expression over d
  python3 -c 'import json, sys; d = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"
}
sluice() { "$root/sluice" "$@"; }
free_port() { # SGLang takes the port 10000 above its own too
  python3 -c 'import random, socket
while True:
    with socket.socket() as s:
        try: s.bind(("127.0.0.1", random.randrange(20000, 30000)))
        except OSError: continue
        print(s.getsockname()[1]); break'
}

doctor() {
  status=0
  sluice doctor --backend gpu --json --engine "$engine_python -m sglang.launch_server" \
    --worker "$worker_python -m torch.distributed.run" --data-root "$work/data" --work-dir "$work/up" >"$work/doctor.json" || status=$?
  [ -s "$work/doctor.json" ] || return 1
  field 'f"""{d["ok"]} ok, {d["warning"]} warnings, {d["failed"]} failed, {d["notChecked"]} not checked; """ + "; ".join(c["subject"] + ": " + c["found"] for c in d["checks"] if c["outcome"] == "failed" or c["subject"] == "NCCL")' <"$work/doctor.json"
  return "$status"
}
worker() {
  tests=$root/services/megatron-worker/tests/gpu/verify.py
  [ -f "$tests" ] || { echo "$tests is not there"; return 77; }
  needs 1 || return 77
  status=0
  (cd "$root/services/megatron-worker" && "$worker_python" "$tests" || echo $? >"$work/worker.status") | tee "$work/worker.txt" >&3
  [ ! -f "$work/worker.status" ] || status=$(cat "$work/worker.status")
  tail -n 1 "$work/worker.txt" | field 'f"""{len(d) - len([c for c in d.values() if c["status"] == "failed"])} of {len(d)} right: """ + "; ".join(n + ": " + c["said"] for n, c in d.items())'
  return "$status"
}
weights() { # transport
  script=$root/services/megatron-worker/tests/gpu/weights_into_sglang.py
  [ -f "$script" ] || { echo "$script is not there"; return 77; }
  "$worker_python" "$script" --transport "$1" --engine-python "$engine_python" \
    --engine-args "$engine_args --mem-fraction-static 0.3 --context-length 4096"
}
weights_tensor() {
  needs 1 || return 77
  weights tensor
}
weights_nccl() {
  needs 2 || return 77
  weights nccl
}
model() { # attention as wide as SGLang's kernels want
  [ -f "$work/example/model/config.json" ] && return 0
  mkdir -p "$work/example"
  cp -r "$root/deploy/examples/tiny" "$work/tiny"
  cp "$root/deploy/examples/sglang/request.yaml" "$work/example/"
  "$engine_python" "$root/deploy/examples/sglang/widen.py" "$work/tiny/model" "$work/example/model"
}
conformance() {
  needs 1 || return 77
  model >&2 || return 1
  port=$(free_port)
  # shellcheck disable=SC2086 # arguments of a program
  "$engine_python" -m sglang.launch_server --model-path "$work/example/model" --host 127.0.0.1 --port "$port" $engine_args \
    --enable-metrics --enable-memory-saver >"$work/sglang.log" 2>&1 &
  server=$!
  guard
  waited=0
  until python3 -c "import urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:$port/health', timeout=5)" 2>/dev/null; do
    kill -0 "$server" 2>/dev/null || { echo "SGLang ended: $(tail -n 1 "$work/sglang.log")"; return 1; }
    waited=$((waited + 5))
    [ "$waited" -lt 600 ] || { echo "SGLang did not answer within 600 s; see $work/sglang.log"; return 1; }
    sleep 5
  done
  status=0
  sluice conformance "http://127.0.0.1:$port" --disruptive --json >"$work/conformance.json" || status=$?
  [ -s "$work/conformance.json" ] || return 1
  field 'f"""SGLang {d["version"]}: {d["passed"]} passed, {d["failed"]} failed, {d["skipped"]} skipped """ + ", ".join(c["name"] for c in d["checks"] if c["outcome"] == "failed")' <"$work/conformance.json"
  return "$status"
}
run() { # work directory, engine program, settings of the request...
  directory=$1 engine=$2
  shift 2
  model >&2 || return 1
  # Not by the function: its pid would be a shell's, and the command would outlive it.
  "$root/sluice" up --work-dir "$directory" --rollout 1 --root "$work" --engine "$engine" >"$directory.log" 2>&1 &
  stack=$!
  guard
  waited=0
  until grep -q '^ready after' "$directory.log"; do
    kill -0 "$stack" 2>/dev/null || { echo "sluice up ended: $(tail -n 1 "$directory.log")"; return 1; }
    waited=$((waited + 1))
    [ "$waited" -lt 180 ] || { echo "sluice up was not ready within 180 s; see $directory.log"; return 1; }
    sleep 1
  done
  sluice run "$work/example/request.yaml" --work-dir "$directory" --id verify --follow --set "training.steps=$steps" "$@" >&2 || {
    echo "the run failed: $(sluice status verify --work-dir "$directory" | tail -n 3)"
    return 1
  }
  sluice status verify --work-dir "$directory" --json >"$directory.json"
  field 'f"""{d["steps"]} steps, reward of the first and last 10: {d["rewardFirst10"]:.2f}, {d["rewardLast10"]:.2f}; accept length {d.get("acceptLength")}"""' <"$directory.json"
}
cpu_run() {
  needs 1 || return 77
  run "$work/cpu-run" "$engine_python -m sglang.launch_server $engine_args"
}
gpu_run() {
  needs 2 || return 77
  half=$((gpus / 2))
  [ "$half" -le 4 ] || half=4 # the example's 3 layers and 8 experts fill no more
  export SLUICE_TRAINER_BACKEND=gpu SLUICE_TRAINER_GPUS=$half SLUICE_ROLLOUT_BACKEND=gpu SLUICE_ROLLOUT_GPUS=$half SLUICE_ROLLOUT_SLOTS=$half
  export SLUICE_TRAINER_WORKER_GPU_COMMAND="$worker_python,-m,torch.distributed.run"
  echo "$half GPUs train, $half sample" >&2
  run "$work/gpu-run" "$here/engine.sh $half $engine_python $engine_args" --set backend=gpu --set cluster.placement=disaggregated \
    --set cluster.gpu=H100-80 --set cluster.gpusPerNode="$((2 * half))" --set cluster.trainGpus="$half" --set cluster.rolloutGpus="$half" \
    --set rollout.engines="$half" --set rollout.layout.gpusPerEngine=1 --set training.mtp.train=false
}

say "$gpus GPUs; files in $work"
for name in ${only:-$checks}; do check "$name"; done
[ -n "$only" ] || row "several nodes" skipped 0 "this script knows one; see deploy/gpu/README.md"

failed=$(awk -F '\t' '$2 == "failed"' "$rows" | wc -l | tr -d ' ')
if $json; then
  python3 - "$rows" "$gpus" <<'PYTHON'
import json, sys
with open(sys.argv[1], encoding="utf-8") as rows:
    checks = [dict(zip(("name", "outcome", "seconds", "figures"), row.rstrip("\n").split("\t"))) for row in rows]
for check in checks:
    check["seconds"] = int(check["seconds"])
print(json.dumps({"gpus": int(sys.argv[2]), "failed": sum(c["outcome"] == "failed" for c in checks), "checks": checks}, indent=2))
PYTHON
else
  awk -F '\t' 'BEGIN { printf "%-14s %-8s %7s  %s\n", "check", "outcome", "seconds", "figures" } { printf "%-14s %-8s %7s  %s\n", $1, $2, $3, $4 }' "$rows"
fi
[ "$failed" = 0 ] || exit 1
