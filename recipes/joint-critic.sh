#!/usr/bin/env bash
# docs/log.md, "a critic that sees the program, too": a joint critic against a critic of pictures, from the same agent.
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "the table of both critics (runs/joint-critic)" \
  "5 h 30 min on one core, 1 h where the runs of mnist.sh are there" "the data set mnist (limner data fetch mnist)"

first mnist

data=$(pick mnist mnist-5k)
run limner parse "$data" --agent "$runs/rec6" --threads 1 --out "$runs/mnist-rec6.jsonl"
run python experiments/joint_critic.py --start "$runs/prior6" --programs "$runs/mnist-rec6.jsonl" --data "$data" \
  --frames "$(pick 40000 2000)" --threads 1 --out "$runs/joint-critic" $(pick '' "--seeds 0")
