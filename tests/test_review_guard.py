"""Who may come in to a review, and who may not: each sentence of what keeps it safe."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tagger.review import guard
from tagger.review.guard import TOKEN_HEADER, Keys
from tagger.review.serving import Behind, Door, address, listen, own_addresses, shown_the_way
from tests.catalogs import filled
from tests.library import until
from tests.reviews import BASE, PORT, Review, reviewed
from tests.test_review_session import blank


@pytest.fixture
def review(place: Path) -> Iterator[Review]:
    filled(place, blank("a.mp3", 1, "Ann"), blank("b.mp3", 2, "<script>alert(1)</script>")).close()
    with reviewed(place, write=False) as one:
        yield one


def stranger(review: Review) -> TestClient:
    return TestClient(review.client.app, base_url=BASE)


def post(review: Review, **changed: str | None) -> int:
    """Post as the page does, but for some headers; None leaves one out."""
    headers = {**review.headers, **{k.replace("_", "-"): v for k, v in changed.items()}}
    kept = {name: value for name, value in headers.items() if value is not None}
    return int(review.client.post("/do/skip", json={"question": 1}, headers=kept).status_code)


def test_only_a_browser_that_followed_the_address_sees_anything(review: Review) -> None:
    assert review.client.get("/").status_code == 200
    for path in (
        "/",
        "/stage",
        "/progress",
        "/find?q=a",
        "/page.js",
        "/sound/1",
        "/cover/1",
        "/near/1",
    ):
        assert stranger(review).get(path).status_code == 401


def test_the_token_in_the_address_works_once(review: Review) -> None:
    once = review.keys.once
    assert stranger(review).get(f"/open?token={once}").status_code == 200
    assert stranger(review).get(f"/open?token={once}").status_code == 403
    assert review.keys.once != once


def test_tokens_are_not_guessed_five_are_tried_a_minute(review: Review) -> None:
    codes = [stranger(review).get("/open?token=x").status_code for _ in range(6)]
    assert codes == [403, 403, 403, 403, 403, 429]
    assert stranger(review).get(f"/open?token={review.keys.once}").status_code == 200


def test_the_cookies_name_has_the_port_in_it_and_no_script_reads_it(review: Review) -> None:
    answer = stranger(review).get(f"/open?token={review.keys.once}")
    said = answer.headers["set-cookie"]
    assert said.startswith(f"tagger_review_{PORT}=")
    assert "HttpOnly" in said
    assert "SameSite=strict" in said
    other = Keys(PORT + 1)
    assert other.cookie_name != review.keys.cookie_name


def test_every_change_needs_the_token_that_is_no_cookie(review: Review) -> None:
    assert post(review) == 200
    assert post(review, **{TOKEN_HEADER: None}) == 403
    assert post(review, **{TOKEN_HEADER: "x"}) == 403


@pytest.mark.parametrize(
    "origin",
    [None, "null", "http://evil.example", "http://localhost:9999", f"https://localhost:{PORT}"],
)
def test_a_change_comes_from_the_page_itself(review: Review, origin: str | None) -> None:
    assert post(review, origin=origin) == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_requests_that_the_browser_calls_anothers_are_refused(review: Review, site: str) -> None:
    assert post(review, **{"sec-fetch-site": site}) == 403
    assert review.client.get("/", headers={"sec-fetch-site": site}).status_code == 403
    for own in ("same-origin", "none"):
        assert review.client.get("/", headers={"sec-fetch-site": own}).status_code == 200


@pytest.mark.parametrize(
    ("host", "code"),
    [
        ("localhost:1", 200),
        ("127.0.0.1:8123", 200),
        ("[::1]:8123", 200),
        ("[::1]", 200),
        ("LOCALHOST", 200),
        ("music.example:80", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("localhost:80@evil.example", 421),
        ("", 421),
        ("192.168.1.7:8123", 421),
    ],
)
def test_only_names_of_this_machine_are_answered_at_any_port(
    review: Review, host: str, code: int
) -> None:
    cookie = "; ".join(f"{name}={value}" for name, value in review.client.cookies.items())
    headers = {"host": host, "cookie": cookie}
    assert stranger(review).get("/", headers=headers).status_code == code


def test_the_page_says_what_a_browser_may_do_with_it(review: Review) -> None:
    for path in ("/", "/page.js", "/nowhere"):
        headers = review.client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["x-content-type-options"] == "nosniff"


def test_the_page_has_no_script_within_it(review: Review) -> None:
    text = review.client.get("/").text
    assert text.count("<script") == 1
    assert '<script src="/page.js" defer></script>' in text
    assert " on" + "click=" not in text
    assert "style=" not in text


def test_every_text_is_escaped(review: Review) -> None:
    review.do("skip", question=review.session.current)
    text = review.client.get("/stage").text + review.client.get("/find?q=script").text
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_sizes_are_bounded(review: Review) -> None:
    answer = review.client.post("/do/skip", content=b"x" * 70_000, headers=review.headers)
    assert answer.status_code == 413
    endless = (b"x" * 1000 for _ in range(1000))
    answer = review.client.post("/do/skip", content=endless, headers=review.headers)
    assert answer.status_code == 413


def test_what_other_pages_send_does_not_hold_the_owner_up(
    review: Review, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "_MINUTE_S", 1e9)
    for _ in range(700):
        review.client.get("/page.css", headers={"sec-fetch-site": "cross-site"})
    assert review.client.get("/").status_code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", 403),
        (b"[]", 403),
        (b'{"password": "\\ud800"}', 403),
        ((b"x" * 1000 for _ in range(100)), 413),
    ],
)
def test_what_is_no_password_is_refused(
    place: Path, body: bytes | Iterator[bytes], code: int
) -> None:
    filled(place, blank("a.mp3", 1, "Ann")).close()
    with reviewed(place, password="open sesame", write=False) as review:
        answer = stranger(review).post("/login", content=body, headers={"origin": BASE})
        assert answer.status_code == code


def test_rates_are_bounded(review: Review, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_MINUTE_S", 1e9)
    codes = {review.client.get("/page.css").status_code for _ in range(700)}
    assert codes == {200, 429}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE"])
def test_only_what_a_page_needs_is_answered(review: Review, method: str) -> None:
    assert review.client.request(method, "/").status_code == 405


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"question": "x"}', b'{"question": 1e999}'])
def test_what_is_no_answer_is_refused(review: Review, body: bytes) -> None:
    answer = review.client.post("/do/answer", content=body, headers=review.headers)
    assert answer.status_code == 400
    assert review.session.progress().n_answers == 0


def test_a_file_is_asked_for_by_its_number_and_given_only_as_it_was(review: Review) -> None:
    for path in ("/sound/1", "/cover/1", "/sound/999", "/cover/99999999999999999999"):
        assert review.client.get(path).status_code in (404, 400)
    assert review.client.get("/sound/../../etc/passwd").status_code == 404


def test_the_file_that_leads_to_the_page_is_for_its_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with shown_the_way("http://localhost:1/open?token=a&b") as path:
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent == tmp_path
        assert "url=http://localhost:1/open?token=a&amp;b" in path.read_text()
    assert not path.exists()


def test_nobody_else_is_let_in_unless_asked_for() -> None:
    with listen(Door()) as sock:
        assert sock.getsockname()[0] == "127.0.0.1"
        assert address(sock, Door()) == f"http://localhost:{sock.getsockname()[1]}"
    assert Door("0.0.0.0").is_open_to_others


def test_the_address_that_is_printed_is_one_that_is_answered() -> None:
    with listen(Door()) as sock:
        assert address(sock, Door("0.0.0.0")).startswith("http://localhost:")
        assert address(sock, Door("den")).startswith("http://den:")
    assert Door("den").names == ("den",)
    assert Door("0.0.0.0").names == Door("::").names == ()


def test_all_addresses_together_are_told_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    family, kind = socket.AF_INET, socket.SOCK_STREAM
    known = ["127.0.0.1", "10.1.2.3", "fd00::7", "10.1.2.3"]
    found = [(family, kind, 0, "", (address, 0)) for address in known]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: found)
    monkeypatch.setattr("tagger.review.serving._FAR_AWAY", ())
    assert own_addresses(Door("0.0.0.0")) == ["10.1.2.3"]
    assert own_addresses(Door("::")) == ["10.1.2.3", "fd00::7"]
    assert own_addresses(Door("den")) == own_addresses(Door()) == []


# With --host: a password


def test_other_machines_say_a_password_five_tries_a_minute(place: Path) -> None:
    filled(place, blank("a.mp3", 1, "Ann")).close()
    with reviewed(place, password="open sesame", write=False) as review:
        browser = stranger(review)
        assert browser.get("/login").status_code == 200
        headers = {"origin": BASE}
        codes = [
            browser.post("/login", json={"password": "x"}, headers=headers).status_code
            for _ in range(6)
        ]
        assert codes == [403, 403, 403, 403, 403, 429]
        assert browser.get("/").status_code == 401


def test_who_knows_the_password_is_let_in(place: Path) -> None:
    filled(place, blank("a.mp3", 1, "Ann")).close()
    with reviewed(place, password="open sesame", write=False) as review:
        browser = stranger(review)
        said = {"password": "open sesame"}
        assert browser.post("/login", json=said).status_code == 403  # from nowhere
        assert browser.post("/login", json=said, headers={"origin": BASE}).status_code == 200
        assert browser.get("/").status_code == 200


def test_without_a_password_there_is_no_login(review: Review) -> None:
    headers = {"origin": BASE}
    answer = stranger(review).post("/login", json={"password": ""}, headers=headers)
    assert answer.status_code == 403


def test_what_is_done_behind_begins_once_with_the_page_or_soon_if_nobody_looks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[int] = []
    shown = Behind(lambda: begun.append(1))
    shown.page_is_shown()
    shown.page_is_shown()
    until(lambda: begun == [1])
    monkeypatch.setattr("tagger.review.serving._NOBODY_LOOKS_S", 0.05)
    unseen = Behind(lambda: begun.append(2))
    unseen.server_is_ready()
    until(lambda: begun == [1, 2])
    unseen.page_is_shown()
    assert begun == [1, 2]
