#!/usr/bin/env python3
"""Print test vectors of Project Wycheproof as plain lines.

    vectors.py aead FILE    tcId key iv aad msg ct+tag result
    vectors.py x25519 FILE  tcId public private shared result flags

Fields are hex, "-" where empty; flags are joined by commas.
"""
import json
import sys


def field(text):
    return text or "-"


def main():
    kind, path = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        vectors = json.load(file)
    printed = 0
    for group in vectors["testGroups"]:
        for test in group["tests"]:
            printed += 1
            if kind == "aead":
                names = ("key", "iv", "aad", "msg")
                rest = [field(test["ct"] + test["tag"]), test["result"]]
            else:
                names = ("public", "private", "shared")
                rest = [test["result"], field(",".join(test["flags"]))]
            print(test["tcId"], *(field(test[name]) for name in names), *rest)
    if printed != vectors["numberOfTests"]:
        sys.exit("the file says %d tests, and has %d" % (vectors["numberOfTests"], printed))


if __name__ == "__main__":
    main()
