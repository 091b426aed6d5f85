#!/usr/bin/env bash
# docs/robot.md, "Tracking errors", and its two pictures: a simulated arm draws programs of four agents.
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "two tables and two pictures (runs/robot)" "20 min on one core" \
  "MuJoCo and OpenGL (make scenes), and the data set omniglot (limner data fetch omniglot)"

count=$(pick 20 2)
if [[ -z ${DRY:-} ]]; then mkdir -p "$runs/robot"; fi
run python experiments/robot.py --sheet "$runs/robot/robot.png" --stages "$runs/robot/arm.png" \
  $(pick '' "--count 2 --shown 2")
run limner parse mnist-5k --agent mnist-reconstruct --limit "$count" --out "$runs/robot/digits.jsonl"
run limner parse omniglot --agent omniglot --limit "$count" --out "$runs/robot/characters.jsonl"
run python experiments/robot.py "$runs/robot/digits.jsonl" "$runs/robot/characters.jsonl" --count "$count"
