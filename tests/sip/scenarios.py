"""What the phones of the stories do, as scenarios of sipp. Peers wait 30 ms before they answer, as networks do."""

from __future__ import annotations

PAUSE = '<pause milliseconds="30"/>'


def _message(lines: str, retrans: bool = False) -> str:
    text = "\n".join(f"      {line.strip()}" for line in lines.strip().splitlines())
    return f"<send{' retrans=' + chr(34) + '500' + chr(34) if retrans else ''}><![CDATA[\n\n{text}\n\n  ]]></send>"


def _whole(name: str, *parts: str) -> str:
    body = "\n  ".join(parts)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="{name}">\n  {body}\n</scenario>\n'


SDP = """
      v=0
      o=story 1 1 IN IP4 [local_ip]
      s=-
      c=IN IP4 [media_ip]
      t=0 0
      m=audio [media_port] RTP/AVP 8
"""
LAST = "[last_Via:]\n[last_From:]\n[last_To:]{tag}\n[last_Call-ID:]\n[last_CSeq:]\n"
CONTACT = "Contact: <sip:[local_ip]:[local_port]>\n"


def _reply(status: str, *, tag: bool = False, body: bool = False, route: bool = False) -> str:
    lines = f"SIP/2.0 {status}\n" + LAST.format(tag=";tag=t[call_number]" if tag else "")
    lines += "[last_Record-Route:]\n" * route + CONTACT
    lines += f"Content-Type: application/sdp\nContent-Length: [len]\n\n{SDP}" if body else "Content-Length: 0\n"
    return _message(lines, retrans=body)


ANSWERS = _whole(
    "answers",
    '<recv request="INVITE"/>',
    _reply("180 Ringing", tag=True, route=True),
    PAUSE,
    _reply("200 OK", tag=True, body=True, route=True),
    '<recv request="ACK"/>',
    '<recv request="BYE" timeout="60000"/>',
    PAUSE,
    _reply("200 OK"),
)


def _request(method: str, sequence: int, body: str, to: str = "") -> str:
    target = "sip:[service]@[remote_ip]:[remote_port]" if not to else "[next_url]"
    return f"""
      {method} {target} SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: <sip:[account]@[local_ip]:[local_port]>;tag=f[call_number]
      To: <sip:[service]@[remote_ip]:[remote_port]>{to}
      {"[routes]" if to else "Max-Forwards: 70"}
      Call-ID: [call_id]
      CSeq: {sequence} {method}
      Contact: <sip:[account]@[local_ip]:[local_port]>
      User-Agent: Story phone 1.0
      {body}"""


INVITE = _message(_request("INVITE", 1, f"Content-Type: application/sdp\nContent-Length: [len]\n\n{SDP}"), retrans=True)
ACK = _message(_request("ACK", 1, "Content-Length: 0", "[peer_tag_param]"))
BYE = _message(_request("BYE", 2, "Content-Length: 0", "[peer_tag_param]"), retrans=True)
RINGS = '<recv response="100" optional="true"/>\n  <recv response="180" optional="true"/>'

HANGS_UP = _whole(
    "hangs up", INVITE, RINGS, '<recv response="200" rrs="true"/>', ACK, "<pause/>", BYE, '<recv response="200"/>'
)
IS_CUT = _whole(
    "is cut",
    INVITE,
    RINGS,
    '<recv response="200" rrs="true"/>',
    ACK,
    '<recv request="BYE" timeout="30000"/>',
    PAUSE,
    _reply("200 OK"),
)
VANISHES = _whole("vanishes", INVITE, RINGS, '<recv response="200" rrs="true"/>', ACK)


def refused(code: int) -> str:
    """A caller that is told so."""
    acknowledged = _message(
        _request("ACK", 1, "Content-Length: 0").replace(">\n      Max", ">[peer_tag_param]\n      Max")
    )
    return _whole(
        f"refused {code}", INVITE, '<recv response="100" optional="true"/>', f'<recv response="{code}"/>', acknowledged
    )
