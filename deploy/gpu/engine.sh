#!/bin/sh
# Starts SGLang on GPUs behind those that train, where one machine does both: services of one "sluice up" all count from GPU 0.
#   ./sluice up --engine "$PWD/deploy/gpu/engine.sh 4 /opt/sglang/bin/python3"
# Lease 0 becomes GPU 4, and so on; what follows the Python are arguments of sglang.launch_server.
set -eu
first=$1
python=$2
shift 2
CUDA_VISIBLE_DEVICES=$(printf %s "${CUDA_VISIBLE_DEVICES:?the rollout service leases GPUs only where sluice.rollout.gpus is set}" |
  awk -F, -v first="$first" '{ for (i = 1; i <= NF; i++) printf "%s%d", (i > 1 ? "," : ""), $i + first }')
export CUDA_VISIBLE_DEVICES
exec "$python" -m sglang.launch_server "$@"
