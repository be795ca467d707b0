#!/usr/bin/env bash
# model-signing 1.1.1: after `pip install model-signing`, it can't be imported, and its command doesn't start.
#
# It imports OpenSSL (sign_certificate.py, for checking certificates), the module of pyopenssl, but doesn't ask for that
# package; none of those it asks for brings it. So numlp's extra "signing" names pyopenssl too.
#
# Seen with model-signing 1.1.1 on Python 3.11:
#   requirements that name OpenSSL: none
#   without pyopenssl: ModuleNotFoundError: No module named 'OpenSSL'
#   with pyopenssl: works
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet model-signing==1.1.1

"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import requires

found = [one for one in requires("model-signing") if "openssl" in one.lower()]
print(f"requirements that name OpenSSL: {', '.join(found) or 'none'}")
assert not found
try:
    import model_signing
except ModuleNotFoundError as error:
    print(f"without pyopenssl: ModuleNotFoundError: {error}")
    assert error.name == "OpenSSL"
else:
    raise SystemExit("it can be imported")
PYTHON

"$folder/venv/bin/python" -m pip install --quiet pyopenssl==26.4.0
"$folder/venv/bin/model_signing" --help >"$folder/help"
echo "with pyopenssl: works"
