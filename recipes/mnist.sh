#!/usr/bin/env bash
# The agent `mnist`: it draws digits of its own. It imitates programs in a file, then a conditional agent, which is made
# first, then what it draws itself at a low temperature; and last it is rewarded by a critic that tells its drawings from
# those of given digits. The learning rate of prior5 ends where that of the shipped agent did, which was stopped early.
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "the agent mnist, in the package" "5 h 30 min on one core, less where the runs of mnist-reconstruct.sh are there" \
  "the data set mnist (limner data fetch mnist)"

first mnist-reconstruct

data=$(pick mnist mnist-5k)
run limner parse "$data" --agent "$runs/rec5" --limit "$(pick 20000 200)" --threads 1 --out "$runs/mnist20k.jsonl"

prior=(mnist-reconstruct --data "$data" --no-conditional --temperature 0.8 --learning.entropy-cost 0 --threads 1
  --frames 100000000)
asking=("${prior[@]}" --expert agent --expert.agent "$runs/rec6")
train "$runs/prior4" "${prior[@]}" --expert file --expert.path "$runs/mnist20k.jsonl" --steps-per-update 24 --minutes 22
train "$runs/prior5" "${asking[@]}" --start "$runs/prior4" --expert.action-noise 0.2 --steps-per-update 24 --minutes 16 \
  --learning.final-learning-rate 0.76
train "$runs/prior6" "${asking[@]}" --start "$runs/prior5" --expert.action-noise 0.2 --steps-per-update 48 \
  --episodes 256 --minutes 60
train "$runs/prior7" "${asking[@]}" --start "$runs/prior6" --expert.action-noise 0.1 --steps-per-update 48 \
  --episodes 256 --minutes 40 --learning.learning-rate 7e-4

drawn=$runs/mnist-drawn paintings=$runs/mnist12k.jsonl
run limner sample --agent "$runs/prior7" -n "$(pick 20000 200)" --temperature 0.65 --first-action-temperature 1 \
  --out "$drawn"
train "$runs/mnist-cold" "${prior[@]}" --expert file --expert.path "$drawn/programs.jsonl" --start "$runs/prior7" \
  --steps-per-update 24 --minutes 9 --learning.learning-rate 7e-4
run limner parse "$data" --agent mnist-reconstruct --limit "$(pick 12000 200)" --threads 1 --out "$paintings"
train "$runs/mnist-critic" mnist-finetune --data "$data" --start "$runs/mnist-cold" \
  --critic.data "programs:$paintings" --temperature 1 --first-action-temperature None --threads 1 --frames 100000000 \
  --minutes 45 $(pick '' '--critic.encoder-steps 2')

ship "$runs/mnist-critic" mnist --temperature 0.6 --first-action-temperature 0.9 \
  --limits "it knows ten digits and one brush, and not every picture is a digit that a person would read."
