"""Tencent's flat XML, read strictly and written as CDATA."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from bot.channels.fields import without_controls
from bot.errors import Refused

_BOM = b"\xef\xbb\xbf"
_DECLARED = re.compile(r"""<\?xml[^>]*?\sencoding\s*=\s*["']([^"']*)""")
_START = re.compile(r"<xml>[ \t\n]*+")
_CHILD = re.compile(
    r"<([A-Za-z][A-Za-z0-9]*+)>(?:<!\[CDATA\[((?:[^]]++|](?!]>))*+)]]>|([^<>&\]]*+))</\1>[ \t\n]*+", re.ASCII
)
_END = re.compile(r"</xml>[ \t\n]*+")
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_xml(body: bytes) -> dict[str, str]:
    """The text of each child of the root `xml`; deeper elements are not read.

    Control characters of residents' phones are dropped first. Raises Refused(400) for anything but UTF-8, a DTD or
    an entity, another root, or a child that stands twice."""
    text = _text(body)
    if (plain := _plain(text)) is not None:
        return plain
    try:
        root = fromstring(text, forbid_dtd=True)
    except (ParseError, DefusedXmlException) as exc:
        raise Refused(400, f"the body is not XML: {type(exc).__name__}") from exc
    return _children(root)


def cdata(text: str) -> str:
    """The text as CDATA, without characters XML 1.0 cannot hold, `]]>` split over two sections."""
    return f"<![CDATA[{_ILLEGAL.sub('', text).replace(']]>', ']]]]><![CDATA[>')}]]>"


def _plain(text: str) -> dict[str, str] | None:
    """The children where each is one run of text or one CDATA section and nothing stands between them, as Tencent
    writes them: a parser takes four times as long. None for any other text, XML or not."""
    start = _START.match(text)
    if start is None or "\r" in text:  # a parser makes line feeds of carriage returns
        return None
    children: dict[str, str] = {}
    at = start.end()
    while child := _CHILD.match(text, at):
        name, section, run = child.groups()
        if name in children:
            return None
        children[name] = run if section is None else section
        at = child.end()
    return children if _END.fullmatch(text, at) else None


def _text(body: bytes) -> str:
    try:
        text = body.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError as exc:
        raise Refused(400, "the XML is not UTF-8") from exc
    declared = _DECLARED.match(text)
    if "\0" in text[:4] or (declared and declared[1].lower() not in ("utf-8", "utf8")):
        raise Refused(400, "the XML is declared to be something else than UTF-8")
    return without_controls(text)


def _children(root: Element) -> dict[str, str]:
    if root.tag != "xml":
        raise Refused(400, "the XML has another root")
    children = {child.tag: child.text or "" for child in root}
    if len(children) != len(root):
        raise Refused(400, "an XML element stands twice")
    return children
