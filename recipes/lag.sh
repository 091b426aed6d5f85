#!/usr/bin/env bash
# What it costs to learn from old batches: lags of 0, 1, 4 and 16 updates, three seeds each, by three ways to correct for
# them.
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "the table of lags (runs/lag)" "50 min on one core" "the data set mnist (limner data fetch mnist)"

run python experiments/lag.py --threads 1 --out "$runs/lag" \
  $(pick '' "--preset tiny --data mnist-5k --frames 240 --seeds 0")
