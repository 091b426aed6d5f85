#!/usr/bin/env bash
# docs/results.md, "Speed": painting, rendering scenes and training. AGAINST=OTHER/src compares training with that of
# another checkout.
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "the figures" "20 min on two idle cores" "a C compiler, pkg-config, libmypaint-dev, MuJoCo and OpenGL; no data"

run limner bench
run python benchmarks/painting.py --rounds "$(pick 25 2)"
run python benchmarks/scenes.py --rounds "$(pick 45 2)"
run python benchmarks/templates.py --scenes "$(pick 200 10)"
run python benchmarks/training.py ${AGAINST:+--against "$AGAINST"} $(pick '' "--names mnist --rounds 1 --updates 2")
