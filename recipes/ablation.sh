#!/usr/bin/env bash
# docs/log.md, "ablation across five seeds": SPIRAL without one of the parts that keep it stable. PARTS="clip" chooses
# others of those that experiments/seeds.py --help lists.
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "a table of five seeds for each part that is left out" "10 min on two free cores for each part" \
  "the data set mnist (limner data fetch mnist)"

for part in ${PARTS:-kl-average replay}; do
  run python experiments/seeds.py --updates preset --without "$part" --frames 153600 --threads 1 \
    --out "$runs/without-$part" $(pick '' "--preset tiny --data mnist-5k --frames 480 --seeds 0 1")
done
