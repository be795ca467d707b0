#!/usr/bin/env bash
# docutils 0.22.4 turns the valid TeX \frac12 x, one half of x, into MathML for 12 / x, without a warning.
#
# TeX takes one token for each argument that has no braces; docutils' converter (docutils.utils.math.latex2mathml, the
# default for HTML5 with --math-output=MathML, which Sphinx extensions use as well) reads the digits as one number and
# the next symbol as the denominator. \frac{1}{2} x is right. So an equation in a docstring can say something else on
# the page than in its source; docs/_extensions/equations.py puts in the braces.
#
# Seen with docutils 0.22.4 on Python 3.11:
#   \frac12 x       <mfrac><mn>12</mn><mi>x</mi></mfrac>
#   \frac{1}{2} x   <mfrac><mn>1</mn><mn>2</mn></mfrac><mi>x</mi>
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet docutils==0.22.4

fraction() {  # the MathML of an equation, from the public command, without spaces
  printf '.. math:: %s\n' "$1" |
    "$folder/venv/bin/docutils" --writer=html5 --math-output=MathML |
    tr -d ' \n' | grep -o '<mfrac>.*</math>' | sed 's#</math>##'
}

unbraced=$(fraction '\frac12 x')
braced=$(fraction '\frac{1}{2} x')
echo "\\frac12 x      $unbraced"
echo "\\frac{1}{2} x  $braced"
[ "$unbraced" = '<mfrac><mn>12</mn><mi>x</mi></mfrac>' ]
[ "$braced" = '<mfrac><mn>1</mn><mn>2</mn></mfrac><mi>x</mi>' ]
