"""What FreeSWITCH's command `curl` does with its line: split at spaces, decode what is to be posted, post it.

Run by tests/sip/freeswitch.lua with the command as its argument; prints the answer's body, whatever its status.
"""

from __future__ import annotations

import sys
from urllib.error import HTTPError, URLError
from urllib.parse import unquote_to_bytes
from urllib.request import ProxyHandler, Request, build_opener

MOST_WORDS = 10


def main(command: str) -> str:
    words = command.split(" ")
    assert words[0] == "curl"
    assert len(words) - 1 <= MOST_WORDS, "mod_curl takes no more words"
    url, options = words[1], words[2:]
    data = unquote_to_bytes(options[options.index("post") + 1])
    kind = options[options.index("content-type") + 1]
    try:
        with build_opener(ProxyHandler({})).open(Request(url, data, {"Content-Type": kind}), timeout=30) as answer:
            return str(answer.read().decode())
    except HTTPError as error:
        return error.read().decode()
    except URLError:
        return ""


if __name__ == "__main__":
    sys.stdout.write(main(sys.argv[1]))
