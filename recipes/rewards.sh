#!/usr/bin/env bash
# A critic as reward, the distance, and a critic of a blind agent. docs/log.md, "rewards from nothing", "rewards from
# nothing, on characters", "rewards at equal frames".
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "four tables (runs/rewards)" "4 h on one core" "the data sets mnist and omniglot (limner data fetch …)"

digits=$(pick mnist mnist-5k)
smoke=$(pick '' "--seeds 0 --frames 1000")
nothing=(--threads 1 --out "$runs/rewards" --ways "critic, from nothing" "distance, from nothing"
  "critic, blind, from nothing")
after=(--threads 1 --out "$runs/rewards" --ways critic distance "critic, blind" --seeds 0 1)
run python experiments/compare.py rewards --data "$digits" --frames 200000 "${nothing[@]}" $smoke
run python experiments/compare.py rewards --data omniglot --frames 500000 "${nothing[@]}" $smoke
run python experiments/compare.py rewards --data "$digits" --frames 61440 "${after[@]}" $smoke
run python experiments/compare.py rewards --data omniglot --frames 41600 "${after[@]}" $smoke
