#!/usr/bin/env bash
# docs/log.md, "action spaces on characters": expert iteration in each action space of the paint world.
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "the table of action spaces (runs/spaces)" "35 min on one core" "the data set omniglot (limner data fetch omniglot)"

run python experiments/compare.py spaces --data omniglot --minutes 5 --seeds 0 --threads 1 --out "$runs/spaces" \
  $(pick '' "--minutes 0.05")
