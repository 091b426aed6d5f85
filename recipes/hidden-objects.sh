#!/usr/bin/env bash
# docs/log.md, "what a picture of a scene can tell": how many random scenes hold an object that cannot be seen.
set -euo pipefail
source "$(dirname "$0")/common.sh"
recipe "the shares by number of objects" "1 min on two cores" "MuJoCo and OpenGL (make scenes); no data"

run python experiments/hidden_objects.py $(pick '' "--scenes 20 --objects 1 5")
