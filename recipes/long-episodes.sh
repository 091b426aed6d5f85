#!/usr/bin/env bash
# Episodes of a hundred strokes, paid by what each adds to a critic's score or by the score of the finished picture.
# docs/log.md, "long episodes".
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "the table of long episodes (runs/long-episodes)" "25 min on one core" "the data set omniglot (limner data fetch omniglot)"

run python experiments/long_episodes.py --horizon 100 --frames 300000 --threads 1 --out "$runs/long-episodes" \
  $(pick '' "--frames 3200")
