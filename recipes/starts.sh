#!/usr/bin/env bash
# docs/log.md, "with and without a warm start, and action spaces": minus the distance as reward, from nothing or after
# imitation.
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "the table of starts (runs/starts)" "15 min on one core" "the data set mnist (limner data fetch mnist)"

run python experiments/compare.py starts --data "$(pick mnist mnist-5k)" --minutes 4 --threads 1 --seeds 0 \
  --out "$runs/starts" $(pick '' "--minutes 0.05")
