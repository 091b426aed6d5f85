#!/usr/bin/env bash
# docs/log.md, "strokes against people's": number, order and direction of the strokes of the agent `omniglot`.
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "the table of strokes" "2 min on one core" "the data set omniglot with its strokes (limner data fetch omniglot)"

run python experiments/compare_strokes.py --agent omniglot $(pick '' "--pictures 8")
