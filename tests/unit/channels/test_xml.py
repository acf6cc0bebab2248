"""Flat XML, read strictly and written as CDATA."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels import xml
from bot.channels.xml import cdata, read_xml
from bot.errors import Refused


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param("<xml/>", {}, id="empty"),
        pytest.param("<xml><A>1</A><B/></xml>", {"A": "1", "B": ""}, id="flat"),
        pytest.param("\ufeff<xml><A>1</A></xml>", {"A": "1"}, id="bom"),
        pytest.param('<?xml version="1.0" encoding="UTF-8"?><xml><A>绿</A></xml>', {"A": "绿"}, id="declared"),
        pytest.param("<?xml version='1.0' encoding = 'utf-8'?>\n<xml><A>1</A></xml>", {"A": "1"}, id="single-quotes"),
        pytest.param("<xml><A><![CDATA[a<b>&c]]]]><![CDATA[>]]></A></xml>", {"A": "a<b>&c]]>"}, id="cdata"),
        pytest.param("<xml><A>\x02旧\x1d电\x00池</A></xml>", {"A": "旧电池"}, id="control-characters"),
        pytest.param("<xml><A>a\tb\nc</A></xml>", {"A": "a\tb\nc"}, id="tab-and-newline-stay"),
        pytest.param("<xml><A>x\ufffey</A></xml>", {"A": "xy"}, id="noncharacter"),
        pytest.param("<xml><A>🔋&amp;&#65;</A></xml>", {"A": "🔋&A"}, id="emoji-and-references"),
        pytest.param("<xml><A>1<B><A>2</A></B></A></xml>", {"A": "1"}, id="deeper-is-not-read"),
    ],
)
def test_read_xml(body, expected):
    assert read_xml(body.encode()) == expected


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{}", id="json"),
        pytest.param(b"<xml>", id="open"),
        pytest.param(b"<xml/><xml/>", id="two-roots"),
        pytest.param(b"<html><A>1</A></html>", id="other-root"),
        pytest.param(b"<xml><A>1</A><A>1</A></xml>", id="repeated"),
        pytest.param(b"<xml><A>\xff</A></xml>", id="not-utf-8"),
        pytest.param("<xml><A>1</A></xml>".encode("utf-16"), id="utf-16"),
        pytest.param("<xml><A>1</A></xml>".encode("utf-16-le"), id="utf-16-le-without-bom"),
        pytest.param("<xml><A>1</A></xml>".encode("utf-16-be"), id="utf-16-be-without-bom"),
        pytest.param(b'<?xml version="1.0" encoding="GBK"?><xml><A>1</A></xml>', id="declared-gbk"),
        pytest.param(b"<?xml version='1.0'\n encoding='UTF-16'?><xml/>", id="declared-utf-16"),
        pytest.param("<xml><A>绿</A></xml>".encode("gbk"), id="gbk"),
        pytest.param(b"<!DOCTYPE xml><xml/>", id="dtd"),
        pytest.param(b'<!DOCTYPE xml [<!ENTITY a "b">]><xml><A>&a;</A></xml>', id="entity"),
        pytest.param(
            b'<!DOCTYPE xml [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><A>&a;</A></xml>', id="external-entity"
        ),
        pytest.param(b"<xml><A>&nbsp;</A></xml>", id="unknown-entity"),
        pytest.param(b"<xml><A>&#2;</A></xml>", id="control-reference"),
        pytest.param(b"<xml>" + b"<a>" * 21_000, id="deep"),
    ],
)
def test_read_xml_refuses(body):
    with pytest.raises(Refused) as refused:
        read_xml(body)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", "<![CDATA[]]>", id="empty"),
        pytest.param("a<b>&amp;", "<![CDATA[a<b>&amp;]]>", id="markup-stays"),
        pytest.param("a]]>b", "<![CDATA[a]]]]><![CDATA[>b]]>", id="end-is-split"),
        pytest.param("a\x02b\x0bc\ufffed\ud800e", "<![CDATA[abcde]]>", id="illegal-is-dropped"),
        pytest.param("一\n二\t三🔋", "<![CDATA[一\n二\t三🔋]]>", id="newline-stays"),
    ],
)
def test_cdata(text, expected):
    assert cdata(text) == expected


PIECES = st.sampled_from(
    ["<xml>", "</xml>", "<A>", "</A>", "<B>", "</B>", "<A/>", "<![CDATA[", "]]>", "]", ">", "&amp;", "&", "a", "绿",
     "1", " ", "\n", "\r\n", "\x0b", "\x85", "<!---->", "<?p?>", "<A b='c'>", "\ufeff"]
)  # fmt: skip
CHILDREN = st.lists(st.sampled_from("ABC"), unique=True).flatmap(
    lambda names: st.tuples(*(st.tuples(st.just(name), st.lists(PIECES, max_size=4)) for name in names))
)


def outcome(read: Callable[[bytes], dict[str, str]], body: bytes) -> dict[str, str] | int:
    try:
        return read(body)
    except Refused as refused:
        return refused.status


def parsed(body: bytes) -> dict[str, str]:
    """Read by the parser alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xml, "_plain", lambda text: None)
        return read_xml(body)


@given(st.lists(PIECES, max_size=12), CHILDREN, st.booleans())
def test_plain_children_are_read_as_a_parser_reads_them(pieces, children, section):
    opened, closed = ("<![CDATA[", "]]>") if section else ("", "")
    written = "".join(f"<{name}>{opened}{''.join(text)}{closed}</{name}>" for name, text in children)
    for body in ("<xml>" + "".join(pieces) + "</xml>", "<xml>" + written + "</xml>", "".join(pieces)):
        assert outcome(read_xml, body.encode()) == outcome(parsed, body.encode())


def test_what_tencent_sends_needs_no_parser(monkeypatch):
    def never(*_, **__):
        raise AssertionError("a parser was asked")

    monkeypatch.setattr(xml, "fromstring", never)
    body = "<xml><A><![CDATA[a<b>]]]></A>\n<B>1</B> <C></C><D><![CDATA[]]></D></xml>\n"
    assert read_xml(body.encode()) == {"A": "a<b>]", "B": "1", "C": "", "D": ""}
