# What the recipes share. A recipe sources this file, calls `recipe` with what it makes, takes and needs, and then runs
# its stages. A stage that is complete is not run again, an interrupted one is continued.
#
#   recipes/NAME.sh            runs it, from any folder; runs go to runs/ of the project
#   DRY=1 recipes/NAME.sh      prints the commands only
#   SMOKE=1 recipes/NAME.sh    runs every stage for seconds on little data, in a temporary folder (or in RUNS)

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export OMP_NUM_THREADS=1
export PATH="$PWD/.venv/bin:$PATH" # where `make install` puts limner and python

runs=${RUNS:-runs}
if [[ -n ${SMOKE:-} && -z ${DRY:-}${RUNS:-} ]]; then runs=$(mktemp -d); fi

# Alphabets that agents of characters never see, and Omniglot without them: the data of their presets.
held=Armenian,Burmese_\(Myanmar\),Gujarati,Latin,Syriac_\(Estrangelo\)
seen=omniglot:-${held//,/,-}

# recipe MAKES TAKES NEEDS: prints them.
recipe() {
  printf 'makes: %s\ntakes: %s\nneeds: %s\n\n' "$1" "$2" "$3"
}

# pick REAL SMOKE: the one, or the other in a smoke test.
pick() {
  if [[ -n ${SMOKE:-} ]]; then echo "$2"; else echo "$1"; fi
}

# run COMMAND…: prints it and runs it.
run() {
  printf '+'
  printf ' %q' "$@"
  printf '\n'
  if [[ -z ${DRY:-} ]]; then "$@"; fi
}

# train FOLDER PRESET FLAG…: a run of `limner train`.
train() {
  local folder=$1
  shift
  if [[ -n ${DRY:-} || ! -e $folder/config.json ]]; then
    run limner train "$@" $(pick '' '--minutes 0.05') --out "$folder"
  elif [[ ! -e $folder/report.html ]]; then # which is written last
    run limner train --resume "$folder"
  else
    echo "complete: $folder"
  fi
}

# first NAME: the stages of another recipe, whose runs this one goes on from; its agent is not shipped.
first() {
  RUNS=$runs FIRST=1 "recipes/$1.sh"
}

# shipping: whether this recipe was not called by `first`.
shipping() {
  [[ -z ${FIRST:-} ]]
}

# ship FOLDER NAME FLAG…: the agent of a run becomes the package's; in a smoke test, one in the temporary folder.
ship() {
  if shipping; then run python recipes/ship_agent.py "$@" $(pick '' "--out $runs/zoo"); fi
}
